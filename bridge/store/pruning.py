"""What is older than it is kept for is deleted: a few rows in a transaction, with what is known of it afterwards.

Facts, subjects, purchases and the day's counters stay: nothing is told twice, and the books add up for good. Nothing
that still waits is touched, whatever its age: deliveries without a verdict, events that the broker has yet to confirm.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

from bridge.errors import LeaseLost
from bridge.model import DeliveryState, micros
from bridge.store import commands, labels, old_returns
from bridge.store.database import EVERYTHING, Database, Row, Transaction, marks
from bridge.store.leases import still_held
from bridge.store.outbox import PUBLISHED, started_at
from bridge.store.purchase import LIVE, PurchaseState
from bridge.store.shelf import drop_sealed

Table = Literal[
    "deliveries", "parked", "events", "journal", "decisions", "commands", "labels", "return_labels", "returns"
]
TABLES: Final[tuple[Table, ...]] = get_args(Table)
Cursor = tuple[int, str]
"""Where a sweep of a table goes on: a moment and an id, or a position alone."""
BEGINNING: Final[Cursor] = (0, "")


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction deleted. `after` is None when nothing older is left; `seconds` is what the rows took."""

    rows: int
    after: Cursor | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Mark:
    """How much of a table was deleted for its age, and up to which position (events) or moment (the others)."""

    rows: int
    until: int


@dataclass(frozen=True, slots=True)
class _Found:
    """What a look at the oldest rows brought: those to delete, how far they go, and where to go on.

    An id that takes several columns is a row of them.
    """

    ids: Sequence[Any]
    until: int
    after: Cursor | None


class SqlPruning:
    """Deletes in batches, for whoever holds the lease; `drop` takes labels from where they lie."""

    def __init__(self, database: Database, holder: str, drop: labels.Drop = drop_sealed) -> None:
        self._database = database
        self._holder = holder
        self._drop = drop

    async def prune(
        self, table: Table, older_than: datetime, after: Cursor, limit: int, tokens: Mapping[str, int]
    ) -> Batch:
        """Look at up to `limit` rows beyond the cursor and delete the old ones. Raises LeaseLost."""
        return await self._database.write(
            lambda transaction: self._prune(transaction, table, micros(older_than), after, limit, tokens)
        )

    def _prune(
        self,
        transaction: Transaction,
        table: Table,
        older_than: int,
        after: Cursor,
        limit: int,
        tokens: Mapping[str, int],
    ) -> Batch:
        began = time.perf_counter()
        if not still_held(transaction, self._holder, tokens):
            raise LeaseLost("another replica deletes what is old")
        found = _FIND[table](transaction, older_than, after, limit)
        if found.ids:
            self._delete(transaction, table, found.ids)
            _note(transaction, table, len(found.ids), found.until)
        return Batch(len(found.ids), found.after, time.perf_counter() - began)

    def _delete(self, transaction: Transaction, table: Table, ids: Sequence[Any]) -> None:
        match table:
            case "commands":
                commands.forget(transaction, ids)
            case "labels":
                labels.delete(transaction, ids, self._drop)
            case "return_labels":
                old_returns.delete_labels(transaction, ids)
            case "returns":
                old_returns.delete(transaction, ids)
            case _:
                _delete(transaction, table, ids)


def pruned(transaction: Transaction) -> dict[str, Mark]:
    """Read what was deleted for its age so far."""
    found = {row[0]: Mark(row[1], row[2]) for row in transaction.run("SELECT what, n, until FROM pruned")}
    return {table: found.get(table, Mark(0, 0)) for table in TABLES}


def _delete(transaction: Transaction, table: Table, ids: Sequence[Any]) -> None:
    if table == "decisions":
        those = transaction.given(("bigint", "bigint", "bigint"), ids)
        transaction.run(
            f"DELETE FROM decisions WHERE (organization, shipment, at) IN (SELECT * FROM {those.sql})", those.parameters
        )
        return
    for sql in _DELETE[table]:
        transaction.run(sql.format(marks(ids)), ids)


def _note(transaction: Transaction, table: Table, rows: int, until: int) -> None:
    later = "CASE WHEN excluded.until > pruned.until THEN excluded.until ELSE pruned.until END"
    transaction.insert(
        "pruned (what, n, until)",
        [(table, rows, until)],
        tail=f"ON CONFLICT (what) DO UPDATE SET n = pruned.n + excluded.n, until = {later}",
    )


