"""How long the work of a process that was killed lies about before others have it."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import dataclass
from typing import Final

import psycopg

from tests.faults.books import Books

WORK: Final = "relay/%"
_LOOK_S: Final = 0.2
_LONGEST_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Takeover:
    """Measured from the kill, while the database was there all the time."""

    at: float
    """On the monotonic clock."""
    seconds: float


class Takeovers:
    """Watches the leases after each kill."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._watching: set[asyncio.Task[None]] = set()
        self.measured: list[Takeover] = []

    def watch(self, pid: int) -> None:
        """Begin to watch, just after the process died."""
        task = asyncio.create_task(self._watch(f"{socket.gethostname()}-{pid}-%", time.monotonic()))
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)

    async def end(self) -> None:
        """Watch no more."""
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)

    async def _watch(self, holder: str, killed: float) -> None:
        held = await self._held(holder)
        if not held:
            return
        while held and time.monotonic() - killed < _LONGEST_S:
            await asyncio.sleep(_LOOK_S)
            held = await self._held(holder)
        if held is not None:
            self.measured.append(Takeover(killed, time.monotonic() - killed))

    async def _held(self, holder: str) -> int | None:
        """Count what still has the dead holder's name; None where the database cannot tell."""
        try:
            return await asyncio.to_thread(
                self._books.count, f"leases WHERE name LIKE '{WORK}' AND holder LIKE '{holder}'"
            )
        except psycopg.Error:
            return None
