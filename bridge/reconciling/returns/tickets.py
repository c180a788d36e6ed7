"""Tickets are found in lists of those of one status that were created within a time; none can be read alone.

The lists are read in the order of a ticket's life, so that one that moves on meanwhile is in a later one. A list that
is full is read again by halves: what leaves it meanwhile would move others past us from page to page.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

import structlog

from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.lifecycle import Clock, Stop
from bridge.ports.returns import TicketDesk
from bridge.reconciling.returns.agenda import Agenda
from bridge.reconciling.returns.changes import Reading, shown
from bridge.reconciling.returns.learning import Learning
from bridge.reconciling.returns.look import at_ticket
from bridge.reconciling.returns.skipping import skipping
from bridge.reconciling.returns.windows import Window, windows
from bridge.returns.listed import Listed, TicketPage, TicketQuery
from bridge.store.open_returns import OpenReturn

log = structlog.get_logger()

_OPEN: Final = ("NEW", "ACCEPTED", "SCANNED", "USED")
_ENDED: Final = ("DELIVERED", "CANCELED", "REJECTED", "EXPIRED")
_MOST: Final = 20_000
"""How many returns one round asks about: the calls are about times, and not about returns."""
_MOST_CALLS: Final = 200
"""After so many, a list of one status is none that ends: it may know nothing of times."""
_ABOUT_ONE_LIST: Final = (HTTPStatus.OK, HTTPStatus.BAD_REQUEST)
"""Answers that cannot be used and say nothing of the account, nor that the provider is away."""


class Tickets:
    """Asks about the tickets of one connection that are due; `ahead` is what is asked about before its time."""

    def __init__(
        self,
        connection: str,
        desk: TicketDesk,
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
        seen, is_whole = set[str](), False
        with skipping(self._connection, "tickets"):
            is_whole = await self._ask(due, seen)
        if is_whole and (absent := [one.id for one in due if one.id not in seen]):
            log.warning("returns.not_listed", connection=self._connection, returns=absent[:10], n=len(absent))
        await self._agenda.looked(due, {one.id for one in due} if is_whole else seen)

    async def _ask(self, due: Sequence[OpenReturn], seen: set[str]) -> bool:
        """Read the lists of what is open, then of what has ended, where some are not among those that are open."""
        whole = Window.over([at for one in due for at in (one.since, one.created_at)])
        unread = await self._read([whole], _OPEN, seen)
        left = [one for one in due if one.id not in seen]
        times = windows(at for one in left for at in (one.since, one.created_at))
        unread += await self._read(times, _ENDED, seen)
        return not unread and not self._stop

    async def _read(self, times: Sequence[Window], statuses: Sequence[str], seen: set[str]) -> int:
        """Take in all that there is; gives for how many statuses that was not possible: two are no matter of a list."""
        unread = 0
        for status in statuses:
            try:
                for window in times:
                    async for asked_at, page in self._pages(window, status):
                        seen |= await self._learning.take("provider_reference", _readings(page.tickets, asked_at))
            except (CarrierUnavailable, CarrierRefused) as error:
                if unread or error.status not in _ABOUT_ONE_LIST:
                    raise
                log.warning("returns.list_unread", connection=self._connection, status=status, reason=str(error))
                unread += 1
        return unread

    async def _pages(self, window: Window, status: str) -> AsyncIterator[tuple[datetime, TicketPage]]:
        waiting, calls = [(window, 0)], 0
        while waiting and not self._stop:
            if calls == _MOST_CALLS:
                raise CarrierUnavailable("endless_list")
            window, number = waiting.pop()
            asked_at, page = await self._page(window, status, number)
            calls += 1
            yield asked_at, page
            if not page.is_last:
                halves = [(half, 0) for half in reversed(window.halves)]
                waiting += halves or [(window, number + 1)]

    async def _page(self, window: Window, status: str, number: int) -> tuple[datetime, TicketPage]:
        asked_at = self._clock()
        page = await self._desk.tickets(TicketQuery(window.since, window.until, status, number))
        if page.unread:
            log.warning("returns.unreadable", connection=self._connection, status=status, n=page.unread)
        return asked_at, page


def _readings(tickets: Sequence[Listed], asked_at: datetime) -> dict[str, Reading]:
    return {one.id: shown(at_ticket(one, asked_at)) for one in tickets}
