"""The inbox as operators see it: what came, what was done with it, and once more from the beginning."""

from __future__ import annotations

from collections.abc import Callable
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
        read = _parked if wanted.state == "parked" else _deliveries
        return await self._database.read(lambda transaction: read(transaction, wanted, limit))

    async def show(self, key: str) -> Listed | None:
        """Give one delivery, parked or not."""
        return await self._database.read(lambda transaction: _one(transaction, key))

    async def body(self, key: str) -> Kept | None:
        """Give what was kept of a delivery's bytes. Raises KeyMissing where it cannot be opened any more."""
        return await self._database.read(lambda transaction: self._body(transaction, key))

    async def reopen(self, key: DeliveryId) -> bool:
        """Let a delivery be projected once more; facts that are known already stay as they are."""
        changed = await self._database.write(
            lambda transaction: transaction.run(
                "UPDATE deliveries SET state = 0, verdict = NULL, reopened_at = ? WHERE id = ? RETURNING id",
                (transaction.now, key),
            )
        )
        return bool(changed)

    async def release(self, key: DeliveryId, arrival: Arrival) -> Receipt | None:
        """Let a parked delivery take effect, in one commit with the note that it did; None where it is refused."""
        return await self._database.write(lambda transaction: self._release(transaction, key, arrival))

    def _release(self, transaction: Transaction, key: DeliveryId, arrival: Arrival) -> Receipt | None:
        receipt = self._inbox.take(transaction, arrival)
        if receipt is not None:
            transaction.run("UPDATE parked SET replayed_as = ? WHERE id = ?", (arrival.id, key))
        return receipt

    def _body(self, transaction: Transaction, key: str) -> Kept | None:
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


def _deliveries(transaction: Transaction, wanted: Wanted, limit: int) -> list[Listed]:
    return _select(transaction, f"SELECT {_SHOWN} FROM deliveries", wanted, limit, _shown)


def _parked(transaction: Transaction, wanted: Wanted, limit: int) -> list[Listed]:
    return _select(transaction, f"SELECT {_HELD} FROM parked", wanted, limit, _held)


def _select(
    transaction: Transaction, select: str, wanted: Wanted, limit: int, read: Callable[[Row], Listed]
) -> list[Listed]:
    conditions, values = ["1 = 1"], list[object]()
    if wanted.state in ("pending", "done", "failed"):
        conditions.append(f"state = {STATES.index(wanted.state)}")
    if wanted.organizations:
        conditions.append(f"organization IN ({marks(list(wanted.organizations))})")
        values += sorted(wanted.organizations)
    if wanted.before is not None:
        conditions.append("(received_at, id) < (?, ?)")
        values += wanted.before
    where = " AND ".join(conditions)
    rows = transaction.run(f"{select} WHERE {where} ORDER BY received_at DESC, id DESC LIMIT ?", [*values, limit])
    return [read(row) for row in rows]


def _shown(row: Row) -> Listed:
    return Listed(row[0], STATES[row[1]], row[2], row[3], row[4], moment(row[5]), moment(row[6]), row[7], row[8])


def _held(row: Row) -> Listed:
    return Listed(row[0], "parked", row[1], None, None, None, moment(row[2]), row[3], row[4], row[5], row[6])


def cursor_of(listed: Listed) -> tuple[int, str]:
    """Give the cursor that goes on after this delivery."""
    return micros(listed.received_at), listed.id
