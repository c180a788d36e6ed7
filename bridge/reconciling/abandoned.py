"""Shipments that a command had in its hand when it was given up: they are let go of, so that nothing waits for ever."""

from __future__ import annotations

import structlog

from bridge.lifecycle import Clock
from bridge.model import OrganizationId
from bridge.store.database import Database
from bridge.store.steering import SqlSteering, has_any

log = structlog.get_logger()


class Abandoned:
    """Looks for them. Commands end with what they have in hand, but for one that died again and again."""

    def __init__(self, database: Database, steering: SqlSteering, clock: Clock) -> None:
        self._database = database
        self._steering = steering
        self._clock = clock

    async def let_go(self, organization: OrganizationId) -> None:
        """Let go of those of an organization."""
        if not await self._database.read(lambda transaction: has_any(transaction, organization)):
            return
        n = await self._database.write(
            lambda transaction: self._steering.let_go(transaction, organization, self._clock())
        )
        if n:
            log.warning("shipments.let_go", organization=organization, n=n)
