"""How far a command has come that changes something about a shipment that is there. A value, with its times.

What it asks for may be asked for twice: an offer is selected, and a shipment is cancelled, no more than once. So where
an answer is lost and reads show no effect, it is sent again; only reads end it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Self

from bridge.model import Progress, micros, moment
from bridge.shipping.attempt import MOST_SENT, PATIENCE

SHOWS_WITHIN: Final = timedelta(seconds=20)
"""An effect that no read shows for so long is none."""
LASTS: Final = timedelta(seconds=3)
"""What reads show over so long stays. The carrier's own purchase overwrote a cancel 0.36 s later (2026-10-10)."""
UNREAD_FOR: Final = timedelta(minutes=10)
"""Where the carrier shows nothing for so long, nobody knows."""
_LOST_AFTER: Final = timedelta(seconds=4)
_ENOUGH_READS: Final = 3
_SLOWEST_S: Final = 10.0

Answer = Literal["accepted", "refused", "lost"]


@dataclass(frozen=True, slots=True)
class Course:
    """How far it has come.

    `sent_at` is when a call was begun last, `sent` how many were, `answer` how it ended as far as that is known, `key`
    the carrier's word for a refusal. `reads` counts those since; `seen_at` is when the effect was first seen, `seen`
    how often.
    """

    since: datetime
    sent_at: datetime | None = None
    sent: int = 0
    answer: Answer = "lost"
    key: str | None = None
    reads: int = 0
    seen_at: datetime | None = None
    seen: int = 0

    @classmethod
    def of(cls, at: Mapping[str, Any], now: datetime) -> Self:
        """Go on from what was written down."""
        return cls(
            _read(at.get("since")) or now,
            _read(at.get("sent_at")),
            at.get("sent", 0),
            at.get("answer", "lost"),
            at.get("key"),
            at.get("reads", 0),
            _read(at.get("seen_at")),
            at.get("seen", 0),
        )

    @property
    def progress(self) -> Progress:
        """Write it down."""
        return Progress(
            at={
                "since": micros(self.since),
                "sent_at": _written(self.sent_at),
                "sent": self.sent,
                "answer": self.answer,
                "key": self.key,
                "reads": self.reads,
                "seen_at": _written(self.seen_at),
                "seen": self.seen,
            },
            is_sent=self.sent > 0,
        )

    def sending(self, now: datetime) -> Self:
        """Take note that a call is about to be made."""
        return replace(self, sent_at=now, sent=self.sent + 1, answer="lost", key=None, reads=0)

    def answered(self, answer: Answer, key: str | None = None) -> Self:
        """Take note of how it ended."""
        return replace(self, answer=answer, key=key)

    def read(self) -> Self:
        """Take note of a read that shows no effect."""
        return replace(self, reads=self.reads + 1)

    def saw(self, now: datetime) -> Self:
        """Take note of a read that shows the effect."""
        return replace(self, reads=self.reads + 1, seen=self.seen + 1, seen_at=self.seen_at or now)

    def lasts(self, now: datetime) -> bool:
        """Say whether the effect was seen for long enough."""
        return self.seen >= _ENOUGH_READS and self.seen_at is not None and now >= self.seen_at + LASTS

    def may_send_again(self, now: datetime) -> bool:
        """Say whether a call without an answer seems to have had no effect, and may be made once more."""
        is_lost = self.answer == "lost" and self.reads >= _ENOUGH_READS and self._is_older(_LOST_AFTER, now)
        return is_lost and self.sent < MOST_SENT

    def is_over(self, now: datetime) -> bool:
        """Say whether nothing will come of it any more."""
        if self.answer == "refused" and self.sent == 1:
            return True  # nothing can come of this one, and there is no other
        return self.reads >= _ENOUGH_READS and self._is_older(SHOWS_WITHIN, now)

    def is_hopeless(self, now: datetime) -> bool:
        """Say whether nobody could find out for so long what became of it."""
        return self._is_older(UNREAD_FOR, now)

    def is_patient(self, now: datetime) -> bool:
        """Say whether it may still wait for its turn."""
        return now <= self.since + PATIENCE

    @property
    def look_in(self) -> timedelta:
        """Say after how long the next read is worth it."""
        if self.seen:
            return LASTS / 2
        return timedelta(seconds=min(1.0 * 2**self.reads, _SLOWEST_S))

    def _is_older(self, age: timedelta, now: datetime) -> bool:
        return self.sent_at is not None and now >= self.sent_at + age


def _read(value: int | None) -> datetime | None:
    return None if value is None else moment(value)


def _written(value: datetime | None) -> int | None:
    return None if value is None else micros(value)
