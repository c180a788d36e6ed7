"""A shipment that somebody wants made, whole: in the carrier's own names, which are the contract's."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from bridge.events.catalogue import Money
from bridge.shipments.party import Party


@dataclass(frozen=True, slots=True)
class Dimensions:
    """How large a parcel is."""

    length: Decimal
    width: Decimal
    height: Decimal
    unit: str = "mm"


@dataclass(frozen=True, slots=True)
class Weight:
    """How heavy a parcel is."""

    amount: Decimal
    unit: str = "kg"


@dataclass(frozen=True, slots=True)
class Parcel:
    """One piece: a template, or its own dimensions and weight. `id` is the sender's, unique within the shipment."""

    id: str | None = field(default=None, repr=False)
    template: str | None = None
    dimensions: Dimensions | None = None
    weight: Weight | None = None
    is_non_standard: bool | None = None


@dataclass(frozen=True, slots=True)
class CustomAttributes:
    """Which locker or point it goes to, and how it is handed over."""

    target_point: str | None = None
    dropoff_point: str | None = None
    sending_method: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be made of it. Without `service` the carrier makes offers; with one it chooses and buys by itself.

    What is None is not sent. Additional services need a service.
    """

    parcels: tuple[Parcel, ...]
    receiver: Party | None = field(default=None, repr=False)
    """Missing only where `is_return` swaps it with the sender."""
    sender: Party | None = field(default=None, repr=False)
    """By default the organization."""
    custom_attributes: CustomAttributes | None = None
    cod: Money | None = None
    insurance: Money | None = None
    reference: str | None = field(default=None, repr=False)
    comments: str | None = field(default=None, repr=False)
    is_return: bool | None = None
    additional_services: tuple[str, ...] = ()
    external_customer_id: str | None = field(default=None, repr=False)
    only_choice_of_offer: bool | None = None
    """Choose the service's offer, and do not pay for it."""
    mpk: str | None = field(default=None, repr=False)
    """The name of a cost centre that there is."""
    service: str | None = None

    def __post_init__(self) -> None:
        if self.additional_services and self.service is None:
            raise ValueError("additional services need a service")
