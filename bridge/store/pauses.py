"""Pauses of a connection, as its events tell of them. Only reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic_core import from_json

from bridge.events.catalogue import ConnectionPaused, ConnectionResumed
from bridge.model import Subject, moment
from bridge.store.database import Row, Transaction

_MOST: Final = 1000
"""Events of a connection, the newest: months of them, even of an account that is always in trouble."""


@dataclass(frozen=True, slots=True)
class Paused:
    """A pause: why, from when, and until when; None: it is not over."""

    reason: str
    since: datetime
    until: datetime | None = None


def within(transaction: Transaction, connection: str, begin: datetime, end: datetime | None) -> list[Paused]:
    """Give the pauses that a time touched, the oldest first. Without an end it goes on."""
    found: dict[datetime, Paused] = {}
    for kind, recorded_at, body in reversed(_told(transaction, connection)):
        said = from_json(body)["data"]
        since = datetime.fromisoformat(said["since"])
        until = moment(recorded_at) if kind == ConnectionResumed.type else None
        found[since] = Paused(said["reason"], since, until)
    return [one for one in found.values() if _touches(one, begin, end)]


def _touches(one: Paused, begin: datetime, end: datetime | None) -> bool:
    return (one.until is None or one.until >= begin) and (end is None or one.since <= end)


def _told(transaction: Transaction, connection: str) -> list[Row]:
    """Read what was told of pauses, the newest first."""
    subject = Subject.connection(connection)
    return transaction.run(
        "SELECT events.type, events.recorded_at, events.body FROM subjects"
        " JOIN events ON events.subject_id = subjects.id WHERE subjects.source = ? AND subjects.name = ?"
        " AND events.type IN (?, ?) ORDER BY events.sequence DESC LIMIT ?",
        (*subject, ConnectionPaused.type, ConnectionResumed.type, _MOST),
    )
