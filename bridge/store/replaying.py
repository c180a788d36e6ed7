"""Events that are to be sent once more: which, from where to where, a page at a time whatever lies between.

A page ends after so many positions, not after so many matches: one event in a million is found in small steps, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bridge.model import Event, Micros, micros
from bridge.store.database import Database, Transaction
from bridge.store.feed import FROM, STRETCH, Filter, conditions, in_order, position_of
from bridge.store.outbox import EVENT, event
from bridge.store.pruning import pruned

_SLACK: Final = timedelta(minutes=10)
"""Positions follow the time of recording, as far as the clocks of the processes that record agree."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events: by the feed's filter, and by when the bridge recorded them (`until` is excluded)."""

    wanted: Filter = field(default_factory=Filter)
    since: datetime | None = None
    until: datetime | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """From where to where it goes: `start` is before the first position, `last` is the last, `after` is where it is."""

    start: int
    after: int
    last: int
    has_gap: bool = False
    """Whether events of this time, or after the cursor that was given, had been deleted for their age."""

    @property
    def is_over(self) -> bool:
        """Say whether the end was reached."""
        return self.after >= self.last

    @property
    def share(self) -> float:
        """Say how much of it is done, from 0 to 1."""
        return 1.0 if self.is_over else (self.after - self.start) / (self.last - self.start)


@dataclass(frozen=True, slots=True)
class Matched:
    """The events of a page in their order, and the position it goes on after."""

    events: tuple[Event, ...]
    after: int


class SqlReplays:
    """Reads what is to be sent once more."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def span(self, selection: Selection) -> Span:
        """Find out between which positions everything lies. Raises Unreadable for a bad cursor."""
        decided = await self._database.decided()
        return await self._database.read(lambda transaction: _span(transaction, selection, decided))

    async def page(self, selection: Selection, span: Span) -> Matched:
        """Give the next events, which may be none although there are more."""
        return await self._database.read(lambda transaction: _page(transaction, selection, span))


def _span(transaction: Transaction, selection: Selection, decided: int) -> Span:
    after = position_of(transaction, selection.after)
    first, last = (_end(transaction, decided, order) for order in ("ASC", "DESC"))
    has_gap = _has_gap(transaction, after, selection.since)
    start = max(after, first - 1)
    if selection.since is not None:
        early = micros(selection.since - _SLACK)
        start = max(start, _bisect(start, last, lambda position: _recorded_by(transaction, position, early)))
    if selection.until is not None:
        late = micros(selection.until + _SLACK)
        last = min(last, _bisect(start, last, lambda position: _recorded_by(transaction, position, late)))
    return Span(start, start, max(start, last), has_gap)


def _has_gap(transaction: Transaction, after: int, since: datetime | None) -> bool:
    """Say whether something beyond the cursor was deleted that may have been recorded since then.

    When that was recorded is not kept: it was before whatever came after it.
    """
    until = pruned(transaction)["events"].until
    if after >= until:
        return False
    if since is None:
        return True
    rows = transaction.run("SELECT recorded_at FROM events WHERE position > ? ORDER BY position LIMIT 1", (until,))
    return not rows or rows[0][0] > micros(since)


def _end(transaction: Transaction, decided: int, order: str) -> int:
    """Give the first or the last position there is; 0 where there is none."""
    rows = transaction.run(
        f"SELECT position FROM events WHERE position <= ? ORDER BY position {order} LIMIT 1", (decided,)
    )
    return int(rows[0][0]) if rows else 0


def _bisect(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Give the last position up to which something holds; it holds for `low`."""
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def _recorded_by(transaction: Transaction, position: int, time: Micros) -> bool:
    """Say whether the event at a position, or the next one there is, was recorded before some time."""
    rows = transaction.run("SELECT recorded_at FROM events WHERE position >= ? ORDER BY position LIMIT 1", (position,))
    return not rows or rows[0][0] < time


def _page(transaction: Transaction, selection: Selection, span: Span) -> Matched:
    is_sparse = selection.wanted.subject is not None  # there is an index for these
    until = span.last if is_sparse else min(span.after + STRETCH, span.last)
    where, values = conditions(transaction, selection.wanted)
    for comparison, bound in ((">=", selection.since), ("<", selection.until)):
        if bound is not None:
            where += f" AND events.recorded_at {comparison} ?"
            values.append(micros(bound))
    rows = transaction.run(
        f"SELECT {EVENT} FROM {FROM} WHERE events.position > ? AND events.position <= ?{where}"
        f" ORDER BY {in_order(selection.wanted)} LIMIT ?",
        [span.after, until, *values, STRETCH],
    )
    found = tuple(event(row) for row in rows)
    return Matched(found, found[-1].position if len(found) == STRETCH else until)
