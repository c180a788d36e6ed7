"""The inbox as operators see it: what came, what was done with it, and once more from the beginning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal

from bridge.errors import Unreadable
from bridge.model import Arrival, DeliveryId, Receipt, micros, moment
from bridge.store.database import Database, Row, Transaction, marks
from bridge.store.inbox import SqlInbox
from bridge.store.sealed import Vault

State = Literal["pending", "done", "failed", "parked"]
STATES: tuple[State, ...] = ("pending", "done", "failed", "parked")
Place = tuple[int, str]
"""Where a delivery stands among all, parked or not: when it came (microseconds), and its id."""
LOOKED: Final = 1000
"""So many deliveries a replay looks at in one go: one that matches in a million is found in small steps, too."""


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
    """Which deliveries a reader wants: of any state, parked ones too, where none is named. `before` is the cursor."""

    state: State | None = None
    organizations: frozenset[int] = frozenset()
    before: Place | None = None
    verdict: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What is to be replayed next, which may be none although there are more, and where to go on after it."""

    listed: Sequence[Listed]
    after: Place


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
        """Give deliveries, the newest first."""
        return await self._database.read(lambda transaction: _newest(transaction, wanted, limit))

    async def end(self, wanted: Wanted) -> Place | None:
        """Give the place of what came last, which is where a replay that begins now ends; None where nothing did."""
        return await self._database.read(lambda transaction: _end(transaction, wanted))

    async def to_replay(self, wanted: Wanted, after: Place | None, until: Place, limit: int) -> Found:
        """Give what a replay takes up next, the oldest first; of what was parked, what has not taken effect yet."""
        return await self._database.read(lambda transaction: _next(transaction, wanted, after, until, limit))

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
    """The conditions that a reader's wishes come to in one of the two tables, and their values."""

    def __init__(self, wanted: Wanted, *, is_parked: bool) -> None:
        self.is_parked = is_parked
        self.conditions, self.values = ["1 = 1"], list[object]()
        if wanted.state is not None and not is_parked:
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


def _newest(transaction: Transaction, wanted: Wanted, limit: int) -> list[Listed]:
    """Take the newest of each table that is meant, and of these the newest."""
    found = list[Listed]()
    for is_parked in (False, True) if wanted.state is None else (wanted.state == "parked",):
        where = _Where(wanted, is_parked=is_parked)
        if wanted.before is not None:
            where.add("(received_at, id) < (?, ?)", *wanted.before)
        found += _select(transaction, where, "DESC", limit)
    return sorted(found, key=cursor_of, reverse=True)[:limit]


def _end(transaction: Transaction, wanted: Wanted) -> Place | None:
    table = "parked" if wanted.state == "parked" else "deliveries"
    rows = transaction.run(f"SELECT received_at, id FROM {table} ORDER BY received_at DESC, id DESC LIMIT 1")
    return (rows[0][0], rows[0][1]) if rows else None


def _next(transaction: Transaction, wanted: Wanted, after: Place | None, until: Place, limit: int) -> Found:
    start = (0 if wanted.since is None else micros(wanted.since), "")
    after = max(after or start, start)
    until = _looked(transaction, wanted, after, until)
    where = _Where(replace(wanted, since=None), is_parked=wanted.state == "parked")
    where.add(_BETWEEN, *after, *until)
    if where.is_parked:
        where.add("replayed_as IS NULL")
    found = _select(transaction, where, "ASC", limit)
    return Found(found, cursor_of(found[-1]) if len(found) == limit else until)


def _looked(transaction: Transaction, wanted: Wanted, after: Place, until: Place) -> Place:
    """Give the place up to which is looked. What failed has an index of its own: nothing else is passed by there."""
    table = "parked" if wanted.state == "parked" else "deliveries"
    its = f" AND state = {STATES.index('failed')}" if wanted.state == "failed" else ""
    rows = transaction.run(
        f"SELECT received_at, id FROM {table} WHERE {_BETWEEN}{its} ORDER BY received_at, id LIMIT 1 OFFSET ?",
        (*after, *until, LOOKED - 1),
    )
    return (rows[0][0], rows[0][1]) if rows else until


_BETWEEN: Final = "(received_at, id) > (?, ?) AND (received_at, id) <= (?, ?)"


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


def cursor_of(listed: Listed) -> Place:
    """Give the cursor that goes on after this delivery."""
    return micros(listed.received_at), listed.id


def following(found: Sequence[Listed], limit: int) -> str | None:
    """Write the cursor that a list goes on after; None where this was the last of it."""
    return None if len(found) < limit else "{}.{}".format(*cursor_of(found[-1]))


def decode(cursor: str) -> Place:
    """Read what `following` wrote. Raises Unreadable."""
    at, _, key = cursor.partition(".")
    if not at.isdecimal() or len(at) > 18:
        raise Unreadable("bad_cursor")
    return int(at), key
