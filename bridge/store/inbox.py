"""The inbox: a webhook is on disk before it is acknowledged, and the same one never counts twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bridge.errors import RowRefused
from bridge.model import Arrival, DeliveryId, DeliveryState, Parked, Receipt, micros
from bridge.store import sealed
from bridge.store.database import Database, Transaction, marks
from bridge.store.sealed import Vault

Entry = Arrival | Parked

REFUSED = "refused"
"""The day's counter of rows that the database will not hold. What could not be committed at all counts nowhere here."""
MOST_PARKED = 10_000
MOST_PARKED_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a batch: a receipt each (None where the database refuses the row), and parked rows dropped."""

    receipts: tuple[Receipt | None, ...]
    dropped: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of what is parked is kept."""

    rows: int = MOST_PARKED
    bytes: int = MOST_PARKED_BYTES


class SqlInbox:
    """Takes batches of webhooks in one commit each."""

    def __init__(self, database: Database, vault: Vault, bounds: Bounds | None = None) -> None:
        self._database = database
        self._vault = vault
        self._bounds = bounds or Bounds()

    async def accept(self, batch: Sequence[Entry]) -> Accepted:
        """Store a batch; a row that the database refuses fails alone. Raises StoreUnavailable."""
        try:
            return await self._database.write(lambda transaction: self._accept(transaction, batch))
        except RowRefused:
            return await self._database.write(lambda transaction: self._one_by_one(transaction, batch))

    def _one_by_one(self, transaction: Transaction, batch: Sequence[Entry]) -> Accepted:
        receipts: list[Receipt | None] = []
        dropped = 0
        for entry in batch:
            try:
                with transaction.savepoint():
                    one = self._accept(transaction, [entry])
            except RowRefused:
                receipts.append(None)
                count(transaction, [(entry, REFUSED)])
                continue
            receipts += one.receipts
            dropped += one.dropped
        return Accepted(tuple(receipts), dropped)

    def _accept(self, transaction: Transaction, batch: Sequence[Entry]) -> Accepted:
        arrivals = {entry.id: entry for entry in reversed(batch) if isinstance(entry, Arrival)}
        parked = {entry.id: entry for entry in batch if isinstance(entry, Parked)}
        times = Counter(entry.id for entry in batch)
        fresh = self._insert(transaction, arrivals, times) if arrivals else set()
        dropped = self._park(transaction, parked, times) if parked else 0
        receipts = tuple(_receipt(entry, arrivals, fresh) for entry in batch)
        count(transaction, zip(batch, (receipt.value for receipt in receipts), strict=True))
        return Accepted(receipts, dropped)

    def take(self, transaction: Transaction, entry: Entry) -> Receipt | None:
        """Store one entry as a part of a larger unit; None where the database refuses it."""
        return self._one_by_one(transaction, [entry]).receipts[0]

    def _insert(
        self, transaction: Transaction, arrivals: dict[DeliveryId, Arrival], times: Counter[DeliveryId]
    ) -> set[DeliveryId]:
        """Insert what is new, re-open what failed, count the rest as repeats; say what will take effect.

        What failed may have failed for its body (erased, or sealed with a key that is gone), so the new one is kept.
        """
        rows = [(*_row(arrivals[key]), times[key] - 1) for key in sorted(arrivals)]
        made = transaction.insert(_DELIVERY, rows, tail="ON CONFLICT (id) DO NOTHING RETURNING id")
        fresh = {row[0] for row in made}
        failed = self._repeated(transaction, {key: times[key] for key in arrivals if key not in fresh})
        for key in sorted(failed):
            _reopen(transaction, arrivals[key])
        kept = [arrivals[key] for key in sorted(fresh | failed)]
        sealed.keep(transaction, self._vault, [(arrival.id, arrival.body) for arrival in kept])
        if kept:
            transaction.notify("deliveries")
        return fresh | failed

    def _repeated(self, transaction: Transaction, times: dict[DeliveryId, int]) -> set[DeliveryId]:
        """Count what was known already, and say which of it had failed."""
        if not times:
            return set()
        _repeat(transaction, times)
        known = _known(transaction, sorted(times))
        return {key for key, state in known.items() if state == DeliveryState.failed}

    def _park(self, transaction: Transaction, parked: dict[DeliveryId, Parked], times: Counter[DeliveryId]) -> int:
        transaction.alone("parking")  # or two that count at once would together keep more than the bound
        rows = [
            (
                *(one.id, one.reason, one.organization, one.peer, micros(one.received_at), one.size, len(one.body)),
                times[one.id] - 1,
            )
            for _, one in sorted(parked.items())
        ]
        tail = "ON CONFLICT (id) DO UPDATE SET repeats = parked.repeats + 1 + excluded.repeats"
        transaction.insert("parked (id, reason, organization, peer, received_at, size, kept, repeats)", rows, tail=tail)
        sealed.keep(transaction, self._vault, [(key, one.body) for key, one in sorted(parked.items())])
        return self._drop_oldest(transaction)

    def _drop_oldest(self, transaction: Transaction) -> int:
        rows, size = transaction.run("SELECT count(*), coalesce(sum(kept), 0) FROM parked")[0]
        dropped = 0
        while rows > self._bounds.rows or size > self._bounds.bytes:
            excess = max(rows - self._bounds.rows, 1)
            oldest = transaction.run("SELECT id, kept FROM parked ORDER BY received_at LIMIT ?", (excess,))
            ids = [row[0] for row in oldest]
            transaction.run(f"DELETE FROM sealed WHERE owner IN ({marks(ids)})", ids)
            transaction.run(f"DELETE FROM parked WHERE id IN ({marks(ids)})", ids)
            rows, size, dropped = rows - len(ids), size - sum(row[1] for row in oldest), dropped + len(ids)
        return dropped


