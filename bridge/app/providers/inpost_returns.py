"""Our account at InPost Returns: tickets, listed by their statuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from bridge.app import VERSION
from bridge.app.providers.account import Look, Means, Watch
from bridge.carriers.inpost_returns.client import InPostReturnsClient
from bridge.carriers.inpost_returns.tokens import Credentials
from bridge.lifecycle import Clock
from bridge.reconciling.returns.labels import Labels
from bridge.reconciling.returns.tickets import Tickets
from bridge.returns.listed import TicketQuery
from bridge.settings import Settings
from bridge.shipping.returns.keeping import Keeping
from bridge.shipping.returns.makers import TicketMaker

_RECENT: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class TicketAccount:
    """An account with its client."""

    client: InPostReturnsClient
    clock: Clock

    def maker(self, connection: str, keeping: Keeping) -> TicketMaker:
        return TicketMaker(self.client, partial(keeping.linked, connection), self.clock)

    def looks(self, watch: Watch) -> Mapping[str, Look]:
        learning, agenda = watch.learning(self.client.meaning, watch.pace), watch.agenda(watch.pace, has_labels=True)
        clock, stop = watch.shared.clock, watch.shared.stop
        tickets = Tickets(watch.connection, self.client, learning, agenda, clock=clock, stop=stop, ahead=watch.ahead)
        return {"returns": tickets.look, "labels": self._labels(watch).look}

    async def ask(self, now: datetime) -> None:
        await self.client.tickets(TicketQuery(now - _RECENT, now, "NEW", size=1))

    def _labels(self, watch: Watch) -> Labels:
        return Labels(
            watch.connection,
            self.client,
            watch.learning(self.client.meaning, watch.pace),
            watch.pace,
            database=watch.stores.database,
            vault=watch.stores.vault,
            clock=watch.shared.clock,
            stop=watch.shared.stop,
        )


def account(settings: Settings, means: Means) -> TicketAccount:
    """Open the account, which has credentials."""
    told = settings.inpost_returns
    assert told.client_id is not None
    assert told.client_secret is not None
    client = InPostReturnsClient(
        means.http,
        base_url=told.base_url,
        token_url=told.token_url,
        credentials=Credentials(told.client_id, told.client_secret),
        permits=means.permits,
        metrics=means.metrics,
        clock=means.clock,
        version=VERSION,
    )
    return TicketAccount(client, means.clock)
