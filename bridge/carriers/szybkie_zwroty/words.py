"""Szybkie Zwroty has no statuses: what a code is follows from flags, and from the parcel's status once it was sent.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/98795521 (InPost Szybkie Zwroty)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
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


_WORDS: Final[Mapping[str, str]] = {
    "active=false;used=false": "code:inactive",
    "active=true;used=false": "code:active",
    "active=true;used=false;past_expiry": "code:active_past_expiry",
    "active=false;used=false;past_expiry": "code:inactive_past_expiry",
    "used=true": "code:used",
    statuses.ANY_OTHER: "code:unknown",
}
"""What stands for a row of flags where a word is needed. No word for a parcel has a colon."""
_FLAGS: Final[Mapping[str, str]] = {word: raw for raw, word in _WORDS.items()}


def word(code: ReportedCode, expires_at: datetime | None, now: datetime) -> str:
    """Say in a word what a code is: the parcel's own one, once it has one."""
    return code.pack_status.lower() if code.pack_status else _WORDS[raw_status(code, expires_at, now)]


@lru_cache(maxsize=1024)
def meaning(word: str) -> Status:
    """Say what a word means. Those for parcels are taken for ShipX's, for no page lists them (2026-10)."""
    if word in _FLAGS:
        return statuses.lookup(SOURCE, _FLAGS[word])
    found = statuses.lookup("shipx", word)
    return replace(found, returned=_PARCEL.get(found.tracking))
