"""A PostgreSQL server: does it answer, does it take writes, and does it keep what it said it has kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from bridge.doctor.report import Check
from bridge.doctor.sqlite import NAME
from bridge.errors import StoreError
from bridge.store.database import ManagedDatabase, Row, Transaction

_DURABILITY: Final = "database/durability"
_OLDEST: Final = 130000
_LOOK: Final = (
    "SELECT current_setting('server_version'), current_setting('server_version_num')::bigint,"
    " current_database()::text, pg_is_in_recovery(), current_setting('default_transaction_read_only'),"
    " current_setting('fsync'), current_setting('full_page_writes'),"
    " has_schema_privilege(current_schema(), 'CREATE')"
)


async def examine(database: ManagedDatabase) -> Sequence[Check]:
    """Look at the server without changing anything in it."""
    try:
        row = (await database.read(_look))[0]
    except StoreError as error:
        advice = (
            "see that the server runs and is reachable from here, and that BRIDGE_DATABASE_URL leads to the primary"
        )
        return [Check(name=NAME, state="failed", told=f"PostgreSQL: {error}", do=advice)]
    return [_server(row), *_durability(row)]


def _look(transaction: Transaction) -> list[Row]:
    return transaction.run(_LOOK)


def _server(row: Row) -> Check:
    version, number, name, is_standby, reads_only, *_ = row
    if number < _OLDEST:
        told = f"PostgreSQL {version} is older than 13"
        return Check(name=NAME, state="failed", told=told, do="use PostgreSQL 13 or newer")
    if is_standby or reads_only == "on":
        told = f"PostgreSQL {version}, database {name}: takes no writes"
        advice = (
            "name the primary in BRIDGE_DATABASE_URL (target_session_attrs=read-write finds it among several hosts)"
        )
        return Check(name=NAME, state="failed", told=told, do=advice)
    return Check(name=NAME, state="ok", told=f"PostgreSQL {version}, database {name}, answers and takes writes")


def _durability(row: Row) -> Iterator[Check]:
    """Warn where a crash of the server could lose what it said is on disk; the bridge asks for the rest itself."""
    for setting, value in (("fsync", row[5]), ("full_page_writes", row[6])):
        if value != "on":
            told = f"{setting} is {value}: a crash of the server can lose webhooks that were acknowledged"
            yield Check(name=_DURABILITY, state="warning", told=told, do=f"set {setting} = on in postgresql.conf")
