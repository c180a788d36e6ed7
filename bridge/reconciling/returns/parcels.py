"""Parcels of a platform: what it learned since the last look, of all of them together; now and then of one alone.

How far that was read is kept by the platform's own clock: up to the last thing that it had learned, and never beyond
our now. So its clock may go before ours or behind it, and nothing falls between two looks. What is so long ago that it
is past by any clock is read day by day, and each day counts once all of it is in.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

import structlog

from bridge.errors import CarrierRefused, CarrierUnavailable, NoPermit
from bridge.lifecycle import Clock, Stop
from bridge.limits.connection import Purpose
from bridge.ports.return_platform import ReturnPlatform
from bridge.reconciling.returns.agenda import Agenda
from bridge.reconciling.returns.changes import shown
from bridge.reconciling.returns.learning import Learning
from bridge.reconciling.returns.look import at_parcel, at_return
from bridge.reconciling.returns.skipping import skipping
from bridge.reconciling.returns.windows import AROUND
from bridge.returns.progress import Progress
from bridge.returns.refusals import ACCOUNT_WIDE
from bridge.store.open_returns import OpenReturn

log = structlog.get_logger()

OVERLAP: Final = timedelta(minutes=15)
"""How much is read once more every time: what was learned at one moment may show a little later."""
_DAY: Final = timedelta(days=1)
_AT_ONCE: Final = 500
"""How many parcels are taken in at once."""
_IN_A_ROW: Final = 3
"""So many that cannot be read one after another are no matter of the parcels: the round ends."""
_TOO_MANY: Final = 429
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
            await self._ask_for_all(oldest)
            await self._each_alone(await self._agenda.due(timedelta(0), _MOST_ALONE))

    async def _ask_for_all(self, oldest: datetime) -> None:
        """Ask for what is new. That this cannot be had, though there is an answer, keeps nobody from asking for one."""
        try:
            await self._ask(oldest)
        except (CarrierUnavailable, CarrierRefused) as error:
            if _is_about_us(error) or (isinstance(error, CarrierUnavailable) and error.status != HTTPStatus.OK):
                raise
            log.warning("returns.not_learned", connection=self._connection, reason=str(error))

    async def _ask(self, oldest: datetime) -> None:
        """Take in what was learned since, but for what was learned before anything that is open was begun."""
        now = self._clock()
        reached = await self._agenda.reached()
        since = oldest - AROUND if reached is None else max(reached - OVERLAP, oldest - AROUND)
        while (until := since + _DAY) <= now - AROUND:
            if self._stop or await self._read(since, until, now) is None:
                return
            await self._agenda.reach(until)
            since = until - OVERLAP
        last = await self._read(since, now + AROUND, now)
        if last is not None and last > since:
            await self._agenda.reach(min(now, last))

    async def _read(self, since: datetime, until: datetime, asked_at: datetime) -> datetime | None:
        """Take in what was learned in a time; gives when the last of it was, or None where the end came before."""
        last = since
        async for some in _together(self._platform.learned(since, until)):
            if self._stop:
                return None
            await self._take(some, asked_at)
            last = max(last, *(scan.learned_at or scan.at for one in some for scan in one.scans))
        return last

    async def _take(self, some: Sequence[Progress], asked_at: datetime) -> None:
        """Take parcels in: by our own id, where they have it, or else by their number."""
        ours = {one.external_id: one for one in some if one.external_id is not None}
        found = await self._learning.take("id", {id_: shown(at_parcel(one, asked_at)) for id_, one in ours.items()})
        others = {one.tracking_number: one for one in some if one.external_id not in found}
        await self._learning.take(
            "tracking_number", {it: shown(at_parcel(one, asked_at)) for it, one in others.items()}
        )

    async def _each_alone(self, due: Sequence[OpenReturn]) -> None:
        """Ask about some; one that nothing can be read of does not keep the others from it, several in a row do."""
        unread = 0
        for one in due:
            if self._stop or unread == _IN_A_ROW:
                return
            try:
                await self._ask_alone(one)
            except (CarrierUnavailable, CarrierRefused) as error:
                if isinstance(error, NoPermit) or _is_about_us(error):
                    raise
                log.info("return.unread", return_id=one.id, reason=str(error))
                unread += 1
            else:
                unread = 0
            await self._agenda.looked([one], {one.id})

    async def _ask_alone(self, one: OpenReturn) -> None:
        """See where it has been; and under which number it goes, and its label, where these are not known yet."""
        asked_at, number = self._clock(), one.tracking_number or await self._found(one)
        if number is not None:
            progress = await self._platform.track(number)
            await self._learning.take("id", {one.id: shown(at_parcel(progress, asked_at))})
        if one.tracking_number is not None and one.label_format is None:  # it may come late
            await self._found(one)

    async def _found(self, one: OpenReturn) -> str | None:
        """Take in what a return is called, and its label; gives its number."""
        asked_at = self._clock()
        found = await self._platform.find(one.id, Purpose.tracking)
        if found is None:
            return None
        await self._learning.take("id", {one.id: shown(at_return(found, asked_at))})
        return found.tracking_number


def _is_about_us(error: CarrierUnavailable | CarrierRefused) -> bool:
    """Say whether it is no matter of one parcel: the rate, or the account."""
    return error.status == _TOO_MANY or (isinstance(error, CarrierRefused) and error.key in ACCOUNT_WIDE)


async def _together(parts: AsyncIterator[Progress]) -> AsyncIterator[Sequence[Progress]]:
    """Give many parcels at once, each with all its scans of that many: one may come in several parts."""
    gathered: dict[str, Progress] = {}
    async for one in parts:
        if not one.scans:
            continue
        name = one.external_id or one.tracking_number
        before = gathered.get(name)
        gathered[name] = one if before is None else replace(before, scans=before.scans + one.scans)
        if len(gathered) == _AT_ONCE:
            yield list(gathered.values())
            gathered = {}
    if gathered:
        yield list(gathered.values())
