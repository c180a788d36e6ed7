"""What is asked for with a new ticket, in the carrier's names and limits."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Final, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from bridge.simulator.inpost_returns.problems import Problem, Wrong
from bridge.simulator.inpost_returns.terms import Size

EARLIEST: Final = timedelta(days=7)
LATEST: Final = timedelta(days=720)


def _written(value: object) -> object:
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\dT", value):
        raise PydanticCustomError("datetime_type", "must be a date-time in ISO 8601")
    return value


Text10 = Annotated[str, Field(min_length=1, max_length=10)]
Text50 = Annotated[str, Field(min_length=1, max_length=50)]
Text125 = Annotated[str, Field(min_length=1, max_length=125)]
Text255 = Annotated[str, Field(max_length=255)]
Email = Annotated[str, Field(max_length=255, pattern=r"^[^@\s]+@[^@\s]+$")]
Phone = Annotated[str, Field(max_length=25, pattern=r"^\+[1-9]\d{1,14}$")]


class Attributes(BaseModel):
    """A part of the body; what is not known is left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, hide_input_in_errors=True)


class Sender(Attributes):
    first_name: Text125
    last_name: Text125
    phone: Phone
    email: Email


class Address(Attributes):
    building_number: Text10
    province: Annotated[str, Field(max_length=50)] | None = None
    street: Text50
    city: Text50
    postal_code: Annotated[str, Field(pattern=r"^\d\d-\d{3}$")]
    country_code: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None


class Receiver(Attributes):
    """Where it goes; its names are shorter than a sender's."""

    company_name: Text255 | None = None
    first_name: Annotated[str, Field(max_length=50)] | None = None
    last_name: Annotated[str, Field(max_length=50)] | None = None
    phone: Phone
    email: Email | None = None
    address: Address | None = None

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not self.company_name and not (self.first_name and self.last_name):
            raise PydanticCustomError("unnamed", "a company name, or a first and a last name")
        return self


class Shipment(Attributes):
    size: Size | None = None
    sender: Sender
    receiver: Receiver | None = None


class Draft(Attributes):
    """The whole body."""

    shipment: Shipment
    expiration_date: Annotated[AwareDatetime, BeforeValidator(_written)] | None = None
    external_reference: str | None = None
    description: Text255 | None = None


def checked(value: object, now: datetime) -> Draft:
    """Read a body, or refuse it with every field that is wrong."""
    try:
        draft = Draft.model_validate(value)
    except ValidationError as error:
        wrong = [Wrong(tuple(map(str, one["loc"])), one["msg"]) for one in error.errors(include_input=False)]
        raise Problem(400, "Validation request failed", wrong) from None
    until = draft.expiration_date
    if until is not None and not now + EARLIEST <= until <= now + LATEST:
        raise Problem(400, "Validation request failed", [Wrong(("expirationDate",), "7 to 720 days from now")])
    return draft