_DELIVERY = "deliveries (id, organization, event, shipment, occurred_at, received_at, body_sha256, repeats)"


def _row(arrival: Arrival) -> tuple[object, ...]:
    return (
        arrival.id,
        arrival.organization,
        arrival.event,
        arrival.shipment,
        micros(arrival.occurred_at),
        micros(arrival.received_at),
        arrival.body_sha256,
    )


def _known(transaction: Transaction, ids: Sequence[DeliveryId]) -> dict[DeliveryId, int]:
    return dict(transaction.run(f"SELECT id, state FROM deliveries WHERE id IN ({marks(ids)})", ids))


def _repeat(transaction: Transaction, times: Mapping[DeliveryId, int]) -> None:
    for n in set(times.values()):
        ids = sorted(key for key, found in times.items() if found == n)
        transaction.run(f"UPDATE deliveries SET repeats = repeats + ? WHERE id IN ({marks(ids)})", [n, *ids])


def _reopen(transaction: Transaction, arrival: Arrival) -> None:
    transaction.run(
        "UPDATE deliveries SET state = 0, verdict = NULL, body_sha256 = ?, reopened_at = ? WHERE id = ?",
        (arrival.body_sha256, transaction.now, arrival.id),
    )


def _receipt(entry: Entry, arrivals: dict[DeliveryId, Arrival], fresh: set[DeliveryId]) -> Receipt:
    if isinstance(entry, Parked):
        return Receipt.parked
    return Receipt.accepted if entry.id in fresh and arrivals[entry.id] is entry else Receipt.duplicate


def count(transaction: Transaction, outcomes: Iterable[tuple[Entry, str]]) -> None:
    """Add to the day's counters, in the commit that made them true."""
    numbers = Counter((entry.received_at.date(), entry.organization, outcome) for entry, outcome in outcomes)
    shard = transaction.shard
    rows = [(day.isoformat(), *key, shard, n) for (day, *key), n in sorted(numbers.items())]
    tail = "ON CONFLICT (day, organization, name, shard) DO UPDATE SET n = counters.n + excluded.n"
    transaction.insert("counters (day, organization, name, shard, n)", rows, tail=tail)
