"""What waits, measured in the database: the numbers behind the gauges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.model import micros
from bridge.observability import Metrics
from bridge.store.database import Database, Transaction
from bridge.store.outbox import started_at


@dataclass(frozen=True, slots=True)
class Measured:
    """How much waits, and for how many seconds the oldest of it."""

    inbox: int
    inbox_seconds: float
    outbox: int
    outbox_seconds: float

    def show(self, metrics: Metrics) -> None:
        """Set the gauges."""
        metrics.inbox_pending.set(self.inbox)
        metrics.inbox_oldest.set(self.inbox_seconds)
        metrics.outbox_pending.set(self.outbox)
        metrics.outbox_oldest.set(self.outbox_seconds)


class SqlGauges:
    """Measures."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def measure(self, now: datetime) -> Measured:
        """Count what waits."""
        return await self._database.read(lambda transaction: _measure(transaction, micros(now)))


def _measure(transaction: Transaction, now: int) -> Measured:
    inbox, oldest = transaction.run("SELECT count(*), min(received_at) FROM deliveries WHERE state = 0")[0]
    start = started_at(transaction)
    outbox, first = 0, None
    if start is not None:
        outbox, first = transaction.run(
            "SELECT count(*), min(position) FROM outbox WHERE state = 0 AND position > ?", (start,)
        )[0]
    recorded = transaction.run("SELECT recorded_at FROM events WHERE position = ?", (first,)) if first else []
    return Measured(inbox, _age(oldest, now), outbox, _age(recorded[0][0] if recorded else None, now))


def _age(since: int | None, now: int) -> float:
    return 0.0 if since is None else max(now - since, 0) / 1_000_000
