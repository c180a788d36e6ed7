"""What the carrier knows and works with: one place for the collaborators that every process needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from bridge.simulator.batches import Batches
from bridge.simulator.calls import Calls
from bridge.simulator.chance import Chance
from bridge.simulator.clock import Clock
from bridge.simulator.deeds import Act, Deeds
from bridge.simulator.dispatch_orders import DispatchOrders
from bridge.simulator.dispatch_points import DispatchPoints
from bridge.simulator.documents import Document
from bridge.simulator.faults import Effect
from bridge.simulator.ledger import Ledger
from bridge.simulator.notices import shipment_status_changed
from bridge.simulator.notifier import Notifier
from bridge.simulator.organizations import Organization, Organizations
from bridge.simulator.pauses import Pauses
from bridge.simulator.scenario import Scenario
from bridge.simulator.schedule import Schedule
from bridge.simulator.shipments import Shipment, Shipments
from bridge.simulator.trouble import Trouble
from bridge.simulator.views import Views
from bridge.simulator.webhooks import WebhookSender

Notice = Callable[[Shipment, datetime], Document]


@dataclass(frozen=True)
class Ids:
    """Number sequences; offer ids start above 2^30, as published ones do. Shipment ids are the organization's."""

    offers: count[int] = field(default_factory=lambda: count(1_700_000_001))
    transactions: count[int] = field(default_factory=lambda: count(500_000_001))
    batches: count[int] = field(default_factory=lambda: count(600_001))
    dispatch_orders: count[int] = field(default_factory=lambda: count(700_001))
    comments: count[int] = field(default_factory=lambda: count(800_001))


@dataclass(frozen=True)
class World:
    """The carrier's state and its means."""

    scenario: Scenario
    clock: Clock
    schedule: Schedule
    webhooks: WebhookSender
    organizations: Organizations
    chance: Chance
    trouble: Trouble
    notifier: Notifier
    pauses: Pauses
    views: Views
    points: DispatchPoints
    shipments: Shipments = field(default_factory=Shipments)
    batches: Batches = field(default_factory=Batches)
    dispatch_orders: DispatchOrders = field(default_factory=DispatchOrders)
    ledger: Ledger = field(default_factory=Ledger)
    deeds: Deeds = field(default_factory=Deeds)
    ids: Ids = field(default_factory=Ids)
    calls: Calls = field(default_factory=Calls)

    def now(self) -> datetime:
        return self.clock.now()

    def soon(self, seconds: float, effect: Effect, shipment: Shipment, action: Callable[[], None]) -> None:
        """Do `action` after `seconds`, give or take the scenario's jitter."""
        jitter, name = self.scenario.delays.jitter, ("soon", effect, shipment.id)
        factor = self.chance.between((1 - jitter, 1 + jitter), *name, self.chance.times(*name))
        self.schedule.after(seconds * factor, action)

    def change(self, effect: Effect, shipment: Shipment) -> None:
        """Say that something is about to change; reads may not see it for a while."""
        seconds = self.trouble.of_effect(shipment.id, effect)
        if seconds is not None:
            self.views.hide(shipment, seconds)

    def take(self, shipment: Shipment, offer_id: int) -> None:
        """Say that somebody is about to select or buy an offer; it may be gone by now."""
        offer = shipment.offer(offer_id)
        if offer is None or offer.status != "available" or shipment.purchases_running:
            return
        if self.trouble.of_offer(shipment.id, offer.service.label.id, shipment.preparations):
            shipment.spoil(offer, self.now())

    def overwrites(self, shipment: Shipment) -> bool:
        """Say whether the carrier goes on with what was cancelled while it was at it.

        Observed 2026-10-10: a cancel was answered 204, read back, and gone 0.36 s later. Only what the carrier buys by
        itself is under way then.
        """
        service = shipment.draft.service
        if service is None or shipment.status != "canceled":
            return False
        return self.trouble.of_cancel(shipment.id, service)

    def did(self, act: Act, organization: Organization, subject: int, reference: str | None = None) -> None:
        """Write down what was done because a caller asked for it."""
        self.deeds.record(act, organization.id, subject, reference, self.now())

    def announce(self, notice: Notice, shipment: Shipment) -> None:
        """Notify the organization, if it has registered a URL."""
        self.announce_all([notice(shipment, self.now())], shipment)

    def announce_all(self, notices: Iterable[Document], shipment: Shipment) -> None:
        """Notify the organization of several things, in this order."""
        if url := shipment.organization.webhook_url:
            for notice in notices:
                self.notifier.announce(url, notice)

    def announce_status(self, shipment: Shipment) -> None:
        """Notify of a status before the journey, where the scenario says that the carrier does so."""
        if shipment.status in self.scenario.webhooks.also_announce:
            self.announce(shipment_status_changed, shipment)
