"""Szybkie Zwroty has no statuses: what a code is follows from flags, and from the parcel's status once it was sent.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/98795521 (InPost Szybkie Zwroty)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from bridge.events import statuses
from bridge.events.statuses import ReturnStatus, Status, TrackingStatus
from bridge.returns.codes import ReportedCode

SOURCE: Final = "szybkie_zwroty"

SIZES: Final = frozenset({"A", "B", "C"})

_PARCEL: Final[Mapping[TrackingStatus, ReturnStatus]] = {
    TrackingStatus.pending: ReturnStatus.dropped_off,
    TrackingStatus.label_created: ReturnStatus.dropped_off,
    TrackingStatus.picked_up: ReturnStatus.dropped_off,
    TrackingStatus.in_transit: ReturnStatus.in_transit,
    TrackingStatus.out_for_delivery: ReturnStatus.in_transit,
    TrackingStatus.available_for_pickup: ReturnStatus.in_transit,
    TrackingStatus.attempt_failed: ReturnStatus.in_transit,
    TrackingStatus.exception: ReturnStatus.in_transit,
    TrackingStatus.returning: ReturnStatus.in_transit,
    TrackingStatus.delivered: ReturnStatus.delivered,
    TrackingStatus.cancelled: ReturnStatus.cancelled,
}
"""A parcel's status read from the side of whoever gets the return: delivered is delivered to the retailer."""


def raw_status(code: ReportedCode, expires_at: datetime | None, now: datetime) -> str:
    """Write what a code is, as the table of statuses names it. When it expires, only we know."""
    if code.pack_status:
        return "used=true;pack_status=*"
    if code.is_used:
        return "used=true"
    if code.is_active is None:
        return statuses.ANY_OTHER
    flags = f"active={str(code.is_active).lower()};used=false"
    return f"{flags};past_expiry" if expires_at is not None and expires_at <= now else flags


def meaning(code: ReportedCode, expires_at: datetime | None, now: datetime) -> Status:
    """Say what that means. The words for parcels are taken for ShipX's, for no page lists them (2026-10)."""
    if not code.pack_status:
        return statuses.lookup(SOURCE, raw_status(code, expires_at, now))
    found = statuses.lookup("shipx", code.pack_status.lower())
    return replace(found, returned=_PARCEL.get(found.tracking))
