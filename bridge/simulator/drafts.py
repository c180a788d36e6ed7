"""What a merchant asks for: the attributes of a shipment, read as the carrier's pages describe them.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153501 (create, offer mode)
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

Text = Annotated[str, StringConstraints(max_length=255)]
Amount = Annotated[Decimal, Field(ge=0, lt=10_000_000)]
Measure = Annotated[Decimal, Field(gt=0, le=100_000)]
SendingMethod = Literal["parcel_locker", "pok", "pop", "courier_pok", "branch", "dispatch_order", "any_point"]


def _remark(text: str) -> str:
    if text and len(text) < 3:
        raise PydanticCustomError("too_short", "at least three characters, or none")
    return text


Remark = Annotated[str, StringConstraints(max_length=100), AfterValidator(_remark)]
Phone = Annotated[str, StringConstraints(pattern=r"^[0-9]{9}$")]
PostCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}-[0-9]{3}$")]


class Attributes(BaseModel):
    """One object of the request; the carrier ignores what it does not know."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Address(Attributes):
    street: Text | None = None
    building_number: Text | None = None
    line1: Text | None = None
    line2: Text | None = None
    city: Text
    post_code: PostCode
    country_code: Text = "PL"


class Party(Attributes):
    """A receiver or a sender."""

    name: Text | None = None
    company_name: Text | None = None
    first_name: Text | None = None
    last_name: Text | None = None
    email: Text | None = None
    phone: Phone | None = None
    address: Address | None = None

    @property
    def reachable_by_courier(self) -> bool:
        """Say whether a courier finds them: a company or a full name, and an address."""
        return bool(self.company_name or (self.first_name and self.last_name)) and self.address is not None

    @property
    def reachable_at_locker(self) -> bool:
        """Say whether a locker can tell them its code: a phone and an e-mail."""
        return bool(self.phone and self.email)


class Dimensions(Attributes):
    length: Measure
    width: Measure
    height: Measure
    unit: Literal["mm", "cm"] = "mm"


class Weight(Attributes):
    amount: Measure
    unit: Literal["kg"] = "kg"


class Parcel(Attributes):
    """One piece: a template, or its own size and weight."""

    id: Text | None = None
    template: Literal["small", "medium", "large"] | None = None
    dimensions: Dimensions | None = None
    weight: Weight | None = None
    is_non_standard: bool = False

    @model_validator(mode="after")
    def _measured(self) -> Self:
        if self.template is None and (self.dimensions is None or self.weight is None):
            raise PydanticCustomError("missing", "a template, or dimensions and weight")
        return self


def _listed(value: object) -> object:
    """Take one parcel that stands alone, which the carrier accepts as well (observed 2026-10-10)."""
    return [value] if isinstance(value, dict) else value


Parcels = Annotated[list[Parcel], BeforeValidator(_listed), Field(min_length=1, max_length=1000)]


class Money(Attributes):
    amount: Amount
    currency: Literal["PLN"] = "PLN"


class CustomAttributes(Attributes):
    target_point: Text | None = None
    dropoff_point: Text | None = None
    sending_method: SendingMethod | None = None


class Draft(Attributes):
    """The whole request. Rules that need the organization or several attributes are in `draft_rules`."""

    receiver: Party | None = None
    sender: Party | None = None
    parcels: Parcels
    custom_attributes: CustomAttributes = CustomAttributes()
    cod: Money | None = None
    insurance: Money | None = None
    reference: Remark | None = None
    comments: Remark | None = None
    is_return: bool = False
    additional_services: tuple[Literal["sms", "email", "saturday"], ...] = ()
    external_customer_id: Text | None = None
    only_choice_of_offer: bool = False
    mpk: Text | None = None
    service: Text | None = None

    @property
    def at_pop(self) -> bool:
        """Say whether the target is a parcel point (POP) instead of a locker."""
        return (self.custom_attributes.target_point or "").startswith("POP-")
