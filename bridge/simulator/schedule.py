"""What will happen later, in the order in which it is due."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.simulator.clock import Clock

Action = Callable[[], None]


@dataclass(frozen=True, order=True)
class Due:
    """One thing to do at one moment; `order` keeps things of the same moment in the order they were planned."""

    at: datetime
    order: int
    action: Action = field(compare=False)


class Schedule:
    """A heap of due actions. A loop runs it in real time; a test moves a virtual clock and runs what became due."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[Due] = []
        self._order = itertools.count()
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._heap)

    def after(self, seconds: float, action: Action) -> None:
        """Do `action` once, `seconds` from now."""
        at = self._clock.now() + timedelta(seconds=seconds)
        heapq.heappush(self._heap, Due(at, next(self._order), action))
        self._changed.set()

    def next_at(self) -> datetime | None:
        """Say when the next action is due."""
        return self._heap[0].at if self._heap else None

    def run_due(self) -> None:
        """Do everything whose moment has come."""
        while self._heap and self._heap[0].at <= self._clock.now():
            heapq.heappop(self._heap).action()

    async def run(self) -> None:
        """Do things as they become due, until cancelled."""
        while True:
            self.run_due()
            self._changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), self._seconds_to_next())

    def _seconds_to_next(self) -> float | None:
        at = self.next_at()
        return None if at is None else max(0.0, (at - self._clock.now()).total_seconds())
