"""What carriers' JSON is made of as it is read: values outside their safe form are refused, unknown keys ignored."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from bridge.carriers.answer import Answer
from bridge.errors import CarrierUnavailable

Model = TypeVar("Model", bound=BaseModel)

Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]


def _number(value: object) -> object:
    """Take an empty number for none."""
    return None if value == "" else value


Number = Annotated[Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,40}$")] | None, BeforeValidator(_number)]


Text = Annotated[str, Field(min_length=1, max_length=255)]


def _bounded(moment: datetime) -> datetime:
    """Refuse what no carrier means: near the ends of the calendar, UTC and later sums do not exist."""
    if not _EARLIEST <= moment <= _LATEST:
        raise ValueError("not a moment of this age")
    return moment


_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
Moment = Annotated[AwareDatetime, AfterValidator(_bounded)]


def _or_none(value: object, read: ValidatorFunctionWrapHandler) -> object:
    """Take what cannot be read for unknown: no trait of a thing may hide the thing."""
    try:
        return read(value)
    except ValidationError:
        return None


Lenient = WrapValidator(_or_none)


class Shape(BaseModel):
    """What the carrier sends: whatever is not read here is not there."""

    model_config = ConfigDict(defer_build=True, extra="ignore", frozen=True)


def read(shape: type[Model], answer: Answer) -> Model:
    """Read an answer as this. Raises CarrierUnavailable where it is something else."""
    try:
        return shape.model_validate_json(answer.body)
    except ValidationError:
        # Without the cause: it holds what came, and that may be about people.
        raise CarrierUnavailable("unreadable_answer", status=answer.status) from None
