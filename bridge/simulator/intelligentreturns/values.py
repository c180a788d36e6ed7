"""Values as loose as the page has them: texts for numbers, three ways to write a day, empty for what is left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, NamedTuple, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from bridge.simulator.intelligentreturns.failures import Failed

Model = TypeVar("Model", bound=BaseModel)

TRUTHS: Final = {"1": True, "true": True, "0": False, "false": False}
DAYS: Final = ("%m/%d/%Y", "%Y/%m/%d")
MOMENTS: Final = ("%m/%d/%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S")


class Loose(BaseModel):
    """A part of a request. What is empty was left out; what is not known is left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _present(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: one for name, one in value.items() if one not in ("", None, [], {})}


def _truth(value: object) -> object:
    truth = TRUTHS.get(str(value).lower())
    if truth is None:
        raise PydanticCustomError("bool", "0, 1, true or false")
    return truth


def moment_of(value: object, *forms: str) -> datetime:
    """Read a moment in one of these forms, or Unix time. ValueError otherwise, and for what is after 2100."""
    moment = _any_moment(str(value).strip(), forms)
    if not 1970 <= moment.year <= 2100:
        raise ValueError("no such moment")
    return moment


def _any_moment(text: str, forms: Sequence[str]) -> datetime:
    if re.fullmatch(r"[0-9]{1,11}", text):
        return datetime.fromtimestamp(int(text), UTC)
    for form in forms:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError("no such moment")


def _moment(*forms: str) -> Callable[[object], datetime]:
    def read_(value: object) -> datetime:
        return moment_of(value, *forms)

    return read_


Text = Annotated[str, Field(max_length=255)]
Flag = Annotated[bool, BeforeValidator(_truth)]
Day = Annotated[datetime, BeforeValidator(_moment(*DAYS))]
Moment = Annotated[datetime, BeforeValidator(_moment(*MOMENTS))]
AnyDay = Annotated[datetime, BeforeValidator(_moment(*DAYS, *MOMENTS))]
CountryCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
CustomFields = dict[Annotated[str, Field(pattern=r"^field[1-5]$")], Text]


class Codes(NamedTuple):
    """The codes under which a method reports wrong values: its own, and that of items."""

    whole: str
    item: str


def read(model: type[Model], value: object, codes: Codes) -> Model:
    """Read a part of a request, or refuse it with the names of all fields that are wrong."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        places = [[part for part in one["loc"] if isinstance(part, str)] for one in error.errors(include_input=False)]
    of_items = [place[-1] for place in places if place[:1] == ["item"]]
    others = [place[-1] for place in places if place and place[0] != "item"]
    code, names = (codes.whole, others) if others or not of_items else (codes.item, of_items)
    raise Failed(code, f"Incorrect data. Check fields: {','.join(dict.fromkeys(names))}")


def part(tree: Mapping[str, object], name: str, code: str = "request_wrong") -> Mapping[str, Any]:
    """Give the part of a request that has this name, or refuse its absence."""
    value = tree.get(name)
    if not isinstance(value, dict):
        raise Failed(code)
    return value


def unix(moment: datetime) -> str:
    """Write a moment as answers do, in a string."""
    return str(int(moment.timestamp()))
