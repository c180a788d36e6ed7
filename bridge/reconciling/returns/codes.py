"""Codes are found in a report on days: all that were created on them, each with the `rma` that it was made with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Final

import structlog

from bridge.errors import CarrierUnavailable
from bridge.lifecycle import Clock, Stop
from bridge.ports.returns import CodeDesk
from bridge.reconciling.returns.agenda import Agenda
from bridge.reconciling.returns.changes import Reading
from bridge.reconciling.returns.learning import Learning
from bridge.reconciling.returns.look import Look, at_code
from bridge.reconciling.returns.skipping import skipping
from bridge.reconciling.returns.windows import Days, days
from bridge.returns.codes import CodePage, CodeQuery, ReportedCode
from bridge.store.open_returns import OpenReturn

log = structlog.get_logger()

_MOST: Final = 20_000
"""How many returns one round asks about: the calls are about days, and not about returns."""
_ONCE_MORE: Final = 100
"""How many rows of a page the next one shows again: what leaves the report meanwhile moves the others."""
_MOST_CALLS: Final = 200
"""After so many, a report is none that ends."""
_GRACE: Final = timedelta(days=1)
"""So long after its time a code counts as expired that the provider calls active, or calls nothing: we promise less
time than there is."""


_UNREAD: Final = CodePage((), unread=1, is_last=True, is_certain=False)
_TOO_MUCH: Final = CodePage((), unread=0, is_last=False, is_certain=False)


class Codes:
    """Asks about the codes of one connection that are due; `ahead` is what is asked about before its time."""

    def __init__(
        self,
        connection: str,
        desk: CodeDesk,
        learning: Learning,
        agenda: Agenda,
        *,
        clock: Clock,
        stop: Stop,
        ahead: timedelta,
    ) -> None:
        self._connection = connection
        self._desk = desk
        self._learning = learning
        self._agenda = agenda
        self._clock = clock
        self._stop = stop
        self._ahead = ahead

    async def look(self) -> None:
        """Ask about all that are due. Raises StoreError."""
        due = await self._agenda.due(self._ahead, _MOST)
        if not due:
            return
        seen, unread = set[str](), None
        with skipping(self._connection, "codes"):
            unread = await self._ask(due, seen)
        if unread == 0 and (absent := [one for one in due if one.id not in seen]):
            await self._expire(absent)
        await self._agenda.looked(due, seen if unread is None else {one.id for one in due})

    async def _ask(self, due: Sequence[OpenReturn], seen: set[str]) -> int | None:
        """Take in all that there is; gives how many rows could not be read, or None where the end came before."""
        unread = 0
        for some in days(at for one in due for at in (one.since, one.created_at)):
            async for asked_at, page in self._pages(some):
                seen |= await self._learning.take("id", self._readings(page.codes, asked_at))
                unread += page.unread
        return None if self._stop else unread

    async def _expire(self, absent: Sequence[OpenReturn]) -> None:
        """Take codes for expired that no report shows any more; of the others nothing follows from that."""
        now = self._clock()
        over = [one for one in absent if one.expires_at is not None and one.expires_at + _GRACE <= now]
        log.info("returns.not_reported", connection=self._connection, n=len(absent), expired=len(over))
        gone = {one.id: ReportedCode("", rma=one.id, is_active=False, is_used=False) for one in over}
        await self._learning.take("id", {id_: partial(self._read, row, now) for id_, row in gone.items()})

    async def _pages(self, some: Days) -> AsyncIterator[tuple[datetime, CodePage]]:
        """Give reports that are whole, of ever fewer days where they are not; one of a single day page by page.

        One row may make a report unreadable, so that is read by fewer days, too. A second day that cannot be read is no
        matter of a row.
        """
        waiting, calls, has_unread = [(some, 0)], 0, False
        while waiting and not self._stop:
            if calls == _MOST_CALLS:
                raise CarrierUnavailable("endless_report")
            some, offset = waiting.pop()
            query = CodeQuery(some.since, some.until, offset=offset)
            calls += 1
            try:
                asked_at, page = await self._page(query)
            except CarrierUnavailable as error:
                if error.status != HTTPStatus.OK or has_unread:
                    raise
                self._is_unread(some, str(error))
                has_unread = not some.halves
                asked_at, page = self._clock(), _UNREAD if has_unread else _TOO_MUCH
            yield asked_at, page
            if not page.is_last:
                halves = [(half, 0) for half in reversed(some.halves)]
                waiting += halves or [(some, offset + query.limit - _ONCE_MORE)]

    async def _page(self, query: CodeQuery) -> tuple[datetime, CodePage]:
        """Read a page. Of one without a place for rows nothing follows, and it keeps no other days from being read.

        It may be how days without rows look, so fewer days would show no more.
        """
        asked_at = self._clock()
        page = await self._desk.report(query)
        if not page.is_certain:
            self._is_unread(Days(query.since, query.until), "uncertain_report")
            return asked_at, _UNREAD
        if page.unread:
            log.warning("returns.unreadable", connection=self._connection, n=page.unread)
        return asked_at, page

    def _is_unread(self, some: Days, reason: str) -> None:
        log.warning("returns.report_unread", connection=self._connection, days=some.count, reason=reason)

    def _readings(self, codes: Sequence[ReportedCode], asked_at: datetime) -> dict[str, Reading]:
        """Of two codes for one return, of which one was made before and showed too late, take the one that is used."""
        ordered = sorted(codes, key=lambda it: (it.pack_status is not None, it.is_used is True, it.is_active is True))
        return {one.rma: partial(self._read, one, asked_at) for one in ordered if one.rma is not None}

    def _read(self, reported: ReportedCode, asked_at: datetime, kept: OpenReturn) -> Look:
        grace = _GRACE if reported.is_active else timedelta(0)
        ends = None if kept.expires_at is None else kept.expires_at + grace
        return at_code(reported, self._desk.word(reported, ends), asked_at)
