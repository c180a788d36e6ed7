"""The buyer: takes what is due, the most urgent first, and gives it to hands, as many as may call the carrier at once.

What a hand does with a purchase stands in `hand`; what follows from what it sees, in `moves` and `sending`; how much is
taken at a time, in `planner`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

import structlog

from bridge.errors import CarrierError, StoreError
from bridge.lifecycle import Clock, Stop
from bridge.limits.connection import Limits
from bridge.model import OrganizationId, ShipmentId
from bridge.observability import Metrics
from bridge.purchasing.desk import Desk
from bridge.purchasing.hand import Account, Hand
from bridge.purchasing.nobody import Nobody
from bridge.purchasing.planner import plan, projected_missed
from bridge.purchasing.terms import Terms
from bridge.store.outlook import Batch, Outlook, Take
from bridge.store.purchases import SqlPurchases

log = structlog.get_logger()

_SOONEST_S: Final = 0.05
"""Between two looks at what is due and not taken yet."""
_RENEW_S: Final = 2.0

Samples = Callable[[OrganizationId, datetime], Awaitable[Sequence[ShipmentId]]]


class Buyer:
    """Works off purchases of every organization; those without an account are looked after on the terms of `others`."""

    def __init__(
        self,
        *,
        purchases: SqlPurchases,
        accounts: Mapping[OrganizationId, Account],
        others: Terms,
        metrics: Metrics,
        clock: Clock,
        stop: Stop,
        on_events: Callable[[], None],
        poll_s: float = 1.0,
    ) -> None:
        """`poll_s`: how long at most until it looks for what nobody has told it of."""
        self._purchases = purchases
        self._accounts = accounts
        self._others = others
        self._metrics = metrics
        self._clock = clock
        self._stop = stop
        self._on_events = on_events
        self._poll_s = poll_s
        self._desks = {organization: Desk(account.limits) for organization, account in accounts.items()}
        self.bell = stop.bell()

    async def run(self) -> None:
        """Work until the end is announced; what is in hand then is finished or left to evidence."""
        async with asyncio.TaskGroup() as hands:
            while not self._stop:
                for batch in await self._claim():
                    self._desk(batch.organization).begin(batch.errand, asyncio.get_running_loop().time())
                    hands.create_task(self._work(batch))
                await self.bell.wait(await self._pause())

    # -- taking ------------------------------------------------------------------------------------------------------

    def _desk(self, organization: OrganizationId) -> Desk:
        if organization not in self._desks:
            self._desks[organization] = Desk(Limits())
        return self._desks[organization]

    async def _claim(self) -> Sequence[Batch]:
        """Take what the planner says; the plan is asked for away from this loop, and so of values alone."""
        now = asyncio.get_running_loop().time()
        seen = {organization: desk.seen(now) for organization, desk in self._desks.items()}
        fresh = Desk(Limits()).seen(now)

        def planned(outlook: Outlook) -> Sequence[Take]:
            means, hands = seen.get(outlook.organization, fresh)
            return plan(outlook, means, hands)

        try:
            claimed = await self._purchases.claim(planned, self._clock())
        except StoreError as error:
            log.warning("purchase.claim_failed", error=type(error).__name__)
            return ()
        self._look_ahead(claimed.outlooks, claimed.batches)
        return claimed.batches

    def _look_ahead(self, outlooks: Sequence[Outlook], batches: Sequence[Batch]) -> None:
        """Say what will be missed as things stand, and what is tried first."""
        missed = 0
        for outlook in outlooks:
            desk = self._desk(outlook.organization)
            desk.looked_at(outlook)
            missed += projected_missed(outlook, desk.means)
        self._metrics.windows_projected_missed.set(missed)
        if missed and batches:
            first = [one.shipment for one in batches[0].purchases[:5]]
            log.warning("purchase.windows_at_risk", missed=missed, first=first)

    async def _pause(self) -> float:
        full = [organization for organization, desk in self._desks.items() if not desk.free]
        try:
            due = await self._purchases.next_due(full)
        except StoreError:
            return self._poll_s
        return (
            self._poll_s if due is None else min(max((due - self._clock()).total_seconds(), _SOONEST_S), self._poll_s)
        )

    # -- working -----------------------------------------------------------------------------------------------------

    async def _work(self, batch: Batch) -> None:
        """Handle one batch, and make room for the next of its organization."""
        desk = self._desk(batch.organization)
        account = self._accounts.get(batch.organization) or Account(Nobody(), self._others)
        renewing = asyncio.create_task(self._keep(batch))
        try:
            with structlog.contextvars.bound_contextvars(organization=batch.organization):
                await self._compare(desk, account, batch, self._purchases.bought)
                await Hand(self._purchases, account, self._metrics, self._clock, desk.took).handle(batch)
                await self._compare(desk, account, batch, self._purchases.accepted)
        except StoreError as error:
            log.warning("purchase.store_unavailable", error=type(error).__name__)
        finally:
            renewing.cancel()
            desk.end()
            self._on_events()
            self.bell.ring()

    async def _compare(self, desk: Desk, account: Account, batch: Batch, samples: Samples) -> None:
        """Where it is crowded, find out whether one call may be about many, by one that the carrier shows payments of.

        It is done before anything else, or scarce calls would leave no turn; where nothing was bought yet, as soon as
        something should be.
        """
        now = asyncio.get_running_loop().time()
        if account.carrier.wants_sample and desk.may_compare(now):
            found = await samples(batch.organization, self._clock())
            if found:
                sample = found[desk.compares(now) % len(found)]
                with suppress(CarrierError):
                    await account.carrier.most_at_once(sample)
        desk.most = await account.carrier.most_at_once()

    async def _keep(self, batch: Batch) -> None:
        """Keep hold of purchases for as long as a slow carrier takes."""
        while True:
            await asyncio.sleep(_RENEW_S)
            with suppress(StoreError):
                await self._purchases.renew(batch.purchases)
