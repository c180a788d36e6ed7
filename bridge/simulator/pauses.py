"""Calls that wait, in real or virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bridge.simulator.schedule import Schedule


class Pauses:
    """Lets calls wait by the schedule, and knows when those that were woken have done what they waited for."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._awake = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    @asynccontextmanager
    async def after(self, seconds: float) -> AsyncIterator[None]:
        """Enter the context so many seconds from now."""
        woken = asyncio.get_running_loop().create_future()
        self._schedule.after(seconds, lambda: self._wake(woken))
        try:
            await woken
            yield
        finally:
            if not woken.cancelled():
                self._leave()

    async def settle(self) -> None:
        """Wait until everybody who was woken is done or waits again."""
        await self._quiet.wait()

    def _wake(self, woken: asyncio.Future[None]) -> None:
        if not woken.done():  # its caller has gone meanwhile
            self._awake += 1
            self._quiet.clear()
            woken.set_result(None)

    def _leave(self) -> None:
        self._awake -= 1
        if not self._awake:
            self._quiet.set()
