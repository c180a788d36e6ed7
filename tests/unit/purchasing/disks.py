"""What outlives every process of a story: a real database, whose transactions run on the loop's own thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import cache
from typing import Final, Protocol, Self, TypeVar

from pydantic import SecretStr

from bridge.lifecycle import Clock
from bridge.model import Micros, micros
from bridge.store.database import Row, Transaction, Unit
from bridge.store.migrate import migrate
from bridge.store.postgres import PostgresTransaction
from bridge.store.postgres_link import Link
from bridge.store.sqlite import SqliteTransaction, read_once
from tests.support.migrated import image

T = TypeVar("T")


class AnyDisk(Protocol):
    """A database as the processes of a story share it."""

    @property
    def changes(self) -> int:
        """How many rows were ever written."""
        ...

    def writing(self, clock: Clock) -> AbstractContextManager[Transaction]:
        """Begin a transaction, and commit it, or undo it where anything goes wrong."""
        ...

    def read(self, unit: Unit[T], clock: Clock) -> T: ...

    def rows(self, sql: str) -> list[Row]: ...

    def close(self) -> None: ...


_FREE: Final[list[sqlite3.Connection]] = []


class Disk:
    """SQLite, in memory.

    One that is closed is emptied and used again: to compile the same statements once more is a fifth of a story's work.
    """

    def __init__(self) -> None:
        self.connection = _FREE.pop() if _FREE else _migrated()

    @property
    def changes(self) -> int:
        return self.connection.total_changes

    @contextmanager
    def writing(self, clock: Clock) -> Iterator[Transaction]:
        self.connection.execute("BEGIN")
        try:
            yield SqliteTransaction(self.connection, clock)
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def read(self, unit: Unit[T], clock: Clock) -> T:
        return read_once(self.connection, unit, clock)

    def rows(self, sql: str) -> list[Row]:
        return self.connection.execute(sql).fetchall()

    def close(self) -> None:
        for table in _tables():
            self.connection.execute(f"DELETE FROM {table}")
        _FREE.append(self.connection)
        del self.connection


def _migrated() -> sqlite3.Connection:
    """Give an empty database as it is after all migrations."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.deserialize(image())
    return connection


@cache
def _tables() -> Sequence[str]:
    """List what a story may have written to."""
    with closing(_migrated()) as connection:
        names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'migrations'")
        return [name for (name,) in names]


class PostgresDisk:
    """PostgreSQL, by one connection: units never run side by side here, so they never wait for each other either."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.changes = 0

    @classmethod
    def made(cls, url: str) -> Self:
        """Make the tables in an empty database."""
        link = Link.to(SecretStr(url))
        link.control("BEGIN")
        transaction = PostgresTransaction(link)
        migrate(transaction)
        transaction.commit()
        return cls(link)

    def emptied(self) -> Self:
        """Forget everything. To delete a few rows is many times quicker than to truncate tables."""
        self._link.control("; ".join(f"DELETE FROM {table}" for table in _TABLES))
        return self

    @contextmanager
    def writing(self, clock: Clock) -> Iterator[Transaction]:
        self._link.control("BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL jit = off")
        transaction = _Transaction(self, self._link, clock)
        try:
            yield transaction
        except BaseException:
            self._link.control("ROLLBACK")
            raise
        transaction.commit()

    def read(self, unit: Unit[T], clock: Clock) -> T:
        self._link.control("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            return unit(_Transaction(self, self._link, clock))
        finally:
            self._link.control("ROLLBACK")

    def rows(self, sql: str) -> list[Row]:
        cursor = self._link.connection.execute(sql)
        return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """Keep the connection: the next story has the same one."""

    def end(self) -> None:
        """Let go of the connection."""
        self._link.close()


_TABLES: Final = (
    *("outbox", "facts", "events", "subjects", "purchases"),
    *("connections", "budgets", "decisions", "journal"),
)


class _Transaction(PostgresTransaction):
    """A transaction whose time is the story's, and which counts what it changes."""

    def __init__(self, disk: PostgresDisk, link: Link, clock: Clock) -> None:
        super().__init__(link)
        self._disk = disk
        self._clock = clock

    @property
    def now(self) -> Micros:
        return micros(self._clock())

    def run(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        if not sql.startswith(("INSERT", "UPDATE", "DELETE")):
            return super().run(sql, parameters)
        gives_rows = "RETURNING" in sql
        rows = super().run(sql if gives_rows else f"{sql} RETURNING 1", parameters)
        self._disk.changes += len(rows)
        return rows if gives_rows else []
