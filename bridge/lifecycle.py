"""Loops that end when asked: bells to wake them, a stop they all hear, and a watch that lets none die unnoticed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

import structlog

log = structlog.get_logger()

Clock = Callable[[], datetime]
Loop = Callable[[], Awaitable[None]]


def utc_now() -> datetime:
    """Give the time of this machine."""
    return datetime.now(UTC)


class Bell:
    """Wakes one loop. Rings are not counted: a loop looks for all there is to do."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake whoever waits, or whoever waits next."""
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Wait for a ring, at most this long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        self._rung.clear()


class Stop:
    """The end, announced once; it rings every bell so that nobody sleeps through it."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._bells: list[Bell] = []

    def bell(self) -> Bell:
        """Make a bell that also rings when the end is announced."""
        bell = Bell()
        self._bells.append(bell)
        return bell

    def forget(self, bell: Bell) -> None:
        """Let go of a bell that nobody waits at any more."""
        self._bells.remove(bell)

    def __bool__(self) -> bool:
        return self._event.is_set()

    def announce(self) -> None:
        """Ask every loop to finish."""
        self._event.set()
        for bell in self._bells:
            bell.ring()

    async def wait(self) -> None:
        """Wait for the end to be announced."""
        await self._event.wait()


class Loops:
    """Named loops of this process. One that crashes ends the process: a restart is honest, a silent half is not."""

    def __init__(self, on_crash: Callable[[], None]) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._on_crash = on_crash
        self.crashed: str | None = None

    def start(self, name: str, loop: Loop) -> None:
        """Run a loop until it returns."""
        task = asyncio.create_task(_run(loop), name=name)
        self._tasks[name] = task
        task.add_done_callback(self._ended)

    def running(self) -> dict[str, bool]:
        """Say of every loop whether it runs."""
        return {name: not task.done() for name, task in self._tasks.items()}

    async def finish(self, seconds: float) -> list[str]:
        """Wait for the loops to end by themselves, then cancel the rest, and name those."""
        waiting = [task for task in self._tasks.values() if not task.done()]
        if not waiting:
            return []
        _, late = await asyncio.wait(waiting, timeout=max(seconds, 0))
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return sorted(task.get_name() for task in late)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is None:
            return
        self.crashed = task.get_name()
        log.error("loop.crashed", loop=task.get_name(), exc_info=task.exception())
        self._on_crash()


async def _run(loop: Loop) -> None:
    await loop()
