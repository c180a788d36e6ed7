"""The feed: every event in the order of its commit, read by a cursor that never passes an uncommitted one."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from bridge.errors import CursorOfAnotherPast, Unreadable
from bridge.events.catalogue import unversioned
from bridge.model import Event, micros
from bridge.store.database import Database, Transaction, marks
from bridge.store.outbox import EVENT, event
from bridge.store.pruning import pruned
from bridge.store.subjects import named

_PLAIN, _MARKED = "1", "2"
"""The versions of a cursor: a position alone, and one with a mark of the event that lies there.

The mark is when it was recorded. Its id would be the same where a restored bridge tells the same fact again; and what
it tells before that, in the places of what it forgot, would be missed.
"""
STRETCH: Final = 1000
"""How many positions are looked at at once for what no index leads to: one event in a million is found in small steps,
and whoever waits for it keeps nobody else from reading."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events a reader wants. `type` is the published type, `subject` the CloudEvents subject."""

    type: str | None = None
    subject: str | None = None
    organizations: tuple[int, ...] | None = None

    @property
    def is_looked_for(self) -> bool:
        """Say whether others lie between the events that are wanted, and no index leads to these alone."""
        return self.subject is None and (self.type is not None or self.organizations is not None)


@dataclass(frozen=True, slots=True)
class Page:
    """Some events, which may be none although there are more, and where to go on after what was looked at."""

    events: tuple[Event, ...]
    cursor: str
    is_last: bool
    has_gap: bool = False
    """Whether events after the cursor that was given had been deleted for their age before anybody asked."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader stopped: after the event at this position, which has this mark."""

    position: int
    mark: int | None = None


