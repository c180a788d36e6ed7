"""A database while it is filled as fast as it can be: no syncs, no secondary indexes, large pieces."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg


class Bulk(Protocol):
    """What filling needs, with what the two dialects write differently."""

    def run(self, sql: str) -> list[tuple[Any, ...]]: ...

    def number(self, sql: str) -> int: ...

    def commit(self) -> None: ...

    def columns(self, table: str) -> list[str]: ...

    @contextmanager
    def without_indexes(self, tables: Sequence[str]) -> Iterator[None]:
        """Take the secondary indexes away, and make them again afterwards."""
        ...

    def numbers(self, first: int, last: int) -> str:
        """Write a source of the numbers `k`."""
        ...

    def hexadecimal(self, number: str) -> str:
        """Write eight digits of a number."""
        ...

    def renamed(self, data: str, shipment: str) -> str:
        """Write bytes in which another shipment is named, `k` further on."""
        ...

    def end(self) -> None:
        """Leave the database as one that has grown by itself."""
        ...


@contextmanager
def opened(database_url: str) -> Iterator[Bulk]:
    """Open a database to fill it."""
    if database_url.startswith("sqlite:"):
        file = Path(database_url.removeprefix("sqlite:///"))
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            yield SqliteBulk(connection)
    else:
        with psycopg.connect(database_url, autocommit=True) as session:
            yield PostgresBulk(session)


class SqliteBulk:
    """A file that nobody else has open."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1048576", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()

    def number(self, sql: str) -> int:
        return int(self.run(sql)[0][0])

    def commit(self) -> None:
        self._connection.execute("COMMIT")
        self._connection.execute("BEGIN")

    def columns(self, table: str) -> list[str]:
        return [row[0] for row in self.run(f"SELECT name FROM pragma_table_info('{table}')")]

    @contextmanager
    def without_indexes(self, tables: Sequence[str]) -> Iterator[None]:
        names = ", ".join(f"'{table}'" for table in tables)
        found = self.run(
            f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({names})"
        )
        for name, _ in found:
            self.run(f"DROP INDEX {name}")
        yield
        for _, sql in found:
            self.run(sql)

    def numbers(self, first: int, last: int) -> str:
        more = f"SELECT {first} AS k UNION ALL SELECT k + 1 FROM counted WHERE k < {last}"
        return f"(WITH RECURSIVE counted AS ({more}) SELECT k FROM counted) AS numbers"

    def hexadecimal(self, number: str) -> str:
        return f"printf('%08x', {number})"

    def renamed(self, data: str, shipment: str) -> str:
        return f"CAST(replace(CAST({data} AS TEXT), '{shipment}', {shipment} + k) AS BLOB)"

    def end(self) -> None:
        self._connection.execute("COMMIT")
        self._connection.execute("PRAGMA journal_mode = WAL")


class PostgresBulk:
    """A database on a private server, whose settings are changed meanwhile."""

    _SETTINGS = (
        "fsync = off",
        "full_page_writes = off",
        "autovacuum = off",
        "max_wal_size = '16GB'",
        "checkpoint_timeout = '1h'",
    )

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        for setting in self._SETTINGS:
            self.run(f"ALTER SYSTEM SET {setting}")
        self.run("SELECT pg_reload_conf()")
        self.run("SET maintenance_work_mem = '1GB'")
        self.run("SET work_mem = '512MB'")
        self.run("SET synchronous_commit = off")

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        cursor = self._connection.execute(sql)
        return cursor.fetchall() if cursor.description else []

    def number(self, sql: str) -> int:
        return int(self.run(sql)[0][0])

    def commit(self) -> None:
        """Do nothing: every statement was committed by itself."""

    def columns(self, table: str) -> list[str]:
        found = self.run(
            "SELECT attname::text FROM pg_attribute"
            f" WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        )
        return [row[0] for row in found]

    @contextmanager
    def without_indexes(self, tables: Sequence[str]) -> Iterator[None]:
        names = ", ".join(f"'{table}'" for table in tables)
        found = self.run(
            "SELECT indexname, indexdef FROM pg_indexes"
            f" WHERE schemaname = current_schema AND tablename IN ({names})"
            " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = indexname)"
        )
        for name, _ in found:
            self.run(f"DROP INDEX {name}")
        yield
        for _, definition in found:
            self.run(definition)

    def numbers(self, first: int, last: int) -> str:
        return f"(SELECT generate_series({first}::bigint, {last}) AS k) AS numbers"

    def hexadecimal(self, number: str) -> str:
        return f"lpad(to_hex(({number})::bigint), 8, '0')"

    def renamed(self, data: str, shipment: str) -> str:
        text = f"replace(convert_from({data}, 'UTF8'), '{shipment}', ({shipment} + k)::text)"
        return f"convert_to({text}, 'UTF8')"

    def end(self) -> None:
        for table, column in (("subjects", "id"), ("events", "position")):
            self.run(f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), max({column})) FROM {table}")
        self.run("VACUUM (ANALYZE)")
        self.run("ALTER SYSTEM RESET ALL")
        self.run("SELECT pg_reload_conf()")
        self.run("CHECKPOINT")
