"""Retention: what is older than it is kept for is deleted in small batches, by one process at a time.

A batch takes a few milliseconds and is followed by a rest many times as long, so that a webhook hardly ever waits for
one, however much there is to delete.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from bridge.errors import LeaseLost, StoreError
from bridge.lifecycle import Clock, Stop
from bridge.observability import Metrics
from bridge.ports import Leases
from bridge.store.pruning import BEGINNING, Batch, Cursor, Table

log = structlog.get_logger()

LEASE: Final = "retention"
_RENEW_S: Final = 2.0


class Pruning(Protocol):
    """Where old rows are deleted."""

    async def prune(
        self, table: Table, older_than: datetime, after: Cursor, limit: int, tokens: Mapping[str, int]
    ) -> Batch: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast things go. `batch_s` is what the rows of one transaction should take, `most` keeps its commit small.

    `rests` is how many times as long as all of it, the commit and the wait for it included, the rest afterwards is.
    """

    batch_s: float = 0.004
    rests: float = 10.0
    shortest_rest_s: float = 0.05
    fewest: int = 10
    most: int = 200
    every_s: float = 60.0


class Retention:
    """Deletes what is older than `keep` says, table by table, again and again."""

    def __init__(
        self,
        *,
        store: Pruning,
        leases: Leases,
        keep: Mapping[Table, timedelta],
        metrics: Metrics,
        clock: Clock,
        stop: Stop,
        pace: Pace | None = None,
    ) -> None:
        self._store = store
        self._leases = leases
        self._keep = keep
        self._metrics = metrics
        self._clock = clock
        self._stop = stop
        self._pace = pace or Pace()
        self._limit = self._pace.fewest
        self._tokens: Mapping[str, int] = {}
        self._renew_at = 0.0
        self._bell = stop.bell()

    async def run(self) -> None:
        """Sweep now and then until the end is announced."""
        while not self._stop:
            try:
                await self.sweep()
            except LeaseLost:
                log.warning("retention.lease_lost")
            except StoreError as error:
                log.warning("retention.store_unavailable", error=type(error).__name__)
            if not self._stop:  # its ring may have ended a rest already
                await self._bell.wait(self._pace.every_s)

    async def sweep(self) -> None:
        """Delete all that is old by now, if nobody else does it."""
        self._renew_at = 0.0
        try:
            rows = {table: await self._sweep(table, kept) for table, kept in self._keep.items()}
        finally:
            await self._leases.release([LEASE])
        if any(rows.values()):
            log.info("retention.deleted", **rows)

    async def _sweep(self, table: Table, kept: timedelta) -> int:
        older_than = self._clock() - kept
        after: Cursor | None = BEGINNING
        rows = 0
        while after is not None and not self._stop and await self._holds_lease():
            began = asyncio.get_running_loop().time()
            batch = await self._store.prune(table, older_than, after, self._limit, self._tokens)
            took = asyncio.get_running_loop().time() - began
            self._metrics.pruned.labels(table).inc(batch.rows)
            rows, after = rows + batch.rows, batch.after
            if batch.rows or after is not None:
                await self._rest(batch, took)
        return rows

    async def _holds_lease(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now >= self._renew_at:
            self._tokens = await self._leases.hold([LEASE])
            self._renew_at = now + _RENEW_S
        return bool(self._tokens)

    async def _rest(self, batch: Batch, took: float) -> None:
        """Let others have the database for a while, and take more or fewer rows the next time."""
        pace = self._pace
        if batch.seconds > pace.batch_s:
            self._limit = max(self._limit // 2, pace.fewest)
        elif batch.seconds < pace.batch_s / 2:
            self._limit = min(self._limit * 2, pace.most)
        await self._bell.wait(max(took * pace.rests, pace.shortest_rest_s))
