"""SQLite files with the present schema: migrated once in each process, and written as often as a test wants one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Final

from bridge.store.migrate import migrate
from bridge.store.sqlite import SqliteTransaction

_VERSIONS: Final = slice(18, 20)
"""Where the header says how the file is written and read: 1 with a rollback journal, 2 with a write-ahead log."""


@cache
def image() -> bytes:
    """Give the bytes of an empty database as it is after all migrations, for use in memory."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(SqliteTransaction(connection))
        return connection.serialize()


@cache
def _file() -> bytes:
    """Give the same as the bridge keeps it: to turn a file into one with a log takes three syncs to disk."""
    written = bytearray(image())
    written[_VERSIONS] = b"\2\2"
    return bytes(written)


def migrated(path: Path) -> Path:
    """Have a database there with the present schema, empty where there was none, and give its path."""
    if not path.exists():
        path.write_bytes(_file())
    return path
