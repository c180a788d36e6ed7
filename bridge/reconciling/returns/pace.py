"""When a return is to be asked about next: often while it is young or moves, ever more seldom in silence. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_SHARE: Final = 24
"""It is asked about again after this part of the time in which nothing moved: after a day of silence, every hour."""
_FORGOTTEN: Final = timedelta(days=90)
"""Without any news for so long, and no more use for it, nothing is expected any more."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often returns are asked about: from `every`, just after news, down to `slowest`."""

    every: timedelta
    slowest: timedelta

    def next(self, moved_at: datetime, expires_at: datetime | None, now: datetime) -> datetime | None:
        """Say when to ask again about one that last moved then; None where nothing is expected any more."""
        if now - max(moved_at, expires_at or moved_at) > _FORGOTTEN:
            return None
        return now + self.after(now - moved_at)

    def after(self, quiet: timedelta) -> timedelta:
        """Say how long to wait, after so long a silence."""
        return max(self.every, min(quiet / _SHARE, self.slowest))
