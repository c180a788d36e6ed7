"""Which returns of a connection are to be asked about now, and when next."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from bridge.lifecycle import Clock
from bridge.reconciling.returns.pace import Pace
from bridge.store import open_returns
from bridge.store.database import Database
from bridge.store.open_returns import OpenReturn

_ENTER_AT_ONCE: Final = 1000


class Agenda:
    """The open returns of one connection, each asked about for the first time so long (`first`) after it was made.

    `has_labels`: their labels may be had later.
    """

    def __init__(
        self,
        connection: str,
        pace: Pace,
        *,
        database: Database,
        clock: Clock,
        first: timedelta = timedelta(0),
        has_labels: bool = False,
    ) -> None:
        self._connection = connection
        self._pace = pace
        self._database = database
        self._clock = clock
        self._first = first
        self._has_labels = has_labels

    async def due(self, ahead: timedelta, limit: int) -> Sequence[OpenReturn]:
        """Give returns that are to be asked about now or so soon after, the longest overdue first."""
        await self.enter()
        by = self._clock() + ahead
        return await self._database.read(lambda it: open_returns.due(it, self._connection, by, limit))

    async def enter(self) -> None:
        """Take in the returns that were made since."""
        entered = _ENTER_AT_ONCE if await self._are_entering() else 0
        while entered == _ENTER_AT_ONCE:
            entered = await self._database.write(
                lambda it: open_returns.enter(
                    it, self._connection, self._clock(), self._first, _ENTER_AT_ONCE, has_labels=self._has_labels
                )
            )

    async def looked(self, due: Sequence[OpenReturn], seen: Collection[str]) -> None:
        """Write down that these were asked about, as far as there is an answer; the others are due."""
        now = self._clock()
        looks = [(one, self._pace.next(one.moved_at, one.expires_at, now)) for one in due if one.id in seen]
        if looks:
            await self._database.write(lambda it: open_returns.looked(it, looks))

    async def oldest(self) -> datetime | None:
        """Say when the oldest open return was begun; None where nothing is open."""
        await self.enter()
        return await self._database.read(lambda it: open_returns.oldest(it, self._connection))

    async def reached(self) -> datetime | None:
        """Say up to when what the provider learned was read."""
        return await self._database.read(lambda it: open_returns.reached(it, self._connection))

    async def reach(self, until: datetime) -> None:
        """Write down how far it was read."""
        await self._database.write(lambda it: open_returns.reach(it, self._connection, until))

    async def _are_entering(self) -> bool:
        return await self._database.read(lambda it: open_returns.are_entering(it, self._connection))
