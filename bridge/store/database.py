"""What a unit of work needs from a database, in our words; SQLite and PostgreSQL each give it.

A unit is a plain function of a transaction. It runs away from the event loop, all of it or none of it counts, and it
may run together with others under one commit. Statements are written once with `?` for parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from bridge.model import Micros

T = TypeVar("T")
Row = tuple[Any, ...]


class Transaction(Protocol):
    """An open transaction."""

    def run(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one statement and give its rows."""
        ...

    def insert(self, into: str, rows: Sequence[Sequence[object]], *, tail: str = "") -> list[Row]:
        """Insert many rows with few statements. `into` is `table (column, …)`, `tail` what follows the values."""
        ...

    def savepoint(self) -> AbstractContextManager[None]:
        """Keep what happens inside apart: an error undoes it and nothing before it."""
        ...

    @property
    def now(self) -> Micros:
        """The database's clock: the one that all replicas share."""
        ...

    @property
    def for_update(self) -> str:
        """How a select locks its rows here; empty where a transaction locks everything anyway."""
        ...

    @property
    def skip_locked(self) -> str:
        """How a select takes rows that nobody else is taking; empty where there is only one taker."""
        ...


Unit = Callable[[Transaction], T]


class Database(Protocol):
    """Runs units of work."""

    async def write(self, unit: Unit[T]) -> T:
        """Run and commit; returns after the commit is on disk. Raises StoreUnavailable when that is not known."""
        ...

    async def read(self, unit: Unit[T]) -> T:
        """Run on one consistent view, without changing anything."""
        ...


def marks(values: Sequence[object]) -> str:
    """Write the `?, ?, ?` for a list of values."""
    return ", ".join("?" * len(values))
