"""How far something has come that is done at the carrier once: when it was sent, and when it was looked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Self

from bridge.model import micros, moment

LEFT_BY: Final = timedelta(seconds=30)
"""After it was written down that a call is made, so long at most it takes until nothing of it leaves any more."""
ABSENT_AFTER: Final = timedelta(minutes=5)
"""What no list shows for so long is not there. On the sandbox lists lagged by up to 5.4 s (2026-10)."""
MOST_SENT: Final = 3
UNCLEAR_AFTER: Final = timedelta(hours=1)
"""Where the carrier gives no whole list for so long, nobody knows."""
PATIENCE: Final = timedelta(seconds=60)
"""What could not be sent for so long is given back."""
AGAIN: Final = timedelta(seconds=1)
"""After so long it is tried again to send what could not be sent."""
EARLIER: Final = timedelta(minutes=5)
"""So much earlier than ours the carrier's clock may say that something was made: a host may be fast."""
LIMITED: Final = 429
"""The one status that is no doubt: nothing was taken."""
_FEWEST_LISTS: Final = 2
_APART: Final = timedelta(seconds=60)
"""Lists lag, so one that was read sooner after another one proves nothing more."""
_SLOWEST_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """How far it has come.

    `sent_at` is when a call was begun whose outcome is not known yet, or when it ended so; `sent` is how many were,
    `looks` how often lists were asked for since then, `lists` how often they were whole, each a minute after the one
    before, the last of them at `listed_at`.
    """

    since: datetime
    sent_at: datetime | None = None
    sent: int = 0
    looks: int = 0
    lists: int = 0
    listed_at: datetime | None = None

    @classmethod
    def of(cls, at: Mapping[str, Any], now: datetime) -> Self:
        """Go on from what was written down. An older version counted lists however close they were: those count not."""
        listed_at = _moment(at, "listed_at")
        return cls(
            _moment(at, "since") or now,
            _moment(at, "sent_at"),
            at.get("sent", 0),
            at.get("looks", 0),
            0 if listed_at is None else at.get("lists", 0),
            listed_at,
        )

    def written(self) -> dict[str, object]:
        """Write it down."""
        return {
            "since": micros(self.since),
            "sent_at": None if self.sent_at is None else micros(self.sent_at),
            "sent": self.sent,
            "looks": self.looks,
            "lists": self.lists,
            "listed_at": None if self.listed_at is None else micros(self.listed_at),
        }

    def sending(self, now: datetime) -> Self:
        """Take note that a call is about to be made."""
        return replace(self, sent_at=now, sent=self.sent + 1, looks=0, lists=0, listed_at=None)

    def unsent(self) -> Self:
        """Take note that nothing left after all."""
        return replace(self, sent_at=None, sent=self.sent - 1)

    def doubted(self, now: datetime) -> Self:
        """Take note that the call has ended, and nobody knows what became of it: until now it may have been at work."""
        return replace(self, sent_at=now)

    def looked(self, began_at: datetime, *, was_whole: bool) -> Self:
        """Take note that the lists were asked."""
        seen = replace(self, looks=self.looks + 1)
        if not was_whole or (self.listed_at is not None and began_at < self.listed_at + _APART):
            return seen
        return replace(seen, lists=self.lists + 1, listed_at=began_at)

    def again(self) -> Self:
        """Take note that nothing came of the call, so another may be made."""
        return replace(self, sent_at=None, looks=0, lists=0, listed_at=None)

    def is_absent(self, now: datetime, after: timedelta = ABSENT_AFTER) -> bool:
        """Say whether what was sent is not there, and will not be."""
        return self._is_older(after, now) and self.lists >= _FEWEST_LISTS

    def is_hopeless(self, now: datetime) -> bool:
        """Say whether nobody will find out any more what became of it."""
        return self._is_older(UNCLEAR_AFTER, now)

    @property
    def look_in(self) -> timedelta:
        """Say after how long the next look is worth it: twice as long as after the one before."""
        return timedelta(seconds=min(2.0 * 2**self.looks, _SLOWEST_S))

    def _is_older(self, age: timedelta, now: datetime) -> bool:
        return self.sent_at is not None and now >= self.sent_at + LEFT_BY + age


def _moment(at: Mapping[str, Any], name: str) -> datetime | None:
    found = at.get(name)
    return None if found is None else moment(found)
