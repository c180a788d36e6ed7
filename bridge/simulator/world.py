"""What the carrier knows and works with: one place for the collaborators that every process needs."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from bridge.simulator.calls import Calls
from bridge.simulator.clock import Clock
from bridge.simulator.documents import Document
from bridge.simulator.faults import Faults
from bridge.simulator.ledger import Ledger
from bridge.simulator.notices import shipment_status_changed
from bridge.simulator.organizations import Organizations
from bridge.simulator.scenario import Scenario
from bridge.simulator.schedule import Schedule
from bridge.simulator.shipments import Shipment, Shipments
from bridge.simulator.webhooks import WebhookSender

Notice = Callable[[Shipment, datetime], Document]


@dataclass(frozen=True)
class Ids:
    """Number sequences; offer ids start above 2^30, as published ones do."""

    shipments: count[int] = field(default_factory=lambda: count(3_900_000_001))
    offers: count[int] = field(default_factory=lambda: count(1_700_000_001))
    transactions: count[int] = field(default_factory=lambda: count(500_000_001))


@dataclass(frozen=True)
class World:
    """The carrier's state and its means."""

    scenario: Scenario
    clock: Clock
    schedule: Schedule
    webhooks: WebhookSender
    organizations: Organizations
    random: random.Random
    shipments: Shipments = field(default_factory=Shipments)
    ledger: Ledger = field(default_factory=Ledger)
    ids: Ids = field(default_factory=Ids)
    calls: Calls = field(default_factory=Calls)
    faults: Faults = field(default_factory=Faults)

    def now(self) -> datetime:
        return self.clock.now()

    def soon(self, seconds: float, action: Callable[[], None]) -> None:
        """Do `action` after `seconds`, give or take the scenario's jitter."""
        jitter = self.scenario.delays.jitter
        self.schedule.after(seconds * self.random.uniform(1 - jitter, 1 + jitter), action)

    def announce(self, notice: Notice, shipment: Shipment) -> None:
        """Notify the organization, if it has registered a URL."""
        if url := shipment.organization.webhook_url:
            self.webhooks.announce(url, notice(shipment, self.now()))

    def announce_status(self, shipment: Shipment) -> None:
        """Notify of a status before the journey, where the scenario says that the carrier does so."""
        if shipment.status in self.scenario.webhooks.also_announce:
            self.announce(shipment_status_changed, shipment)
