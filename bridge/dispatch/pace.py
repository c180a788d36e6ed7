"""When the carrier is asked about an order next: soon after news, then half as often, and again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bridge.dispatch.words import OrderState
from bridge.store.dispatches import Kept

FORGOTTEN: Final = timedelta(days=14)
"""Without any news for so long, nothing is expected any more: a courier comes within days, or never."""
_NOT_KNOWN_LOOKS: Final = 3
_NOT_KNOWN_FOR: Final = timedelta(days=1)
_MOST_DOUBLINGS: Final = 16


@dataclass(frozen=True, slots=True)
class Pace:
    """How often: `soonest` after news, `slowest` where nothing moves."""

    soonest: timedelta
    slowest: timedelta

    def due_at(self, kept: Kept, now: datetime) -> datetime | None:
        """Say when to ask next; None where nothing is expected any more."""
        if OrderState(kept.state).is_over or now - kept.news_at > FORGOTTEN:
            return None
        doublings = min(max(kept.quiet, kept.misses), _MOST_DOUBLINGS)
        return now + min(self.soonest * (1 << doublings), self.slowest)


def is_gone(kept: Kept, now: datetime) -> bool:
    """Say whether an order that the carrier did not know, several times, is to be given up."""
    since = kept.missed_since
    return since is not None and kept.misses >= _NOT_KNOWN_LOOKS and now - since >= _NOT_KNOWN_FOR
