"""When a purchase is looked at again: pure rules over how often that was done, and over what is at stake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bridge.store.purchase import Purchase

READS: Final = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds between the reads of a purchase that was asked for: an effect shows within some seconds."""
RETRIES: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between attempts while a window is open."""
STRANGERS: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 60.0)
"""The same for what the carrier does not know: most likely a forged id."""
_CLOSED: Final = timedelta(seconds=60)
"""Between attempts when it is not open any more, and they have been slow for a while."""
_PATIENT: Final = 5


def again(
    purchase: Purchase, delays: Sequence[float], now: datetime, *, not_before: datetime | None = None
) -> Purchase:
    """Look at it once more, later each time."""
    wait = timedelta(seconds=delays[min(purchase.attempts, len(delays) - 1)])
    if delays is RETRIES and purchase.attempts >= _PATIENT and now >= purchase.deadline:
        wait = _CLOSED
    due = max(now + wait, not_before or now)
    return replace(purchase, due_at=due, attempts=purchase.attempts + 1)


def soon(purchase: Purchase, seconds: float, now: datetime) -> Purchase:
    """Look at it once more then, as if it was the first time."""
    return replace(purchase, due_at=now + timedelta(seconds=seconds), attempts=0)
