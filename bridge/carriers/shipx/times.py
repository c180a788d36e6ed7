"""ShipX's two ways of writing a time, and the clock we trust it with.

Webhooks: `2026-03-20 15:08:42 +0100`, whole seconds, Polish local time; elsewhere ISO 8601 with milliseconds.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
AHEAD = timedelta(hours=1)
"""A carrier's clock that is further ahead than this is not believed, or one wrong time would outrank all later ones."""

_FORM = re.compile(r"(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.\d{1,9})? ?(Z|[+-]\d\d:?\d\d)", re.ASCII)

_LONGEST = 40


def occurred(text: str | None, received_at: datetime) -> datetime | None:
    """Read when something happened, in UTC and whole seconds; None where that cannot be read or believed."""
    if text is None or len(text) > _LONGEST:  # what is remembered below is the sender's choice, so it must be short
        return None
    moment = parse(text)
    return moment if moment is not None and EARLIEST <= moment <= received_at + AHEAD else None


@lru_cache(maxsize=4096)
def parse(text: str) -> datetime | None:
    """Read an `event_ts`."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    *parts, offset = match.groups()
    if offset != "Z" and ":" not in offset:
        offset = f"{offset[:3]}:{offset[3:]}"
    year, month, day, hour, minute, second = parts
    try:
        local = datetime.fromisoformat(f"{year}-{month}-{day}T{hour}:{minute}:{second}{offset}")
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
