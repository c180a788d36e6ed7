"""Labels that a provider has somewhere are fetched and kept, before their customers ask for them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import structlog

from bridge.errors import CarrierError, CarrierRefused, CarrierUnavailable, KeyMissing, NoPermit
from bridge.lifecycle import Clock, Stop
from bridge.ports.returns import TicketDesk
from bridge.reconciling.returns.changes import shown
from bridge.reconciling.returns.learning import Learning
from bridge.reconciling.returns.look import Look
from bridge.reconciling.returns.pace import Pace
from bridge.store import open_returns, returns
from bridge.store.database import Database
from bridge.store.open_returns import OpenReturn
from bridge.store.returns import Kept
from bridge.store.sealed import Vault

log = structlog.get_logger()

_AT_ONCE: Final = 50
_NONE: Final = frozenset({"forbidden", "not_found"})
"""How an account without labels may be answered: of the label itself, and not of a token to ask with."""


class Labels:
    """Fetches the labels of one connection that are due."""

    def __init__(
        self,
        connection: str,
        desk: TicketDesk,
        learning: Learning,
        pace: Pace,
        *,
        database: Database,
        vault: Vault,
        clock: Clock,
        stop: Stop,
    ) -> None:
        self._connection = connection
        self._desk = desk
        self._learning = learning
        self._pace = pace
        self._database = database
        self._vault = vault
        self._clock = clock
        self._stop = stop

    async def look(self) -> None:
        """Fetch some. Raises StoreError."""
        now = self._clock()
        for one in await self._database.read(lambda it: open_returns.labels_due(it, self._connection, now, _AT_ONCE)):
            if self._stop or not await self._one(one):
                return

    async def _one(self, one: OpenReturn) -> bool:
        """Fetch one; gives whether the provider lets more be fetched.

        Where it never said that there is one, it may not have said so: lists of tickets do not. It is asked for all
        the same, and if there is none it is no more.
        """
        kept, ticket = await self._kept(one), one.provider_reference
        if kept is None or ticket is None:
            await self._put_off(one, "no_ticket" if kept else "key_missing", for_ever=True)
            return True
        url = kept.secrets.label_url
        try:
            label = await self._desk.label(ticket, url)
        except CarrierUnavailable as error:
            await self._put_off(one, error)
            return not isinstance(error, NoPermit) and error.status != HTTPStatus.TOO_MANY_REQUESTS
        except CarrierRefused as refusal:
            await self._put_off(one, refusal, for_ever=url is None and refusal.key in _NONE)
            return not refusal.is_unauthorized
        look = Look(self._clock(), label=label)
        await self._learning.take("id", {one.id: shown(look)})
        return True

    async def _kept(self, one: OpenReturn) -> Kept | None:
        """Give the return; None where what is sealed of it cannot be opened, so that no label could be kept."""
        try:
            return await self._database.read(lambda it: returns.find(it, self._vault, one.id))
        except KeyMissing:
            return None

    async def _put_off(self, one: OpenReturn, why: CarrierError | str, *, for_ever: bool = False) -> None:
        log.info("return.label_skipped", return_id=one.id, reason=str(why))
        until = None if for_ever else self._pace.next(one.created_at, one.expires_at, self._clock())
        await self._database.write(lambda it: open_returns.put_label_off(it, one.id, until))
