"""What the carrier says of a shipment when it is asked: the only thing that may move money."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from bridge.events.catalogue import Money, Offer
from bridge.model import OfferId, ShipmentId


class PaymentState(StrEnum):
    """How a payment stands. A word nobody documented counts as running: it proves nothing."""

    running = "running"
    success = "success"
    failure = "failure"


@dataclass(frozen=True, slots=True)
class Payment:
    """One attempt to pay, ours or anybody's. `error` is the carrier's key for a failure."""

    id: int
    state: PaymentState
    offer: OfferId | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Traits:
    """What a policy may go by, beside the offers. It is matched and forgotten: references may name a person."""

    mpk: str | None = field(default=None, repr=False)
    external_customer_id: str | None = field(default=None, repr=False)
    reference: str | None = field(default=None, repr=False)
    cod: Money | None = None
    insurance: Money | None = None
    receiver: Literal["locker", "address"] | None = None
    """Whether it goes to a locker or another point, or to an address."""
    weight_kg: Decimal | None = None
    """The sum of its parcels, where each weight is known."""
    created_at: datetime | None = None
    parcels: int = 1
    target_point: str | None = None
    is_return: bool = False
    templates: tuple[str, ...] | None = None
    """The sizes that its parcels were given, in order of the words; None where one was measured instead."""
    people: frozenset[str] = field(default=frozenset(), repr=False)
    """A digest of each end, by which the same person is known again."""


@dataclass(frozen=True, slots=True)
class Shipment:
    """A shipment as read. `at` is the carrier's own clock, `changed_at` when it says the shipment last changed."""

    id: ShipmentId
    status: str
    at: datetime
    changed_at: datetime
    tracking_number: str | None
    return_tracking_number: str | None
    service: str | None
    """The service requested at creation: then the carrier buys by itself."""
    selected: Offer | None
    offers: tuple[Offer, ...]
    payments: tuple[Payment, ...]
    traits: Traits = Traits()

    def can_sell(self, offer: Offer) -> bool:
        """Say whether one of its offers can still be bought, by the carrier's clock."""
        return offer.status in ("available", "selected") and not (offer.expires_at and offer.expires_at <= self.at)


@dataclass(frozen=True, slots=True)
class Choice:
    """An offer of a shipment, chosen to be bought."""

    shipment: ShipmentId
    offer: OfferId
