"""What reads brought goes into the store, is counted, and wakes whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import structlog

from bridge.lifecycle import Clock
from bridge.model import OrganizationId
from bridge.observability import Metrics
from bridge.purchasing.shipment import Shipment
from bridge.reconciling.adopting import adoption
from bridge.reconciling.reading import Reading
from bridge.store.answers import Answer, Learned
from bridge.store.database import Transaction
from bridge.store.purchase import ADOPTED
from bridge.store.sweeps import SqlSweeps

log = structlog.get_logger()


class Learning:
    """Takes reads in. `on_events` and `on_wanted` wake who waits for events and purchases."""

    def __init__(
        self,
        sweeps: SqlSweeps,
        *,
        metrics: Metrics,
        clock: Clock,
        on_events: Callable[[], None],
        on_wanted: Callable[[], None],
    ) -> None:
        self._sweeps = sweeps
        self._metrics = metrics
        self._clock = clock
        self._on_events = on_events
        self._on_wanted = on_wanted

    async def take(
        self, organization: OrganizationId, shipments: Iterable[Shipment], heard_since: datetime | None = None
    ) -> Learned:
        """Take reads in; `heard_since` is since when webhooks would have told it."""
        answers = _answers(organization, shipments, None)
        learned = await self._sweeps.settle(organization, answers, self._clock(), heard_since)
        self.tell(organization, learned)
        return learned

    def write(
        self, transaction: Transaction, organization: OrganizationId, shipments: Iterable[Shipment], command: str
    ) -> Learned:
        """Take in what a command had us read, in its transaction; to be told after the commit."""
        answers = _answers(organization, shipments, command)
        return self._sweeps.answers.write(transaction, organization, answers, self._clock())

    def write_made(
        self, transaction: Transaction, organization: OrganizationId, shipments: Iterable[Shipment], command: str
    ) -> Learned:
        """Take in what a command made, in its transaction."""
        answers = _answers(organization, shipments, command, are_first=True)
        return self._sweeps.answers.write(transaction, organization, answers, self._clock())

    def tell(self, organization: OrganizationId, learned: Learned) -> None:
        """Count what was found, and wake who waits for it."""
        for fact, number in (learned.facts - learned.awaited).items():
            self._metrics.found_by_poll.labels(fact).inc(number)
        if learned.adopted:
            self._metrics.purchases.labels("succeeded", ADOPTED).inc(learned.adopted)
            self._on_events()
        if learned.facts:
            facts = dict(learned.facts)
            log.info("sweep.found", organization=organization, facts=facts, purchases_wanted=learned.wanted)
            self._on_events()
        if learned.wanted:
            self._on_wanted()


def _answers(
    organization: OrganizationId, shipments: Iterable[Shipment], command: str | None, *, are_first: bool = False
) -> list[Answer]:
    readings = (Reading(organization, one, command, are_first) for one in shipments)
    return [Answer(one.read.id, one.project, adoption(one)) for one in readings]
