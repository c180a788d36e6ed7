"""What of the books an audit looks at, cut into pieces that fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from bridge.model import micros
from bridge.store.database import EVERYTHING, Transaction
from bridge.store.outbox import started_at
from bridge.store.pruning import Mark, pruned

Stage = Literal["deliveries", "subjects", "ledger"]
Watch = Callable[[Stage, float], None]
"""Told how much of a stage is done, from 0 to 1."""
VERDICT_WITHIN: Final = timedelta(seconds=60)
_SUBJECTS: Final = 5_000
_EVENTS: Final = 20_000
DAY: Final = 86_400_000_000
"""In microseconds: what moments are divided by to give days."""


@dataclass(frozen=True, slots=True)
class Scope:
    """From when on, and what is known of what is not there any more. `since` and `position` are 0 for all of it."""

    now: int
    since: int
    position: int
    """The last event before `since`."""
    pruned: Mapping[str, Mark]
    start: int
    """The position after which events are the broker's."""

    @property
    def late(self) -> int:
        """Before this moment a delivery must have come if it has no verdict."""
        return self.now - int(VERDICT_WITHIN / timedelta(microseconds=1))

    @property
    def is_all(self) -> bool:
        return self.since == 0


@dataclass(frozen=True, slots=True)
class Piece:
    """Some subjects, as a select with its values. `share` is how much is done with them."""

    sql: str
    values: tuple[int, ...]
    share: float


def scope(transaction: Transaction, now: datetime, since: datetime | None) -> Scope:
    """Find out what is to be looked at."""
    begin = 0 if since is None else micros(since)
    start = started_at(transaction)
    position = 0 if since is None else _last_before(transaction, begin)
    return Scope(micros(now), begin, position, pruned(transaction), EVERYTHING if start is None else start)


def pieces(transaction: Transaction, scope: Scope) -> Iterator[Piece]:
    """Give the subjects piece by piece: all of them, or those that something was told of since then."""
    sql, step, size = (_ALL, _NEXT_SUBJECT, _SUBJECTS) if scope.is_all else (_SINCE, _NEXT_EVENT, _EVENTS)
    table, column = ("subjects", "id") if scope.is_all else ("events", "position")
    first = scope.position
    last = int(transaction.run(f"SELECT coalesce(max({column}), 0) FROM {table}")[0][0])
    after = first
    while (until := transaction.run(step, (after, size))[0][0]) is not None:
        yield Piece(sql, (after, until), (until - first) / max(last - first, 1))
        after = until


_ALL: Final = "SELECT id, source, name, sequence FROM subjects WHERE id > ? AND id <= ?"
_NEXT_SUBJECT: Final = "SELECT max(id) FROM (SELECT id FROM subjects WHERE id > ? ORDER BY id LIMIT ?) AS piece"
_SINCE: Final = (  # with its last event, so that each comes once
    "SELECT subjects.id, subjects.source, subjects.name, subjects.sequence FROM events AS last"
    " JOIN subjects ON subjects.id = last.subject_id WHERE last.position > ? AND last.position <= ?"
    " AND last.sequence = (SELECT max(sequence) FROM events WHERE events.subject_id = last.subject_id)"
)
_NEXT_EVENT: Final = (
    "SELECT max(position) FROM (SELECT position FROM events WHERE position > ? ORDER BY position LIMIT ?) AS piece"
)


def _last_before(transaction: Transaction, moment: int) -> int:
    """Find the last event recorded before a moment, by halves: positions grow with time."""
    low = 0
    high = int(transaction.run("SELECT coalesce(max(position), 0) FROM events")[0][0])
    while low < high:
        middle = (low + high + 1) // 2
        rows = transaction.run(
            "SELECT recorded_at FROM events WHERE position <= ? ORDER BY position DESC LIMIT 1", (middle,)
        )
        if not rows or rows[0][0] < moment:
            low = middle
        else:
            high = middle - 1
    return int(transaction.run("SELECT coalesce(max(position), 0) FROM events WHERE position <= ?", (low,))[0][0])