def _deliveries(transaction: Transaction, older_than: int, after: Cursor, limit: int) -> _Found:
    rows = transaction.run(
        "SELECT received_at, id, state FROM deliveries WHERE received_at < ? AND (received_at, id) > (?, ?)"
        f" ORDER BY received_at, id LIMIT ? {transaction.skip_locked('deliveries')}",
        (older_than, *after, limit),
    )
    old = [row for row in rows if row[2] != DeliveryState.pending]
    last = (rows[-1][0], rows[-1][1]) if len(rows) == limit else None
    return _Found([row[1] for row in old], max((row[0] for row in old), default=0), last)


def _parked(transaction: Transaction, older_than: int, after: Cursor, limit: int) -> _Found:
    rows = transaction.run(
        "SELECT received_at, id FROM parked WHERE received_at < ? AND received_at >= ?"
        f" ORDER BY received_at LIMIT ? {transaction.skip_locked('parked')}",
        (older_than, after[0], limit),
    )
    last = (rows[-1][0], "") if len(rows) == limit else None
    return _Found([row[1] for row in rows], rows[-1][0] if rows else 0, last)


def _events(transaction: Transaction, older_than: int, after: Cursor, limit: int) -> _Found:
    """Take events from the oldest on, up to the first that is young enough: what is left of a subject has no gap.

    Where a broker was ever configured, what came since then goes only once the broker has confirmed it, and all that
    came before it of the same subject.
    """
    start = started_at(transaction)
    start = EVERYTHING if start is None else start
    rows = transaction.run(
        f"SELECT events.position, events.recorded_at, ({_KEPT} OR EXISTS (SELECT 1 FROM events AS earlier"
        "  JOIN outbox ON outbox.position = earlier.position WHERE earlier.subject_id = events.subject_id"
        f" AND earlier.sequence < events.sequence AND {_KEPT}))"
        " FROM events JOIN outbox ON outbox.position = events.position"
        " WHERE events.position > ? ORDER BY events.position LIMIT ?",
        (start, start, after[0], limit),
    )
    young = next((place for place, row in enumerate(rows) if row[1] >= older_than), None)
    old = [position for position, _, is_kept in rows[:young] if not is_kept]
    last = (rows[-1][0], "") if young is None and len(rows) == limit else None
    return _Found(old, old[-1] if old else 0, last)


def _journal(transaction: Transaction, older_than: int, after: Cursor, limit: int) -> _Found:
    rows = transaction.run("SELECT id, at, last_at FROM journal WHERE id > ? ORDER BY id LIMIT ?", (after[0], limit))
    young = next((place for place, row in enumerate(rows) if row[1] >= older_than), None)
    old = [row for row in rows[:young] if row[2] < older_than]
    last = (rows[-1][0], "") if young is None and len(rows) == limit else None
    return _Found([row[0] for row in old], max((row[2] for row in old), default=0), last)


def _decisions(transaction: Transaction, older_than: int, after: Cursor, limit: int) -> _Found:
    """Take decisions that no purchase goes by any more: not what is being bought, nor what a person is asked about."""
    rows = transaction.run(
        "SELECT at, organization, shipment, EXISTS (SELECT 1 FROM purchases"
        "  WHERE purchases.organization = decisions.organization AND purchases.shipment = decisions.shipment"
        f"  AND purchases.state IN ({_OPEN})) FROM decisions"
        " WHERE at < ? AND (at, organization, shipment) > (?, ?, ?) ORDER BY at, organization, shipment LIMIT ?",
        (older_than, *_place(after), limit),
    )
    old = [(organization, shipment, at) for at, organization, shipment, is_open in rows if not is_open]
    last = (rows[-1][0], f"{rows[-1][1]}/{rows[-1][2]}") if len(rows) == limit else None
    return _Found(old, max((at for _, _, at in old), default=0), last)


def _place(after: Cursor) -> tuple[int, int, int]:
    """Read a cursor among decisions: many are of one moment."""
    organization, _, shipment = (after[1] or "0/0").partition("/")
    return after[0], int(organization), int(shipment)


