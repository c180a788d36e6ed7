"""The feed: every event in the order of its commit, read by a cursor that never passes an uncommitted one."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from collections.abc import Sequence
from dataclasses import dataclass

from bridge.errors import Unreadable
from bridge.model import Event
from bridge.store.database import Database, Transaction, marks
from bridge.store.outbox import EVENT, event
from bridge.store.pruning import pruned
from bridge.store.subjects import named

_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events a reader wants. `type` is the published type, `subject` the CloudEvents subject."""

    type: str | None = None
    subject: str | None = None
    sources: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some events, and where to go on after them."""

    events: tuple[Event, ...]
    cursor: str
    is_last: bool
    has_gap: bool = False
    """Whether events after the cursor that was given had been deleted for their age before anybody asked."""


class SqlFeed:
    """Reads the feed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, after: str | None, limit: int, wanted: Filter | None = None) -> Page:
        """Give up to `limit` events after a cursor (None: from the beginning). Raises Unreadable for a bad cursor."""
        position = 0 if after is None else decode(after)
        until = await self._database.decided()
        rows, gone = await self._database.read(
            lambda transaction: (
                _page(transaction, position, until, limit, wanted or Filter()),
                pruned(transaction)["events"].until,
            )
        )
        last = rows[-1].position if rows else position
        return Page(tuple(rows), encode(last), len(rows) < limit, position < gone)

    async def before(self, last: int, wanted: Filter | None = None) -> str:
        """Give the cursor before the last so many events."""
        until = await self._database.decided()
        return encode(
            await self._database.read(lambda transaction: _last(transaction, last, until, wanted or Filter()))
        )

    async def end(self) -> str:
        """Give the cursor after the last event."""
        until = await self._database.decided()
        rows = await self._database.read(
            lambda transaction: transaction.run(
                "SELECT coalesce(max(position), 0) FROM events WHERE position <= ?", (until,)
            )
        )
        return encode(rows[0][0])


def encode(position: int) -> str:
    """Write a cursor. It is opaque to readers, so that what is in it can change."""
    return urlsafe_b64encode(f"{_VERSION}.{position}".encode()).decode().rstrip("=")


def decode(cursor: str) -> int:
    """Read a cursor. Raises Unreadable."""
    try:
        version, _, position = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(".")
    except (BadBase64, ValueError) as error:
        raise Unreadable("bad_cursor") from error
    if version != _VERSION or not position.isdecimal() or len(position) > 18:
        raise Unreadable("bad_cursor")
    return int(position)


def _page(transaction: Transaction, after: int, until: int, limit: int, wanted: Filter) -> Sequence[Event]:
    where, values = conditions(transaction, wanted)
    rows = transaction.run(
        f"SELECT {EVENT} FROM {FROM} WHERE events.position > ? AND events.position <= ?{where}"
        f" ORDER BY {in_order(wanted)} LIMIT ?",
        [after, until, *values, limit],
    )
    return [event(row) for row in rows]


def _last(transaction: Transaction, last: int, until: int, wanted: Filter) -> int:
    where, values = conditions(transaction, wanted)
    rows = transaction.run(
        f"SELECT events.position FROM {FROM} WHERE events.position <= ?{where}"
        f" ORDER BY {in_order(wanted)} DESC LIMIT ?",
        [until, *values, last + 1],
    )
    return int(rows[last][0]) if len(rows) > last else 0


FROM = "events JOIN subjects ON subjects.id = events.subject_id"


def conditions(transaction: Transaction, wanted: Filter) -> tuple[str, list[object]]:
    """Write what a reader wants as conditions, each with its `AND`, and their values."""
    conditions, values = "", list[object]()
    if wanted.type is not None:
        conditions += " AND events.type = ?"
        values.append(wanted.type.removeprefix("bridge.").removesuffix(".v1"))
    if wanted.subject is not None:
        known = transaction.among("events.subject_id", list(named(transaction, wanted.subject).values()))
        conditions += f" AND {known.sql}"
        values += known.parameters
    if wanted.sources is not None:
        conditions += f" AND subjects.source IN ({marks(wanted.sources)})"
        values += wanted.sources
    return conditions, values


def in_order(wanted: Filter) -> str:
    """Write what a reader's events are ordered by: the feed's order, by its index or, for one subject, by sorting.

    For a few events of a subject PostgreSQL would otherwise go through all there are in their order, until it met them.
    """
    return "events.position" if wanted.subject is None else "events.position + 0"
