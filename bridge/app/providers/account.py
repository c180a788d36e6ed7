"""An account at a provider of returns: what the rest of the process wants of it, whichever provider it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import httpx

from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.events.returned import Meaning
from bridge.lifecycle import Clock
from bridge.observability import Metrics
from bridge.ports import Permits
from bridge.reconciling.returns.agenda import Agenda
from bridge.reconciling.returns.learning import Learning
from bridge.reconciling.returns.pace import Pace
from bridge.shipping.returns.keeping import Keeping
from bridge.shipping.returns.makers import Maker

_SLOWEST: Final = timedelta(hours=6)
Look = Callable[[], Awaitable[None]]
"""Asks the provider once, and takes in what it says."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a client asks with."""

    http: httpx.AsyncClient
    permits: Permits
    metrics: Metrics
    clock: Clock


@dataclass(frozen=True, slots=True)
class Watch:
    """What the rounds of one account share: `every` is how often they are made."""

    shared: Shared
    stores: Stores
    connection: str
    every: timedelta

    @property
    def pace(self) -> Pace:
        """How often one return is asked about: ever more seldom."""
        return Pace(self.every, max(self.every, _SLOWEST))

    @property
    def ahead(self) -> timedelta:
        """How much of the time to the next round is looked ahead."""
        return self.every / 2

    def on_events(self) -> None:
        """Wake whoever waits for events."""
        self.shared.bells.ring("events")

    def agenda(self, pace: Pace, *, first: timedelta = timedelta(0), has_labels: bool = False) -> Agenda:
        """Make what says which returns are to be asked about."""
        return Agenda(
            self.connection,
            pace,
            database=self.stores.database,
            clock=self.shared.clock,
            first=first,
            has_labels=has_labels,
        )

    def learning(self, meaning: Meaning, pace: Pace) -> Learning:
        """Make what takes in what was answered."""
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


class Account(Protocol):
    """Our account at one provider."""

    def maker(self, connection: str, keeping: Keeping) -> Maker:
        """Make what makes returns there."""
        ...

    def looks(self, watch: Watch) -> Mapping[str, Look]:
        """Say by name what is asked again and again, to hear what became of returns."""
        ...

    async def ask(self, now: datetime) -> None:
        """Ask something that changes nothing and costs nothing. Raises CarrierRefused and CarrierUnavailable."""
        ...