def _commands(transaction: Transaction, older_than: int, after: Cursor, limit: int) -> _Found:
    """Take commands, but not those whose return is kept here: given again, they would make another one.

    There may be many of them, seen by every sweep: locked is only what goes.
    """
    rows = transaction.run(
        f"SELECT ended_at, {_COMMAND}, operation, id, CASE WHEN {_MAKES_RETURNS} THEN progress END FROM commands"
        f" WHERE ended_at < ? AND ended_at >= ? AND (ended_at, {_COMMAND}) > (?, ?)"
        f" ORDER BY ended_at, {_COMMAND} LIMIT ?",
        (older_than, after[0], *after, limit),
    )
    made = {(operation, id_): _made(progress) for _, _, operation, id_, progress in rows}
    kept = old_returns.kept(transaction, [one for one in made.values() if one is not None])
    old = _still_old(transaction, older_than, [key for key, return_id in made.items() if return_id not in kept])
    last = (rows[-1][0], rows[-1][1]) if len(rows) == limit else None
    return _Found([(operation, id_) for operation, id_, _ in old], max((at for *_, at in old), default=0), last)


def _made(progress: str | None) -> str | None:
    """Name the return that a command made."""
    found: str | None = json.loads(progress or "{}").get("at", {}).get("return_id")
    return found


def _still_old(transaction: Transaction, older_than: int, keys: Sequence[tuple[str, str]]) -> list[Row]:
    """Lock commands, but for those that were just given again: each with when it ended."""
    if not keys:
        return []
    those = transaction.given(("text", "text"), keys)
    return transaction.run(
        "SELECT operation, id, ended_at FROM commands"
        f" WHERE (operation, id) IN (SELECT * FROM {those.sql}) AND ended_at < ? {transaction.skip_locked('commands')}",
        [*those.parameters, older_than],
    )


def _labels(transaction: Transaction, older_than: int, after: Cursor, limit: int) -> _Found:
    rows = transaction.run(
        "SELECT at, id FROM labels WHERE at < ? AND (at, id) > (?, ?)"
        f" ORDER BY at, id LIMIT ? {transaction.skip_locked('labels')}",
        (older_than, *after, limit),
    )
    last = (rows[-1][0], rows[-1][1]) if len(rows) == limit else None
    return _Found([row[1] for row in rows], rows[-1][0] if rows else 0, last)


def _return_labels(transaction: Transaction, older_than: int, after: Cursor, limit: int) -> _Found:
    return _of_returns(old_returns.look_at_labels(transaction, older_than, after, limit), limit)


def _returns(transaction: Transaction, older_than: int, after: Cursor, limit: int) -> _Found:
    return _of_returns(old_returns.look(transaction, older_than, after, limit), limit)


def _of_returns(rows: Sequence[Row], limit: int) -> _Found:
    old = [(at, id_) for at, id_, goes in rows if goes]
    last = (rows[-1][0], rows[-1][1]) if len(rows) == limit else None
    return _Found([id_ for _, id_ in old], max((at for at, _ in old), default=0), last)


_OPEN: Final = ", ".join(f"'{state}'" for state in (*sorted(LIVE), PurchaseState.held))
_COMMAND: Final = "operation || '/' || id"
_MAKES_RETURNS: Final = "operation IN ('return.create', 'return.code.activate')"
_KEPT: Final = f"(outbox.position > ? AND outbox.state <> {PUBLISHED})"
_FIND: Final[dict[Table, Callable[[Transaction, int, Cursor, int], _Found]]] = {
    "deliveries": _deliveries,
    "parked": _parked,
    "events": _events,
    "journal": _journal,
    "decisions": _decisions,
    "commands": _commands,
    "labels": _labels,
    "return_labels": _return_labels,
    "returns": _returns,
}
_DELETE: Final[Mapping[str, tuple[str, ...]]] = {
    "deliveries": ("DELETE FROM sealed WHERE owner IN ({})", "DELETE FROM deliveries WHERE id IN ({})"),
    "parked": ("DELETE FROM sealed WHERE owner IN ({})", "DELETE FROM parked WHERE id IN ({})"),
    "events": ("DELETE FROM outbox WHERE position IN ({})", "DELETE FROM events WHERE position IN ({})"),
    "journal": ("DELETE FROM journal WHERE id IN ({})",),
}
