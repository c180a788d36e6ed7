"""What waits, measured in the database: the numbers behind the gauges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bridge.model import micros
from bridge.observability import Metrics
from bridge.store.database import Database, Transaction
from bridge.store.outbox import started_at
from bridge.store.purchase import LIVE, PurchaseState

_OPEN: Final = (*LIVE, PurchaseState.held)


@dataclass(frozen=True, slots=True)
class Measured:
    """How much waits, and for how many seconds the oldest of it.

    `purchases` are under way, by state; held ones count while their window is open.
    """

    inbox: int
    inbox_seconds: float
    outbox: int
    outbox_seconds: float
    purchases: Mapping[str, int]
    doubt_seconds: float
    returns_in_doubt: int

    def show(self, metrics: Metrics) -> None:
        """Set the gauges."""
        metrics.inbox_pending.set(self.inbox)
        metrics.inbox_oldest.set(self.inbox_seconds)
        metrics.outbox_pending.set(self.outbox)
        metrics.outbox_oldest.set(self.outbox_seconds)
        metrics.doubt_oldest.set(self.doubt_seconds)
        metrics.returns_in_doubt.set(self.returns_in_doubt)
        for state in _OPEN:
            metrics.purchases_open.labels(state.value).set(self.purchases.get(state, 0))


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
    purchases, doubted = _purchases(transaction, now)
    waits = _age(recorded[0][0] if recorded else None, now)
    returns = transaction.run("SELECT count(*) FROM doubtful_returns")[0][0]
    return Measured(inbox, _age(oldest, now), outbox, waits, purchases, _age(doubted, now), returns)


def _purchases(transaction: Transaction, now: int) -> tuple[Mapping[str, int], int | None]:
    """Count those under way by state, and say when the request of the oldest in doubt can have left last."""
    live = transaction.run(
        "SELECT state, count(*), min(COALESCE(left_by, updated_at)) FROM purchases"
        " WHERE state IN ('wanted', 'intended', 'doubt') GROUP BY state"
    )
    held = transaction.run("SELECT count(*) FROM purchases WHERE state = 'held' AND deadline > ?", (now,))[0][0]
    doubted = next((since for state, _, since in live if state == PurchaseState.doubt), None)
    return {**{state: number for state, number, _ in live}, PurchaseState.held: held}, doubted


def _age(since: int | None, now: int) -> float:
    return 0.0 if since is None else max(now - since, 0) / 1_000_000
