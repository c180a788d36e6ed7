"""The carrier's clock, for the rare answer that does not tell the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_HEARD: Final = 9
_UNHEARD: Final = timedelta(seconds=-3)
"""Until it was heard, it is taken to be behind: nothing has expired by our clock alone."""
_MOST: Final = timedelta(days=1)
"""A clock that is further off than this is a mistake, and no clock."""


@dataclass(frozen=True, slots=True)
class CarrierClock:
    """How far a carrier's clock is ahead of ours: the median of what its last nine answers showed, oldest first."""

    ahead: tuple[timedelta, ...] = ()

    def heard(self, theirs: datetime, ours: datetime) -> CarrierClock:
        """Take in what an answer showed."""
        ahead = theirs - ours
        return self if abs(ahead) > _MOST else CarrierClock((*self.ahead, ahead)[-_HEARD:])

    def now(self, ours: datetime) -> datetime:
        """Give the carrier's time for one of ours."""
        return ours + (sorted(self.ahead)[len(self.ahead) // 2] if self.ahead else _UNHEARD)
