"""Empty databases, one after the other, of both kinds. Both sync to disk."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import psycopg

from bridge.nodes.postgres import PostgresNode


class Databases(Protocol):
    """Makes empty databases of one kind."""

    @property
    def name(self) -> str: ...

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Give the URL of one, and remove it afterwards."""
        ...


class SqliteFiles:
    """A file each, in a folder each."""

    name = "SQLite"

    @contextmanager
    def fresh(self) -> Iterator[str]:
        with tempfile.TemporaryDirectory(prefix="bridge-bench-") as folder:
            yield f"sqlite:///{folder}/bridge.db"


class PostgresDatabases:
    """A database each, on one server."""

    name = "PostgreSQL"

    def __init__(self, node: PostgresNode) -> None:
        self._node = node
        self._numbers = itertools.count(1)

    @contextmanager
    def fresh(self) -> Iterator[str]:
        name = f"bench_{next(self._numbers)}"
        yield self._node.create_database(name)
        with psycopg.connect(self._node.url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
