"""A pace that several keep together."""

from __future__ import annotations

import asyncio


class Pace:
    """So many a second, evenly, without making up for what was missed."""

    def __init__(self, per_second: float) -> None:
        self._step = 1 / per_second
        self._next = 0.0

    async def wait(self) -> None:
        """Wait for one's turn."""
        now = asyncio.get_running_loop().time()
        self._next = max(self._next + self._step, now - 1)
        await asyncio.sleep(max(self._next - now, 0))
