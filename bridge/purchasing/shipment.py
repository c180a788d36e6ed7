"""What the carrier says of a shipment when it is asked: the only thing that may move money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bridge.events.catalogue import Offer
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
