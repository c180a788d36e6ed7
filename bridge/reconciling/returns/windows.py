"""The times to ask about, so that no return is missed and few calls are made. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

AROUND: Final = timedelta(days=1)
"""By so much their time of creation may be from ours: clocks differ, and nobody says for sure in which zone they go."""
_SHORTEST: Final = timedelta(seconds=2)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """A time, both ends in it."""

    since: datetime
    until: datetime

    @classmethod
    def over(cls, moments: Sequence[datetime]) -> Window:
        """Give the one that all of these are in, and what is around them."""
        return cls(min(moments) - AROUND, max(moments) + AROUND)

    @property
    def halves(self) -> tuple[Window, ...]:
        """Give it in two; none where it is too short for that."""
        if self.until - self.since < _SHORTEST:
            return ()
        middle = self.since + (self.until - self.since) / 2
        return Window(self.since, middle), Window(middle, self.until)


@dataclass(frozen=True, slots=True)
class Days:
    """Days, both ends in it."""

    since: date
    until: date

    @property
    def count(self) -> int:
        """Say how many there are."""
        return (self.until - self.since).days + 1

    @property
    def halves(self) -> tuple[Days, ...]:
        """Give them in two; none where it is a single day."""
        if self.since == self.until:
            return ()
        middle = self.since + (self.until - self.since) // 2
        return Days(self.since, middle), Days(middle + _DAY, self.until)


def windows(moments: Iterable[datetime]) -> list[Window]:
    """Give the times around these, those that meet as one."""
    found: list[Window] = []
    for moment in sorted(moments):
        if found and moment - AROUND <= found[-1].until:
            found[-1] = Window(found[-1].since, moment + AROUND)
        else:
            found.append(Window(moment - AROUND, moment + AROUND))
    return found


def days(moments: Iterable[datetime]) -> list[Days]:
    """Give the days around these, those that meet as one, in whatever zone days are counted."""
    return [Days(one.since.date(), one.until.date()) for one in windows(moments)]
