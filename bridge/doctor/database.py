"""The database: is it there, does its schema fit, are its rows ours, can it be written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bridge.doctor.report import Check
from bridge.errors import SchemaOutdated, StoreError
from bridge.lifecycle import Clock
from bridge.settings import Settings
from bridge.store.condition import Condition, condition
from bridge.store.migrate import require_current
from bridge.store.sqlite import SqliteDatabase

_NAME = "database"
_SCHEMA = "database/schema"
_ENVIRONMENT = "database/environment"


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, and the rows' condition where they could be read."""

    checks: Sequence[Check]
    condition: Condition | None = None


async def examine(settings: Settings, clock: Clock) -> Found:
    """Look at the database without changing anything in it."""
    path = settings.database.path
    if path is None:
        told = "PostgreSQL is not supported by this version"
        return Found([Check(name=_NAME, state="failed", told=told, do="set BRIDGE_DATABASE_URL to sqlite:///…")])
    if problem := _unwritable(path):
        return Found([problem])
    if not path.exists():
        return Found([_absent(settings, path)], Condition())
    database = SqliteDatabase.existing(settings.database)
    try:
        return await _opened(database, settings, clock)
    finally:
        await database.close()


async def _opened(database: SqliteDatabase, settings: Settings, clock: Clock) -> Found:
    try:
        await database.read(lambda transaction: require_current(transaction, "sqlite"))
        rows = await database.read(partial(condition, now=clock()))
    except SchemaOutdated as error:
        return Found([_opens(settings), _outdated(settings, error)])
    except StoreError as error:
        advice = "see that BRIDGE_DATABASE_URL names the bridge's own file; restore it from a backup where it is broken"
        return Found([Check(name=_NAME, state="failed", told=f"{settings.database.path}: {error}", do=advice)])
    current = Check(name=_SCHEMA, state="ok", told="is up to date")
    return Found([_opens(settings), current, _environment(settings, rows)], rows)


def _opens(settings: Settings) -> Check:
    return Check(name=_NAME, state="ok", told=f"{settings.database.path} opens, and its folder can be written")


def _absent(settings: Settings, path: Path) -> Check:
    told = f"{path} does not exist yet"
    if settings.migrate:
        return Check(name=_NAME, state="ok", told=f"{told}; `bridge serve` makes it")
    return Check(name=_NAME, state="failed", told=told, do="run `bridge migrate`, or set BRIDGE_MIGRATE=true")


def _outdated(settings: Settings, error: SchemaOutdated) -> Check:
    told = str(error).partition(": run ")[0]
    if settings.migrate:
        return Check(name=_SCHEMA, state="warning", told=told, do="nothing: `bridge serve` migrates at its start")
    return Check(name=_SCHEMA, state="failed", told=told, do="run `bridge migrate`, or set BRIDGE_MIGRATE=true")


def _environment(settings: Settings, rows: Condition) -> Check:
    if rows.environment is None:
        return Check(name=_ENVIRONMENT, state="ok", told="no bridge has served from it yet")
    if rows.environment == settings.environment:
        return Check(name=_ENVIRONMENT, state="ok", told=f"the rows are of {settings.environment}")
    told = f"the rows are of {rows.environment}, the settings of {settings.environment}: event ids would not match"
    advice = "set BRIDGE_ENVIRONMENT as it was, or name another database in BRIDGE_DATABASE_URL"
    return Check(name=_ENVIRONMENT, state="failed", told=told, do=advice)


def _unwritable(path: Path) -> Check | None:
    """Find what keeps us from writing. SQLite keeps its log beside the file, so the folder counts, too."""
    folder = next(above for above in path.absolute().parents if above.exists())
    for place in (folder, path) if path.exists() else (folder,):
        rights = os.W_OK | os.X_OK if place is folder else os.W_OK
        if not os.access(place, rights) or (place is folder) != place.is_dir():
            advice = "let the user that runs the bridge write there, or name another place in BRIDGE_DATABASE_URL"
            return Check(name=_NAME, state="failed", told=f"{place} cannot be written", do=advice)
    return None
