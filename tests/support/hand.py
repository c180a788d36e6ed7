"""A hand that loses nothing, for handlers that are tried by themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bridge.errors import Interrupted
from bridge.model import Progress
from bridge.store.database import Database, Unit

T = TypeVar("T")


class Told:
    """Keeps what is noted, in memory, and writes what is to be written; interrupts after so many notes."""

    def __init__(self, database: Database, interrupt_after: int = 10**6) -> None:
        self.progress: list[Progress] = []
        self._database = database
        self._most = interrupt_after

    async def step(self, write: Unit[T], progress: Callable[[T], Progress]) -> T:
        self._may_go_on()
        found = await self._database.write(write)
        self.progress.append(progress(found))
        return found

    async def keep(self, write: Unit[T], progress: Callable[[T], Progress]) -> T:
        found = await self._database.write(write)
        self.progress.append(progress(found))
        return found

    async def report(self, progress: Progress) -> None:
        self.progress.append(progress)
        self._may_go_on()

    def _may_go_on(self) -> None:
        if len(self.progress) >= self._most:
            raise Interrupted("the process is ending")
