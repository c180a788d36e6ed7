"""What is asked for where shipments are to be made: the carrier's names, its documented rules, checked field by field.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153501 (attributes), …/18153502 (batches),
…/47415642 (offer mode), …/451903492 (FAQ)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ModelWrapValidatorHandler,
    PlainSerializer,
    StrictBool,
    ValidationError,
    model_validator,
)

from bridge.commands.models import Body
from bridge.shipments import rules
from bridge.shipments.likeness import Likeness, Person
from bridge.web.bodies import field_errors
from bridge.web.fields import Number
from bridge.web.problems import FieldError

MOST_AT_ONCE: Final = 500
"""So many shipments one request may hold; the carrier takes 2,500 in a batch, which no request body has room for."""


class _Part(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", hide_input_in_errors=True)

    def __repr_args__(self) -> Sequence[tuple[str | None, Any]]:
        """Show nothing: nearly all of it is about people."""
        return ()


def _without_prefix(value: object) -> object:
    """Take a number as people write it."""
    return _PREFIX.sub("", _GAPS.sub("", value)) if isinstance(value, str) else value


_PREFIX, _GAPS = re.compile(r"^(\+|00)48"), re.compile(r"[ -]")


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")


Exact = Annotated[Decimal, PlainSerializer(_plain, return_type=str)]
"""A decimal, written in one way for each value."""
_NINE_DIGITS = Field(
    pattern=r"^[0-9]{9}$",
    description="Nine digits, also with a Polish prefix, with spaces or dashes",
    json_schema_extra={"pattern": r"^[ -]*((\+|00)[ -]*4[ -]*8[ -]*)?([0-9][ -]*){9}$"},
)
Line = Annotated[
    str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$")
]
Remark = Annotated[str, Field(min_length=3, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
Point = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{3,30}$")]
Length = Annotated[Exact, Field(gt=0, le=100_000, max_digits=10, decimal_places=3)]
Phone = Annotated[str, BeforeValidator(_without_prefix), _NINE_DIGITS]
Email = Annotated[
    str, Field(max_length=255, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\.[^@\s\x00-\x1f\x7f.]+$")
]
Service = Annotated[str, Field(pattern=r"^[a-z0-9_]{3,64}$")]


class Amount(_Part):
    """Money."""

    amount: Annotated[Exact, Field(ge=1, lt=10_000_000, max_digits=9, decimal_places=2)]
    currency: Literal["PLN"] = "PLN"


class Address(_Part):
    """Where somebody lives, in parts or in the lines of older programs."""

    street: Line | None = None
    building_number: Annotated[Line, Field(max_length=20)] | None = None
    line1: Line | None = None
    line2: Line | None = None
    city: Line
    post_code: Annotated[str, Field(pattern=r"^[0-9]{2}-[0-9]{3}$")]
    country_code: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "PL"


class Party(_Part):
    """Who sends or gets it. Never for logs."""

    company_name: Line | None = None
    first_name: Line | None = None
    last_name: Line | None = None
    email: Email | None = None
    phone: Phone | None = None
    """Nine digits, as the carrier takes it; a Polish prefix is taken off."""
    address: Address | None = None


class Dimensions(_Part):
    """How large a parcel is."""

    length: Length
    width: Length
    height: Length
    unit: Literal["mm"] = "mm"


class Weight(_Part):
    """How heavy a parcel is."""

    amount: Annotated[Exact, Field(gt=0, le=10_000, max_digits=8, decimal_places=3)]
    unit: Literal["kg"] = "kg"


class Parcel(_Part):
    """One parcel: by a template, or by its dimensions and weight."""

    id: Line | None = None
    template: Literal["small", "medium", "large"] | None = None
    dimensions: Dimensions | None = None
    weight: Weight | None = None
    is_non_standard: StrictBool = False


class CustomAttributes(_Part):
    """Where a parcel is given up and picked up."""

    target_point: Point | None = None
    dropoff_point: Point | None = None
    sending_method: (
        Literal["parcel_locker", "pok", "pop", "courier_pok", "branch", "dispatch_order", "any_point"] | None
    ) = None


class ShipmentAsked(_Part):
    """A shipment that is to be made."""

    organization_id: Number | None = None
    mode: Literal["offer", "simplified"] = "offer"
    service: Service | None = None
    receiver: Party | None = None
    sender: Party | None = None
    parcels: Annotated[tuple[Parcel, ...], Field(min_length=1, max_length=1000)]
    custom_attributes: CustomAttributes = CustomAttributes()
    cod: Amount | None = None
    insurance: Amount | None = None
    reference: Remark | None = None
    is_return: StrictBool = False
    additional_services: tuple[Literal["sms", "email", "saturday"], ...] = ()
    external_customer_id: Annotated[Line, Field(max_length=64)] | None = None
    only_choice_of_offer: StrictBool = False
    mpk: Line | None = None
    comments: Remark | None = None

    @model_validator(mode="before")
    @classmethod
    def _empty_is_none(cls, data: Any) -> Any:
        """Take what the carrier lets be empty for not said."""
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if not (key in _MAY_BE_EMPTY and value == "")}

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        """Check what one field means for another."""
        if found := rules.broken(self):
            raise ValidationError.from_exception_data(type(self).__name__, [one.line for one in found])
        return self


_MAY_BE_EMPTY: Final = frozenset({"reference", "mpk", "comments", "is_return"})


def likeness(asked: ShipmentAsked) -> Likeness:
    """Say by what it can be known again once it is made."""
    ends = [one for one in (asked.receiver, asked.sender if asked.is_return else None) if one is not None]
    return Likeness(
        people=frozenset(_person(one).digest for one in ends),
        reference=asked.reference,
        mpk=asked.mpk,
        target_point=asked.custom_attributes.target_point,
        cod=None if asked.cod is None else asked.cod.amount,
        parcels=len(asked.parcels),
    )


def _person(party: Party) -> Person:
    return Person(party.email, party.phone, None if party.address is None else party.address.post_code)


class CreateShipments(Body):
    """Make a shipment, or many: then each stands for itself, and what is wrong with one is no other's trouble."""

    operation: ClassVar[str] = "shipment.create"

    @model_validator(mode="wrap")
    @classmethod
    def _one_or_many(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Any:
        if cls is not CreateShipments or isinstance(data, CreateShipments):
            return handler(data)
        is_many = isinstance(data, dict) and "shipments" in data
        return (CreateMany if is_many else CreateOne).model_validate(data)

    @property
    def wanted(self) -> Sequence[ShipmentAsked | Sequence[FieldError]]:
        """Give each one, or what is wrong with it."""
        raise NotImplementedError

    @property
    def organization(self) -> int | None:
        """Say whose they are to be, where that was said."""
        raise NotImplementedError


class CreateOne(CreateShipments, ShipmentAsked):
    """Make a shipment."""

    @property
    def wanted(self) -> Sequence[ShipmentAsked]:
        return [self]

    @property
    def organization(self) -> int | None:
        return self.organization_id


_MANY: Final = Field(
    min_length=1,
    max_length=MOST_AT_ONCE,
    repr=False,
    description="Each as one alone; what is wrong with one is told in its result, and is no other's trouble",
)


class CreateMany(CreateShipments):
    """Make many shipments of one organization, by one call where that can be."""

    organization_id: Number | None = None
    shipments: Annotated[tuple[dict[str, JsonValue], ...], _MANY]

    @property
    def wanted(self) -> Sequence[ShipmentAsked | Sequence[FieldError]]:
        return [self._one(each) for each in self.shipments]

    @property
    def organization(self) -> int | None:
        return self.organization_id

    def _one(self, each: Mapping[str, JsonValue]) -> ShipmentAsked | Sequence[FieldError]:
        try:
            one = ShipmentAsked.model_validate(each)
        except ValidationError as error:
            return field_errors(error)
        if one.organization_id not in (None, self.organization_id):
            return [
                FieldError(
                    "organization_id", "unexpected", "all of a batch are of one organization: say it beside shipments"
                )
            ]
        return one
