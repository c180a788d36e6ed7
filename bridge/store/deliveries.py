"""The inbox as operators see it: what came, what was done with it, and once more from the beginning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bridge.model import Arrival, DeliveryId, Receipt, micros, moment
from bridge.store.database import Database, Row, Transaction, marks
from bridge.store.inbox import SqlInbox
from bridge.store.sealed import Vault

State = Literal["pending", "done", "failed", "parked"]
STATES: tuple[State, ...] = ("pending", "done", "failed", "parked")


@dataclass(frozen=True, slots=True)
class Listed:
    """A delivery as it stands. `verdict` is what was done, or why nothing was; parked ones have no event."""

    id: DeliveryId
    state: State
    organization: int
    event: str | None
    shipment: int | None
    occurred_at: datetime | None
    received_at: datetime
    repeats: int
    verdict: str | None
    peer: str | None = None
    replayed_as: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries a reader wants; `before` is the cursor: older than this moment (microseconds) and id."""

    state: State | None = None
    organizations: frozenset[int] = frozenset()
    before: tuple[int, str] | None = None
    verdict: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a delivery, to be read again. `is_whole` is false where only the beginning was kept."""

    listed: Listed
    is_whole: bool
    body: bytes = field(repr=False)


class SqlDeliveries:
    """Reads the inbox, and puts deliveries back into it."""

    def __init__(self, database: Database, vault: Vault, inbox: SqlInbox) -> None:
        self._database = database
        self._vault = vault
        self._inbox = inbox

    async def list(self, wanted: Wanted, limit: int) -> list[Listed]:
        """Give deliveries, the newest first; parked ones when they are asked for."""
        where = _Where(wanted)
        if wanted.before is not None:
            where.add("(received_at, id) < (?, ?)", *wanted.before)
        return await self._database.read(lambda transaction: _select(transaction, where, "DESC", limit))

    async def to_replay(self, wanted: Wanted, after: tuple[int, str] | None, limit: int) -> Sequence[Listed]:
        """Give what a replay takes up next, the oldest first; of what was parked, what has not taken effect yet."""
        where = _Where(wanted)
        if after is not None:
            where.add("(received_at, id) > (?, ?)", *after)
        if where.is_parked:
            where.add("replayed_as IS NULL")
        return await self._database.read(lambda transaction: _select(transaction, where, "ASC", limit))

    async def show(self, key: str) -> Listed | None:
        """Give one delivery, parked or not."""
        return await self._database.read(lambda transaction: _one(transaction, key))

    async def body(self, key: str) -> Kept | None:
        """Give what was kept of a delivery's bytes. Raises KeyMissing where it cannot be opened any more."""
        return await self._database.read(lambda transaction: self.kept(transaction, key))

    # -- parts of larger units ---------------------------------------------------------------------------------------

    def reopen(self, transaction: Transaction, key: DeliveryId) -> bool:
        """Let a delivery be projected once more; facts that are known already stay as they are."""
        sql = "UPDATE deliveries SET state = 0, verdict = NULL, reopened_at = ? WHERE id = ? RETURNING id"
        changed = transaction.run(sql, (transaction.now, key))
        transaction.notify("deliveries")
        return bool(changed)

    def release(self, transaction: Transaction, key: DeliveryId, arrival: Arrival) -> Receipt | None:
        """Let a parked delivery take effect, and note that it did; None where it is refused."""
        receipt = self._inbox.take(transaction, arrival)
        if receipt is not None:
            transaction.run("UPDATE parked SET replayed_as = ? WHERE id = ?", (arrival.id, key))
        return receipt

    def kept(self, transaction: Transaction, key: str) -> Kept | None:
        """Give what was kept of a delivery's bytes. Raises KeyMissing where it cannot be opened any more."""
        listed = _one(transaction, key)
        rows = transaction.run("SELECT key_id, data FROM sealed WHERE owner = ?", (key,))
        if listed is None or not rows:
            return None
        sizes = transaction.run("SELECT size, kept FROM parked WHERE id = ?", (key,))
        is_whole = not sizes or sizes[0][0] == sizes[0][1]
        return Kept(listed, is_whole, self._vault.open(key, *rows[0]))


_SHOWN = "id, state, organization, event, shipment, occurred_at, received_at, repeats, verdict"
_HELD = "id, organization, received_at, repeats, reason, peer, replayed_as"


def _one(transaction: Transaction, key: str) -> Listed | None:
    found = [_shown(row) for row in transaction.run(f"SELECT {_SHOWN} FROM deliveries WHERE id = ?", (key,))]
    found += [_held(row) for row in transaction.run(f"SELECT {_HELD} FROM parked WHERE id = ?", (key,))]
    return found[0] if found else None


class _Where:
    """The conditions that a reader's wishes come to, and their values."""

    def __init__(self, wanted: Wanted) -> None:
        self.is_parked = wanted.state == "parked"
        self.conditions, self.values = ["1 = 1"], list[object]()
        if wanted.state is not None and not self.is_parked:
            self.add(f"state = {STATES.index(wanted.state)}")  # in the text, so that the index for it is used
        if wanted.organizations:
            self.add(f"organization IN ({marks(list(wanted.organizations))})", *sorted(wanted.organizations))
        if wanted.verdict is not None:
            self.add(f"{'reason' if self.is_parked else 'verdict'} = ?", wanted.verdict)
        if wanted.since is not None:
            self.add("received_at >= ?", micros(wanted.since))

    def add(self, condition: str, *values: object) -> None:
        """Narrow it down."""
        self.conditions.append(condition)
        self.values += values


def _select(transaction: Transaction, where: _Where, order: Literal["ASC", "DESC"], limit: int) -> list[Listed]:
    columns, table, read = (_HELD, "parked", _held) if where.is_parked else (_SHOWN, "deliveries", _shown)
    rows = transaction.run(
        f"SELECT {columns} FROM {table} WHERE {' AND '.join(where.conditions)}"
        f" ORDER BY received_at {order}, id {order} LIMIT ?",
        [*where.values, limit],
    )
    return [read(row) for row in rows]


def _shown(row: Row) -> Listed:
    return Listed(row[0], STATES[row[1]], row[2], row[3], row[4], moment(row[5]), moment(row[6]), row[7], row[8])


def _held(row: Row) -> Listed:
    return Listed(row[0], "parked", row[1], None, None, None, moment(row[2]), row[3], row[4], row[5], row[6])


def cursor_of(listed: Listed) -> tuple[int, str]:
    """Give the cursor that goes on after this delivery."""
    return micros(listed.received_at), listed.id
