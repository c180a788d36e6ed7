"""What a unit of work needs from a database, in our words; SQLite and PostgreSQL each give it.

A unit is a plain function of a transaction. It runs away from the event loop, all of it or none of it counts, and it
may run together with others under one commit. Statements are written once with `?` for parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar, get_args

from bridge.lifecycle import Stop
from bridge.model import Micros

T = TypeVar("T")
Row = tuple[Any, ...]
Dialect = Literal["sqlite", "postgres"]
Topic = Literal["commands", "connections", "deliveries", "events", "purchases"]
"""What a commit may bring that other processes wait for."""
Doing = Literal["parking", "settling"]
"""What only one process may do at a time: what it finds must still be so when it commits."""
TOPICS: tuple[Topic, ...] = get_args(Topic)
Kind = Literal["text", "bigint"]
"""What a column of rows that are given to a statement holds; either may be missing."""
EVERYTHING = 2**62
"""Beyond every position."""


@dataclass(frozen=True, slots=True)
class Given:
    """A piece of a statement, and the parameters for the `?` in it."""

    sql: str
    parameters: Sequence[object]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing could be committed, in the database's own words, and since when."""

    since: datetime
    reason: str


class Transaction(Protocol):
    """An open transaction."""

    @property
    def dialect(self) -> Dialect: ...

    def run(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one statement and give its rows."""
        ...

    def insert(self, into: str, rows: Sequence[Sequence[object]], *, tail: str = "") -> list[Row]:
        """Insert many rows with few statements. `into` is `table (column, …)`, `tail` what follows the values."""
        ...

    def given(self, kinds: Sequence[Kind], rows: Sequence[Sequence[object]]) -> Given:
        """Hand rows to a statement, as what stands behind a FROM: their columns are `column1`, `column2`, …"""
        ...

    def among(self, column: str, values: Sequence[object]) -> Given:
        """Write the condition that a column has one of these values; the same text for any number of them."""
        ...

    def savepoint(self) -> AbstractContextManager[None]:
        """Keep what happens inside apart: an error undoes it and nothing before it."""
        ...

    @property
    def now(self) -> Micros:
        """The database's clock: the one that all replicas share."""
        ...

    @property
    def shard(self) -> int:
        """A small number that transactions seldom share while they are open: for rows that all of them add to."""
        ...

    @property
    def for_update(self) -> str:
        """How a select locks its rows here; empty where a transaction locks everything anyway."""
        ...

    @property
    def for_share(self) -> str:
        """How a select keeps its rows as they are until the commit, for others that do the same, too."""
        ...

    def skip_locked(self, table: str) -> str:
        """How a select takes rows of a table that nobody else is taking; empty where there is only one taker."""
        ...

    def notify(self, topic: Topic) -> None:
        """Wake the other processes that wait for this, soon after the commit."""
        ...

    def reserve_positions(self) -> None:
        """Announce, before events are added, that they are on their way: no cursor may pass them until the commit."""
        ...

    def alone(self, doing: Doing) -> None:
        """Let no other process do the same until the commit."""
        ...


Unit = Callable[[Transaction], T]


class Database(Protocol):
    """Runs units of work."""

    async def write(self, unit: Unit[T], *, at_leisure: bool = False) -> T:
        """Run and commit; returns after the commit is on disk. Raises StoreUnavailable when that is not known.

        A unit may be run more than once, where another one came between; only the last time counts. A unit at leisure
        may wait a moment for another one to share its commit with.
        """
        ...

    async def read(self, unit: Unit[T]) -> T:
        """Run on one consistent view, without changing anything."""
        ...

    async def decided(self) -> int:
        """Give the position up to which every event is either committed or never will be.

        What a read that begins later shows up to there is all there will ever be.
        """
        ...


class ManagedDatabase(Database, Protocol):
    """A database as whoever opens and closes it sees it. `trouble` says why the last commit failed, if it did."""

    trouble: Trouble | None

    @property
    def dialect(self) -> Dialect: ...

    async def open(self) -> None:
        """Connect. Raises StoreUnavailable."""
        ...

    async def close(self) -> None:
        """Finish what was handed in, and disconnect."""
        ...

    async def rebuild(self, unit: Unit[T]) -> T:
        """Run and commit what may take minutes, such as a migration; one process at a time.

        Others go on reading and writing as far as the database allows it. A unit may be run more than once.
        """
        ...

    async def survey(self, unit: Unit[T]) -> T:
        """Read what may take minutes, on one consistent view and without keeping anybody from writing."""
        ...

    async def hear(self, wake: Callable[[Topic], None], stop: Stop) -> None:
        """Call `wake` with what other processes commit, until the end; what is not heard has to be looked for."""
        ...

    async def probe(self, seconds: float) -> Trouble | None:
        """Say whether commits succeed: where the last one did not, try a small one, for so long."""
        ...


def marks(values: Sequence[object]) -> str:
    """Write the `?, ?, ?` for a list of values."""
    return ", ".join("?" * len(values))
