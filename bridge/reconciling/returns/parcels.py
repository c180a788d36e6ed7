"""Parcels of a platform: what it learned since the last look, of all of them together; now and then of one alone.

How far that was read is kept by the platform's own clock: up to the last thing that it had learned, and never beyond
our now. So its clock may go before ours or behind it, and nothing falls between two looks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from bridge.lifecycle import Clock, Stop
from bridge.limits.connection import Purpose
from bridge.ports.return_platform import ReturnPlatform
from bridge.reconciling.returns.agenda import Agenda
from bridge.reconciling.returns.learning import Learning
from bridge.reconciling.returns.look import Look, at_parcel, at_return
from bridge.reconciling.returns.skipping import skipping
from bridge.reconciling.returns.windows import AROUND
from bridge.returns.progress import Progress
from bridge.store.open_returns import OpenReturn

OVERLAP: Final = timedelta(minutes=15)
"""How much is read once more every time: what was learned at one moment may show a little later."""
_AT_ONCE: Final = 500
"""How many parcels are taken in at once."""
_MOST_ALONE: Final = 20
"""How many one round asks about alone."""


class Parcels:
    """Asks about the parcels of one connection."""

    def __init__(
        self,
        connection: str,
        platform: ReturnPlatform,
        learning: Learning,
        agenda: Agenda,
        *,
        clock: Clock,
        stop: Stop,
    ) -> None:
        self._connection = connection
        self._platform = platform
        self._learning = learning
        self._agenda = agenda
        self._clock = clock
        self._stop = stop

    async def look(self) -> None:
        """Ask for what is new, then about those that nothing was heard of for long. Raises StoreError."""
        oldest = await self._agenda.oldest()
        if oldest is None:
            return
        with skipping(self._connection, "parcels"):
            await self._ask(oldest)
            for one in await self._agenda.due(timedelta(0), _MOST_ALONE):
                if self._stop:
                    return
                await self._ask_alone(one)
                await self._agenda.looked([one], {one.id})

    async def _ask(self, oldest: datetime) -> None:
        """Take in what was learned since; how far it was read counts once all of it is in."""
        now = self._clock()
        reached = await self._agenda.reached()
        since = oldest - AROUND if reached is None else reached - OVERLAP
        last: list[datetime] = []
        async for some in _together(self._platform.learned(since, now + AROUND)):
            if self._stop:
                return
            await self._take(some, now)
            last += [max(scan.learned_at or scan.at for one in some for scan in one.scans)]
        if last:
            await self._agenda.reach(min(now, max(last)))

    async def _take(self, some: Sequence[Progress], asked_at: datetime) -> None:
        """Take parcels in: by our own id, where they have it, or else by their number."""
        ours = {one.external_id: one for one in some if one.external_id is not None}
        found = await self._learning.take("id", {id_: _reading(one, asked_at) for id_, one in ours.items()})
        others = {one.tracking_number: one for one in some if one.external_id not in found}
        await self._learning.take("tracking_number", {it: _reading(one, asked_at) for it, one in others.items()})

    async def _ask_alone(self, one: OpenReturn) -> None:
        """See under which number it goes, where that is not known yet, then where it has been."""
        asked_at, number = self._clock(), one.tracking_number
        if number is None:
            found = await self._platform.find(one.id, Purpose.tracking)
            if found is None:
                return
            look = at_return(found, asked_at)
            await self._learning.take("id", {one.id: partial(_read, look)})
            number = found.tracking_number
        if number is not None:
            progress = await self._platform.track(number)
            await self._learning.take("id", {one.id: _reading(progress, asked_at)})


async def _together(parts: AsyncIterator[Progress]) -> AsyncIterator[Sequence[Progress]]:
    """Give many parcels at once, each with all its scans of that many: one may come in several parts."""
    gathered: dict[str, Progress] = {}
    async for one in parts:
        if not one.scans:
            continue
        before = gathered.get(one.tracking_number)
        gathered[one.tracking_number] = one if before is None else replace(before, scans=before.scans + one.scans)
        if len(gathered) == _AT_ONCE:
            yield list(gathered.values())
            gathered = {}
    if gathered:
        yield list(gathered.values())


def _reading(progress: Progress, asked_at: datetime) -> partial[Look]:
    return partial(_read, at_parcel(progress, asked_at))


def _read(look: Look, _return: OpenReturn) -> Look:
    return look
