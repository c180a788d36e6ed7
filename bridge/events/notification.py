"""What a carrier told us about a shipment, in our words, before anybody asked what is new in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.events.catalogue import Offer
from bridge.model import DeliveryId, Evidence, OrganizationId, ShipmentId


@dataclass(frozen=True, slots=True)
class StatusSeen:
    """The shipment had this raw status. A bought shipment is reported in two ways; both arrive here as `confirmed`.

    `is_bought` is what a read shows where the status has moved on: nobody may ever report `confirmed`.
    """

    status: str
    tracking_number: str | None
    return_tracking_number: str | None = None
    is_bought: bool = False

    @property
    def says_bought(self) -> bool:
        return self.is_bought or self.status == "confirmed"


@dataclass(frozen=True, slots=True)
class OffersSeen:
    """These offers were prepared, available and unavailable ones."""

    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class NothingKnown:
    """An event type nobody documented: kept and counted, without effect."""

    event: str


Content = StatusSeen | OffersSeen | NothingKnown


@dataclass(frozen=True, slots=True)
class Notification:
    """One thing said by a carrier. `at` is when it happened there; `delivery` is what brought it.

    That is a webhook, or the command that had us ask; empty where we asked of our own accord.
    """

    organization: OrganizationId
    shipment: ShipmentId | None
    at: datetime
    evidence: Evidence
    content: Content
    delivery: DeliveryId
