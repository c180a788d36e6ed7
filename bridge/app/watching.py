"""Watching: the health of the process, its gauges, and what an operator should change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bridge.app.publishing import Publishing
from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.commands.consumer import Consumer
from bridge.connections import health as connection_health
from bridge.errors import StoreError
from bridge.ingress.receiver import UNPROXIED, Receiver
from bridge.model import OrganizationId
from bridge.reconciling.hearing import show, warnings
from bridge.store import vocabulary
from bridge.store.connections import Seen
from bridge.store.gauges import SqlGauges
from bridge.store.hearing import unheard
from bridge.store.migrate import require_current
from bridge.tracking.drift import Drift
from bridge.web.operations import Health

_PROBE_S: Final = 1.0
"""How long a readiness probe may wait to see whether the database takes writes again."""


class Watching:
    """Looks at the parts of a process whenever somebody asks. The last three where the roles have them."""

    def __init__(
        self,
        shared: Shared,
        stores: Stores,
        publishing: Publishing | None,
        receiver: Receiver | None,
        consumer: Consumer | None,
    ) -> None:
        self._shared = shared
        self._stores = stores
        self._publishing = publishing
        self._receiver = receiver
        self._consumer = consumer
        self._gauges = SqlGauges(stores.database)

    async def health(self) -> Health:
        """Say what keeps the process from working, what makes it worse, and what should be changed."""
        ending = ["the process is ending"] if self._shared.draining else []
        problems: list[str] = []
        seen: Sequence[Seen] = ()
        advice = self._advice()
        try:
            await self._stores.database.read(require_current)
            seen = await self._stores.connections.list()
            advice += warnings(await self._stores.database.read(unheard))
        except StoreError as error:
            problems.append(f"database: {error}")
        trouble = await self._stores.database.probe(_PROBE_S)
        if trouble is not None:
            problems.append(f"database: cannot be written since {trouble.since:%H:%M:%S}: {trouble.reason}")
        advice += connection_health.warnings(seen)
        loops, degraded = self._shared.loops.running(), self._degraded(seen)
        return Health((*ending, *problems), loops, degraded, tuple(advice), has_database=not problems)

    async def measure(self) -> None:
        """Set the gauges; those of rows only while the database is there to be asked. Raises StoreError."""
        health = await self.health()
        self._show_health(health)
        if self._publishing is not None:
            await self._show_broker(self._publishing)
        if health.has_database:
            await self._show_rows()

    def _show_health(self, health: Health) -> None:
        metrics = self._shared.metrics
        for role in self._shared.settings.roles:
            metrics.ready.labels(role).set(health.is_ready)
        metrics.degraded.labels("database").set(not health.has_database)
        if self._publishing is not None or self._consumer is not None:
            metrics.degraded.labels("broker").set("broker" in health.degraded)

    async def _show_broker(self, publishing: Publishing) -> None:
        metrics = self._shared.metrics
        metrics.held_subjects.set(publishing.relay.held_subjects)
        counts = await publishing.publisher.counts()
        if counts is not None:
            metrics.unrouted.set(counts.unrouted)
            metrics.dead.set(counts.dead)

    async def _show_rows(self) -> None:
        metrics, database = self._shared.metrics, self._stores.database
        found = await self._gauges.measure(self._shared.clock())
        found.show(metrics)
        connection_health.show(await self._stores.connections.list(), metrics)
        organizations = [OrganizationId(one.id) for one in self._shared.settings.shipx.organizations]
        show(await database.read(unheard), organizations, metrics)
        words = await database.read(vocabulary.kept)
        metrics.status_words_unknown.set(0 if words is None else len(Drift.load(words).unknown))

    def _degraded(self, connections: Sequence[Seen]) -> dict[str, datetime]:
        """Say what is away, and since when: the work that needs it waits."""
        parts: dict[str, datetime | None] = {**connection_health.degraded(connections)}
        if self._consumer is not None:
            parts["broker"] = self._consumer.degraded_since
        if self._publishing is not None:
            parts["broker"] = self._publishing.relay.degraded_since or parts.get("broker")
        return {name: since for name, since in parts.items() if since is not None}

    def _advice(self) -> list[str]:
        """Say in words what an operator should change."""
        unproxied = self._receiver is not None and self._receiver.unproxied_since is not None
        held = self._publishing.relay.warnings() if self._publishing else []
        return [*self._shared.warnings, *([UNPROXIED] if unproxied else []), *held]
