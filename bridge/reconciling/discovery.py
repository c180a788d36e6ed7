"""Shipments that nobody told us of are found in the carrier's list, by when they were created."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import structlog

from bridge import ports
from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.lifecycle import Clock
from bridge.limits.connection import Purpose
from bridge.model import OrganizationId, ShipmentId
from bridge.purchasing.shipment import Shipment
from bridge.reconciling.learning import Learning
from bridge.reconciling.pages import created_since
from bridge.store.sweeps import SqlSweeps

log = structlog.get_logger()

OVERLAP: Final = timedelta(minutes=2)
"""How much is read once more every time: lists showed a new shipment up to 5.4 s late (sandbox, 2026-10-10)."""
FAR_OVERLAP: Final = timedelta(minutes=30)
"""How much is read once more now and then: nobody knows how late lists can be in production."""
_FAR_EVERY: Final = timedelta(minutes=10)
_URGENT_EVERY: Final = timedelta(seconds=10)
"""More often its lists wait like any sweep: they do not take all turns of a small rate from what people ask for."""
_FIRST: Final = timedelta(hours=1)
"""How far back the first look goes; `bridge backfill` goes further."""


class Discovery:
    """Looks for new shipments of one organization."""

    def __init__(
        self,
        organization: OrganizationId,
        *,
        carrier: ports.Discovery,
        sweeps: SqlSweeps,
        learning: Learning,
        clock: Clock,
        heard_since: datetime | None,
    ) -> None:
        self._organization = organization
        self._carrier = carrier
        self._sweeps = sweeps
        self._learning = learning
        self._clock = clock
        self._heard_since = heard_since
        self._far_at: datetime | None = None
        self._urgent_at: datetime | None = None
        self._taken: dict[ShipmentId, Shipment] = {}

    async def look(self) -> None:
        """Read what was created lately, to the end of the list. Raises StoreError.

        What is new is urgent, for its windows are open; what lists may have shown late is not.
        """
        now = self._clock()
        reached = await self._sweeps.reached(self._organization)
        purpose = self._urgency(now)
        try:
            if reached is None:
                await self._walk(now - _FIRST, now, purpose)
            else:
                await self._walk(min(reached, now) - OVERLAP, now, purpose)
                if self._far_at is None or now >= self._far_at:
                    await self._walk(min(reached, now) - FAR_OVERLAP, now, Purpose.sweep)
                    self._far_at = now + _FAR_EVERY
        except (CarrierUnavailable, CarrierRefused) as error:
            log.info("discovery.skipped", organization=self._organization, reason=str(error))

    def _urgency(self, now: datetime) -> Purpose:
        if self._urgent_at is not None and now < self._urgent_at:
            return Purpose.sweep
        self._urgent_at = now + _URGENT_EVERY
        return Purpose.discover

    async def _walk(self, since: datetime, now: datetime, purpose: Purpose) -> None:
        """Write down how far it came after each page, so that the next look goes on from there."""
        taken: dict[ShipmentId, Shipment] = {}
        async for batch in created_since(self._carrier, since, purpose, may_skip=True):
            news = [one for one in batch.shipments if not self._was_taken(one)]
            await self._learning.take(self._organization, news, heard_since=self._heard_since)
            await self._sweeps.reach(self._organization, min(batch.reached, now))
            taken |= {one.id: one for one in batch.shipments}
        self._taken = taken

    def _was_taken(self, found: Shipment) -> bool:
        """Say whether the last look showed the same: what is read once more mostly brings nothing."""
        before = self._taken.get(found.id)
        return before is not None and (before.status, before.changed_at) == (found.status, found.changed_at)
