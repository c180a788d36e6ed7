"""An event loop whose time is virtual: it jumps to the next timer as soon as there is nothing left to do."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

START = datetime(2026, 3, 18, 11, 31, 58, tzinfo=UTC)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs what is ready; nothing in it may wait for a thread or a socket."""

    def __init__(self) -> None:
        super().__init__(_Impatient(self))
        self.elapsed = 0.0

    def time(self) -> float:
        return 1_000.0 + self.elapsed


class _Impatient(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found and timeout is None:
            raise AssertionError("everything waits and no timer is set: this would never end")
        if not found and timeout:
            self._loop.elapsed += timeout
        return found


class LoopClock:
    """The wall clock of that loop. `set_back` is what an operator or NTP does to it."""

    def __init__(self) -> None:
        self.set_back = timedelta(0)

    def now(self) -> datetime:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        return START + timedelta(seconds=loop.elapsed) - self.set_back

    __call__ = now


async def pass_time(seconds: float) -> None:
    """Let virtual seconds pass."""
    await asyncio.sleep(seconds)


def in_virtual_time(story: Coroutine[Any, Any, T]) -> T:
    """Run a story to its end."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(story)