class SqlFeed:
    """Reads the feed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, after: str | None, limit: int, wanted: Filter | None = None) -> Page:
        """Give up to `limit` events after a cursor (None: from the beginning).

        Raises Unreadable for a bad cursor, and CursorOfAnotherPast: who went on would miss what took the event's place.
        """
        until = await self._database.decided()
        return await self._database.read(
            lambda transaction: _page(transaction, after, until, limit, wanted or Filter())
        )

    async def before(self, last: int, wanted: Filter | None = None) -> str:
        """Give the cursor before the last so many events, or before the first one where there are not so many."""
        wanted, end = wanted or Filter(), await self.end()
        if last == 0:
            return end
        found, until = list[Place](), await self._database.decided()
        while until > 0 and len(found) <= last:
            look = partial(_backwards, until=until, most=last + 1 - len(found), wanted=wanted)
            places, until = await self._database.read(look)
            found += places
        if len(found) > last:
            return _cursor(found[last])
        return encode(found[-1].position - 1) if found else end

    async def end(self) -> str:
        """Give the cursor after the last event."""
        until = await self._database.decided()
        return _cursor(await self._database.read(lambda transaction: _newest(transaction, until)))


def after_event(event: Event) -> str:
    """Write the cursor after an event."""
    return encode(event.position, micros(event.recorded_at))


def encode(position: int, recorded_at: int | None = None) -> str:
    """Write a cursor, with when the event there was recorded where that is known.

    It is opaque to readers, so that what is in it can change.
    """
    text = f"{_PLAIN}.{position}" if recorded_at is None else f"{_MARKED}.{position}.{recorded_at}"
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str) -> Place:
    """Read a cursor. Raises Unreadable."""
    try:
        version, *parts = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").split(".")
    except (BadBase64, ValueError) as error:
        raise Unreadable("bad_cursor") from error
    if len(parts) != {_PLAIN: 1, _MARKED: 2}.get(version) or not all(map(_is_number, parts)):
        raise Unreadable("bad_cursor")
    return Place(*map(int, parts))


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= 18


def position_of(transaction: Transaction, cursor: str | None) -> int:
    """Give the position to go on after. Raises Unreadable and CursorOfAnotherPast.

    What was deleted for its age is believed to have been there.
    """
    place = Place(0) if cursor is None else decode(cursor)
    if place.mark is not None:
        rows = transaction.run("SELECT recorded_at FROM events WHERE position = ?", (place.position,))
        is_ours = rows[0][0] == place.mark if rows else place.position <= pruned(transaction)["events"].until
        if not is_ours:
            raise CursorOfAnotherPast
    return place.position


def _cursor(place: Place) -> str:
    return encode(place.position, place.mark)


def _page(transaction: Transaction, after: str | None, until: int, limit: int, wanted: Filter) -> Page:
    here, position = after or encode(0), position_of(transaction, after)
    has_gap = position < pruned(transaction)["events"].until
    end = _newest(transaction, until)
    if end.position <= position:
        return Page((), here, True, has_gap)
    seen = _stretch(transaction, position, end) if wanted.is_looked_for else end
    found = tuple(_events(transaction, position, seen.position, limit, wanted))
    if len(found) == limit:
        return Page(found, after_event(found[-1]) if found else here, False, has_gap)
    return Page(found, _cursor(seen), seen == end, has_gap)


def _newest(transaction: Transaction, until: int) -> Place:
    """Give the place of the last event there is up to a position; before the first one where there is none."""
    rows = transaction.run(
        "SELECT position, recorded_at FROM events WHERE position <= ? ORDER BY position DESC LIMIT 1", (until,)
    )
    return Place(*rows[0]) if rows else Place(0)


def _stretch(transaction: Transaction, after: int, end: Place) -> Place:
    """Give the place up to which a page looks, counted from the next event there is: what was deleted is passed."""
    [[first]] = transaction.run("SELECT position FROM events WHERE position > ? ORDER BY position LIMIT 1", (after,))
    last = int(first) + STRETCH - 1
    return end if last >= end.position else _newest(transaction, last)


def _events(transaction: Transaction, after: int, until: int, limit: int, wanted: Filter) -> Sequence[Event]:
    where, values = conditions(transaction, wanted)
    rows = transaction.run(
        f"SELECT {EVENT} FROM {FROM} WHERE events.position > ? AND events.position <= ?{where}"
        f" ORDER BY {in_order(wanted)} LIMIT ?",
        [after, until, *values, limit],
    )
    return [event(row) for row in rows]


def _backwards(transaction: Transaction, *, until: int, most: int, wanted: Filter) -> tuple[list[Place], int]:
    """Give the last events up to a position, the latest first, and the position after which was looked."""
    after = max(_newest(transaction, until).position - STRETCH, 0) if wanted.is_looked_for else 0
    where, values = conditions(transaction, wanted)
    rows = transaction.run(
        f"SELECT events.position, events.recorded_at FROM {FROM}"
        f" WHERE events.position > ? AND events.position <= ?{where} ORDER BY {in_order(wanted)} DESC LIMIT ?",
        [after, until, *values, most],
    )
    return [Place(*row) for row in rows], after


FROM = "events JOIN subjects ON subjects.id = events.subject_id"


def conditions(transaction: Transaction, wanted: Filter) -> tuple[str, list[object]]:
    """Write what a reader wants as conditions, each with its `AND`, and their values."""
    conditions, values = "", list[object]()
    if wanted.type is not None:
        conditions += " AND events.type = ?"
        values.append(unversioned(wanted.type))
    if wanted.subject is not None:
        known = transaction.among("events.subject_id", list(named(transaction, wanted.subject).values()))
        conditions += f" AND {known.sql}"
        values += known.parameters
    if wanted.organizations is not None:
        these = marks(wanted.organizations)
        conditions += f" AND (subjects.source IN ({these}) OR events.organization IN ({these}))"
        values += [*(f"/shipx/{number}" for number in wanted.organizations), *wanted.organizations]
    return conditions, values


def in_order(wanted: Filter) -> str:
    """Write what a reader's events are ordered by: the feed's order, by its index or, for one subject, by sorting.

    For a few events of a subject PostgreSQL would otherwise go through all there are in their order, until it met them.
    """
    return "events.position" if wanted.subject is None else "events.position + 0"
