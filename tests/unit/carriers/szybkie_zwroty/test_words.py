"""What a code is, from its flags, in the words of the table of statuses."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bridge.carriers.szybkie_zwroty import words
from bridge.events.statuses import ReturnStatus, TrackingStatus, tables
from bridge.returns.codes import ReportedCode

from .stage import CODE, NOW

PAST, AHEAD = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("code", "expires_at", "raw", "returned"),
    [
        (ReportedCode(CODE, is_active=False), AHEAD, "active=false;used=false", ReturnStatus.created),
        (ReportedCode(CODE, is_active=True), AHEAD, "active=true;used=false", ReturnStatus.accepted),
        (ReportedCode(CODE, is_active=True), None, "active=true;used=false", ReturnStatus.accepted),
        (ReportedCode(CODE, is_active=True), PAST, "active=true;used=false;past_expiry", ReturnStatus.expired),
        (ReportedCode(CODE, is_active=False), NOW, "active=false;used=false;past_expiry", ReturnStatus.expired),
        (ReportedCode(CODE, is_active=False, is_used=True), PAST, "used=true", ReturnStatus.dropped_off),
        (ReportedCode(CODE), AHEAD, "*", None),
    ],
)
def test_flags_have_a_row_of_their_own(
    code: ReportedCode, expires_at: datetime | None, raw: str, returned: ReturnStatus | None
) -> None:
    assert words.raw_status(code, expires_at, NOW) == raw
    assert raw in tables()[words.SOURCE]
    assert words.meaning(words.word(code, expires_at, NOW)).returned == returned


@pytest.mark.parametrize(
    ("pack_status", "tracking", "returned"),
    [
        ("delivered", TrackingStatus.delivered, ReturnStatus.delivered),
        ("DELIVERED", TrackingStatus.delivered, ReturnStatus.delivered),
        ("adopted_at_sorting_center", TrackingStatus.in_transit, ReturnStatus.in_transit),
        ("dispatched_by_sender", TrackingStatus.picked_up, ReturnStatus.dropped_off),
        ("Sent2024", TrackingStatus.unknown, None),
    ],
)
def test_a_parcels_status_is_read_from_the_side_of_the_return(
    pack_status: str, tracking: TrackingStatus, returned: ReturnStatus | None
) -> None:
    found = words.meaning(words.word(ReportedCode(CODE, is_used=True, pack_status=pack_status), None, NOW))
    assert (found.tracking, found.returned) == (tracking, returned)
