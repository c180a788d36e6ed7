"""What a read proves about a purchase. Reads lag behind, so "nothing to see" proves nothing by itself."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from bridge.events import statuses
from bridge.events.catalogue import Offer
from bridge.events.statuses import TrackingStatus
from bridge.purchasing.shipment import PaymentState, Shipment

_UNBOUGHT: Final = (TrackingStatus.pending, TrackingStatus.cancelled, TrackingStatus.unknown)
"""Where a shipment is before it is bought, when it never will be, and when its word says nothing."""

REASONS: Final = {
    "debt_collection": "insufficient_funds",
    "company_data_missing": "account_data_missing",
    "offer_expired": "offer_expired",
    "offer_unavailable": "offer_unavailable",
    "validation_failed": "validation",
    "invalid_parameter": "validation",
    "forbidden": "forbidden",
    "access_forbidden": "forbidden",
    "token_invalid": "forbidden",
    "unauthorized": "forbidden",
    "resource_not_found": "not_found",
}
"""ShipX's error keys in our words: https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/28639229"""


@dataclass(frozen=True, slots=True)
class Bought:
    """It is bought; `offer` is the one, where the carrier still names it."""

    offer: Offer | None


@dataclass(frozen=True, slots=True)
class NotPaid:
    """A payment made after the intent failed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Underway:
    """A payment runs: how it ends is not known, and however long that takes, it is not "not bought"."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """No trace of a purchase, so far."""


Evidence = Bought | NotPaid | Underway | Nothing


def evidence(shipment: Shipment, before: Collection[int]) -> Evidence:
    """Say what a read proves. `before` are the payments that were known when the purchase was intended."""
    succeeded = any(payment.state is PaymentState.success for payment in shipment.payments)
    if succeeded or statuses.lookup("shipx", shipment.status).tracking not in _UNBOUGHT:
        return Bought(shipment.selected)
    if any(payment.state is PaymentState.running for payment in shipment.payments):
        return Underway()
    new = [payment for payment in shipment.payments if payment.id not in before]
    failed = [payment for payment in new if payment.state is PaymentState.failure]
    if failed:
        return NotPaid(reason(max(failed, key=lambda payment: payment.id).error))
    return Nothing()


def reason(key: str | None) -> str:
    """Turn an error key into a published reason."""
    return REASONS.get(key or "", "other")
