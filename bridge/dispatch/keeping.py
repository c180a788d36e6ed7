"""What the carrier says of its orders goes into the store with the facts that follow, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from bridge.dispatch import news
from bridge.dispatch.news import News
from bridge.dispatch.order import DispatchOrder
from bridge.dispatch.pace import Pace
from bridge.dispatch.words import OrderState
from bridge.lifecycle import Clock
from bridge.model import DispatchOrderId, Fact, OrganizationId, ShipmentId, Subject
from bridge.store import dispatches
from bridge.store.database import Database, Transaction
from bridge.store.dispatches import Kept
from bridge.store.facts import Recorder

log = structlog.get_logger()


class Keeping:
    """Keeps orders. `on_events` wakes who waits for events, and is for after a commit."""

    def __init__(
        self, database: Database, recorder: Recorder, pace: Pace, clock: Clock, on_events: Callable[[], None]
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._pace = pace
        self._clock = clock
        self.on_events = on_events

    async def kept(self, organization: OrganizationId, order: DispatchOrderId) -> Kept | None:
        """Give an order as it is kept."""
        found = await self._database.read(lambda it: dispatches.find(it, order, [organization]))
        return found[0] if found else None

    async def claimed(self, organization: OrganizationId, orders: Collection[DispatchOrderId]) -> set[DispatchOrderId]:
        """Say which of these came of a command."""
        return await self._database.read(lambda it: dispatches.claimed(it, organization, orders))

    async def due(self, organization: OrganizationId, ahead: datetime, limit: int) -> Sequence[DispatchOrderId]:
        """Give orders to ask about, the longest overdue first."""
        return await self._database.read(lambda it: dispatches.due(it, organization, ahead, limit))

    async def take(self, organization: OrganizationId, found: DispatchOrder) -> Kept:
        """Take a read in, in a transaction of its own."""
        kept = await self._database.write(lambda it: self.learn(it, organization, found))
        if not kept.quiet:
            self.on_events()
        return kept

    async def miss(self, organization: OrganizationId, order: DispatchOrderId) -> None:
        """Take note that the carrier does not know an order."""
        await self._database.write(lambda it: self._miss(it, organization, order))

    async def put_off(self, organization: OrganizationId, order: DispatchOrderId, until: datetime) -> None:
        """Ask about an order later."""
        await self._database.write(lambda it: dispatches.put_off(it, organization, order, until))

    # -- in somebody's transaction -------------------------------------------------------------------------------------

    def join(
        self,
        transaction: Transaction,
        organization: OrganizationId,
        found: DispatchOrder,
        command: str,
        shipments: tuple[ShipmentId, ...],
    ) -> Kept | None:
        """Store an order as what a command made; None where another command was faster with it."""

        def joined(before: Kept | None, now: datetime) -> News | None:
            if before is not None and before.command is not None:
                return None
            return news.created(before or news.first(organization, found, now, shipments), found, command, now)

        return self._change(transaction, organization, found.id, joined)

    def learn(
        self, transaction: Transaction, organization: OrganizationId, found: DispatchOrder, cause: str | None = None
    ) -> Kept:
        """Take a read in; `cause` is the command that had it made."""

        def seen(before: Kept | None, now: datetime) -> News:
            return news.read(before or news.first(organization, found, now), found, now, cause)

        kept = self._change(transaction, organization, found.id, seen)
        assert kept is not None
        return kept

    def lose(self, transaction: Transaction, organization: OrganizationId, order: DispatchOrderId, cause: str) -> Kept:
        """Take note that the carrier does not know an order any more, as the command `cause` wanted."""

        def gone(before: Kept | None, now: datetime) -> News:
            return news.lost(before or news.first(organization, DispatchOrder(order, None, ()), now), now, cause)

        kept = self._change(transaction, organization, order, gone)
        assert kept is not None
        return kept

    def tell(self, transaction: Transaction, fact: Fact) -> None:
        """Tell a fact that is about no order that is kept."""
        self._record(transaction, fact.subject, [fact], self._clock())

    def _change(
        self,
        transaction: Transaction,
        organization: OrganizationId,
        order: DispatchOrderId,
        change: Callable[[Kept | None, datetime], News | None],
    ) -> Kept | None:
        """Change an order under the lock of its subject, which is everybody's who would do the same."""
        subject, now = Subject.dispatch_order(organization, order), self._clock()
        ledgers = self._recorder.lock(transaction, [subject])
        before = dispatches.find(transaction, order, [organization])
        found = change(before[0] if before else None, now)
        if found is None:
            return None
        kept = replace(found.kept, due_at=self._pace.due_at(found.kept, now))
        dispatches.save(transaction, kept)
        if found.facts:
            self._recorder.record(transaction, ledgers, found.facts, now)
            self._recorder.save(transaction, ledgers.values())
        return kept

    def _record(self, transaction: Transaction, subject: Subject, facts: Sequence[Fact], now: datetime) -> None:
        ledgers = self._recorder.lock(transaction, [subject])
        self._recorder.record(transaction, ledgers, facts, now)
        self._recorder.save(transaction, ledgers.values())

    def _miss(self, transaction: Transaction, organization: OrganizationId, order: DispatchOrderId) -> None:
        def unknown(before: Kept | None, now: datetime) -> News | None:
            return None if before is None else news.missed(before, now)

        kept = self._change(transaction, organization, order, unknown)
        if kept is not None and kept.state == OrderState.gone:
            log.warning("dispatch_order.gone", organization=organization, order=order, misses=kept.misses)
