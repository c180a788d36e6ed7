"""The rounds of one account at a provider of returns: what became of them, their labels, and what will soon expire."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, assert_never

from bridge.app.return_accounts import ReturnAccount
from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.carriers.inpost_returns.client import InPostReturnsClient
from bridge.carriers.intelligentreturns.platform import IntelligentPlatform
from bridge.carriers.szybkie_zwroty.client import SzybkieZwrotyClient
from bridge.events.returned import Meaning
from bridge.reconciling.reconciler import Round
from bridge.reconciling.returns.agenda import Agenda
from bridge.reconciling.returns.codes import Codes
from bridge.reconciling.returns.expiring import Expiring
from bridge.reconciling.returns.labels import Labels
from bridge.reconciling.returns.learning import Learning
from bridge.reconciling.returns.pace import Pace
from bridge.reconciling.returns.parcels import Parcels
from bridge.reconciling.returns.tickets import Tickets

_SLOWEST: Final = timedelta(hours=6)
_ALONE: Final = Pace(timedelta(days=1), timedelta(days=4))
"""How often a parcel of a platform is asked about alone: what it learns of all of them is asked for in every round."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the rounds of one account share."""

    shared: Shared
    stores: Stores
    connection: str
    every: timedelta

    @property
    def pace(self) -> Pace:
        return Pace(self.every, max(self.every, _SLOWEST))

    def on_events(self) -> None:
        self.shared.bells.ring("events")

    def agenda(self, pace: Pace, *, first: timedelta = timedelta(0), has_labels: bool = False) -> Agenda:
        return Agenda(
            self.connection,
            pace,
            database=self.stores.database,
            clock=self.shared.clock,
            first=first,
            has_labels=has_labels,
        )

    def learning(self, meaning: Meaning, pace: Pace) -> Learning:
        return Learning(
            self.connection,
            meaning,
            pace,
            database=self.stores.database,
            vault=self.stores.vault,
            recorder=self.stores.recorder,
            metrics=self.shared.metrics,
            clock=self.shared.clock,
            on_events=self.on_events,
        )


def return_rounds(shared: Shared, stores: Stores, account: ReturnAccount) -> Sequence[Round]:
    """Say what is done for one account, and how often."""
    every = timedelta(seconds=shared.settings.returns.poll_s)
    parts = _Parts(shared, stores, account.connection, every)
    looks = {"returns": _returns(parts, account), "expiring": _expiring(parts)}
    if isinstance(account.client, InPostReturnsClient):
        looks["labels"] = _labels(parts, account.client)
    return [Round(name, every.total_seconds(), look) for name, look in looks.items()]


def _returns(parts: _Parts, account: ReturnAccount) -> Callable[[], Awaitable[None]]:
    clock, stop, ahead = parts.shared.clock, parts.shared.stop, parts.every / 2
    match account.client:
        case InPostReturnsClient() as client:
            learning, agenda = parts.learning(client.meaning, parts.pace), parts.agenda(parts.pace, has_labels=True)
            return Tickets(parts.connection, client, learning, agenda, clock=clock, stop=stop, ahead=ahead).look
        case SzybkieZwrotyClient() as client:
            learning, agenda = parts.learning(client.meaning, parts.pace), parts.agenda(parts.pace)
            return Codes(parts.connection, client, learning, agenda, clock=clock, stop=stop, ahead=ahead).look
        case IntelligentPlatform() as client:
            learning, agenda = parts.learning(client.meaning, _ALONE), parts.agenda(_ALONE, first=_ALONE.every)
            return Parcels(parts.connection, client, learning, agenda, clock=clock, stop=stop).look
        case _:
            assert_never(account.client)


def _labels(parts: _Parts, client: InPostReturnsClient) -> Callable[[], Awaitable[None]]:
    return Labels(
        parts.connection,
        client,
        parts.learning(client.meaning, parts.pace),
        parts.pace,
        database=parts.stores.database,
        vault=parts.stores.vault,
        clock=parts.shared.clock,
        stop=parts.shared.stop,
    ).look


def _expiring(parts: _Parts) -> Callable[[], Awaitable[None]]:
    return Expiring(
        parts.connection,
        database=parts.stores.database,
        recorder=parts.stores.recorder,
        clock=parts.shared.clock,
        stop=parts.shared.stop,
        on_events=parts.on_events,
    ).look
