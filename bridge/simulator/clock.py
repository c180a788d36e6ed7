"""Where the simulator takes its time from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tell the time; everything that waits goes through the schedule instead."""

    def now(self) -> datetime:
        """Give the current moment, aware and in UTC."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class VirtualClock:
    """Time that stands still until it is moved, so that five minutes of waiting cost a test nothing."""

    def __init__(self, start: datetime = datetime(2026, 3, 18, 11, 31, 58, 279_000, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def move_to(self, moment: datetime) -> None:
        """Jump forward to `moment`; time never runs backwards."""
        self._now = max(self._now, moment)
