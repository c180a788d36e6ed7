"""Returns of which nobody knows whether they were made: between when it can have been, and when to look for each again.

All in the caller's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from pydantic_core import from_json

from bridge.model import micros, moment
from bridge.store.database import Row, Transaction

LOOKED_FOR: Final = timedelta(days=7)
"""What does not show for so long is not looked for any more: then it is a person's to settle."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A return in doubt. It can have been made between `since` and `until`, by the bridge's clock.

    `sender` is a digest, where the provider finds it by nothing else. `showed` is what the last look showed, `look_at`
    when the next one is due; None: nobody looks any more.
    """

    id: str
    connection: str
    since: datetime
    until: datetime
    look_at: datetime | None
    sender: str | None = field(default=None, repr=False)
    looks: int = 0
    looked_at: datetime | None = None
    showed: str | None = None


def begin(transaction: Transaction, one: Doubt) -> None:
    """Write down that a return is in doubt, unless that is known."""
    transaction.insert(f"doubtful_returns ({_COLUMNS})", [_row(one)], tail="ON CONFLICT DO NOTHING")


def find(transaction: Transaction, id_: str) -> Doubt | None:
    """Give what is known of a return's doubt."""
    rows = transaction.run(f"SELECT {_COLUMNS} FROM doubtful_returns WHERE id = ?", (id_,))
    return _doubt(rows[0]) if rows else None


def due(transaction: Transaction, connection: str, now: datetime, limit: int) -> list[Doubt]:
    """Give those of a connection that are to be looked for, the longest overdue first."""
    rows = transaction.run(
        f"SELECT {_COLUMNS} FROM doubtful_returns WHERE connection = ? AND look_at <= ? ORDER BY look_at, id LIMIT ?",
        (connection, micros(now), limit),
    )
    return [_doubt(row) for row in rows]


def looked(transaction: Transaction, one: Doubt) -> None:
    """Write down what a look showed, and when the next one is due; what was settled meanwhile stays so."""
    transaction.run(
        "UPDATE doubtful_returns SET looks = ?, looked_at = ?, showed = ?, look_at = ? WHERE id = ?",
        (one.looks, _micros(one.looked_at), one.showed, _micros(one.look_at), one.id),
    )


def left(transaction: Transaction, connection: str, limit: int) -> dict[str, bool]:
    """Give returns that are being made by no command any more, by their ids: whether they may have been sent."""
    rows = transaction.run(
        "SELECT returns.id, commands.progress FROM returns"
        " LEFT JOIN commands ON commands.operation = 'return.create' AND commands.id = returns.command"
        " WHERE returns.connection = ? AND returns.state = 'pending'"
        " AND (commands.state IS NULL OR commands.state NOT IN ('waiting', 'running')) LIMIT ?",
        (connection, limit),
    )
    return {id_: _is_sent(id_, progress) for id_, progress in rows}


def lock(transaction: Transaction, one: Doubt) -> bool:
    """Let nobody settle this one, nor another of its sender, until the commit; say whether it still is in doubt."""
    rows = transaction.run(
        "SELECT id FROM doubtful_returns WHERE id = ? OR (connection = ? AND sender = ?)"
        f" ORDER BY id {transaction.for_update}",
        (one.id, one.connection, one.sender),
    )
    return (one.id,) in rows


def end(transaction: Transaction, id_: str) -> None:
    """Write down that a return is in doubt no more."""
    transaction.run("DELETE FROM doubtful_returns WHERE id = ?", (id_,))


def has_any(transaction: Transaction, connection: str, sender: str, since: datetime) -> bool:
    """Say whether one of the same sender can have been made since a moment."""
    rows = transaction.run(
        "SELECT 1 FROM doubtful_returns WHERE connection = ? AND sender = ? AND until > ? LIMIT 1",
        (connection, sender, micros(since)),
    )
    return bool(rows)


def _is_sent(id_: str, progress: str | None) -> bool:
    """Read it from how far the command came; where that is about something else, it may have been."""
    found = from_json(progress) if progress else {"at": {}}
    return bool(found["is_sent"]) if found["at"].get("return_id") == id_ else True


_COLUMNS: Final = "id, connection, sender, since, until, looks, looked_at, showed, look_at"


def _row(one: Doubt) -> Row:
    since, until = micros(one.since), micros(one.until)
    looked = one.looks, _micros(one.looked_at), one.showed, _micros(one.look_at)
    return one.id, one.connection, one.sender, since, until, *looked


def _doubt(row: Row) -> Doubt:
    id_, connection, sender, since, until, looks, looked_at, showed, look_at = row
    return Doubt(
        id=id_,
        connection=connection,
        since=moment(since),
        until=moment(until),
        look_at=_moment(look_at),
        sender=sender,
        looks=looks,
        looked_at=_moment(looked_at),
        showed=showed,
    )


def _micros(at: datetime | None) -> int | None:
    return None if at is None else micros(at)


def _moment(value: int | None) -> datetime | None:
    return None if value is None else moment(value)
