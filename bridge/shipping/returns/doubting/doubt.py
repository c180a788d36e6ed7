"""How long a return that may have been made is looked for, and how often. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bridge.shipping.attempt import EARLIER, LEFT_BY
from bridge.store.doubtful_returns import LOOKED_FOR, Doubt
from bridge.store.returns import Kept

HOLDS_UP: Final = 2 * EARLIER + timedelta(minutes=1)
"""So long after a doubt began, nothing is made for its sender: by no clock can a ticket then be of either."""
_SOONEST: Final = timedelta(minutes=1)
_LATEST: Final = timedelta(hours=3)
_OF_ITS_AGE: Final = 4
"""After a quarter of the time that it has been in doubt it is looked for again."""


def begun(kept: Kept, now: datetime, since: datetime | None = None) -> Doubt:
    """Doubt whether a return was made: something of a call may still leave that was begun by now.

    Of a code that lay there before, its provider has the earlier time (`since`).
    """
    until = max(now, kept.begun_at) + LEFT_BY  # another process began it, whose clock may be ahead
    return Doubt(kept.id, kept.connection, since or kept.begun_at, until, now + _SOONEST, kept.sender)


def rest(doubt: Doubt, now: datetime) -> timedelta | None:
    """Say for how long still nothing is made for its sender; None where that is over, or nobody was held up."""
    held_up_until = doubt.until + HOLDS_UP
    return held_up_until - now if doubt.sender is not None and now < held_up_until else None


def looked(doubt: Doubt, now: datetime, showed: str) -> Doubt:
    """Take note of a look that did not settle it; the next one is later, or there is none."""
    age = now - doubt.until
    rest = min(max(age / _OF_ITS_AGE, _SOONEST), _LATEST)
    look_at = now + rest if age < LOOKED_FOR else None
    return replace(doubt, looks=doubt.looks + 1, looked_at=now, showed=showed, look_at=look_at)
