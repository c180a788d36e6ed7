"""The database: is it there, can it be written, does its schema fit, are its rows ours, and does anything wait long."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from bridge.doctor.report import Check
from bridge.errors import SchemaOutdated, StoreError
from bridge.lifecycle import Clock
from bridge.settings import Settings
from bridge.store.condition import Condition, condition
from bridge.store.database import ManagedDatabase
from bridge.store.gauges import Measured, SqlGauges
from bridge.store.migrate import require_current
from bridge.store.opening import existing

_NAME = "database"
_SCHEMA = "database/schema"
_ENVIRONMENT = "database/environment"
_SPACE = "database/space"
_OUTBOX = "database/outbox"
_LITTLE: Final = 100_000_000
_LONG_S: Final = 60
_BUSY_S: Final = 2.0
_ELSEWHERE = "let the user that runs the bridge write there, or name another place in BRIDGE_DATABASE_URL"


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
    space = room(shutil.disk_usage(_folder(path)).free)
    if not path.exists():
        return Found([_absent(settings, path), *space], Condition())
    if refused := await asyncio.to_thread(_refusal, path):
        return Found([refused, *space])
    database = existing(settings.database)
    try:
        found = await _opened(database, settings, clock)
        return Found([*found.checks, *space], found.condition)
    finally:
        await database.close()


async def _opened(database: ManagedDatabase, settings: Settings, clock: Clock) -> Found:
    try:
        await database.read(require_current)
        rows = await database.read(partial(condition, now=clock()))
        measured = await SqlGauges(database).measure(clock())
    except SchemaOutdated as error:
        return Found([_opens(settings), _outdated(settings, error)])
    except StoreError as error:
        advice = "see that BRIDGE_DATABASE_URL names the bridge's own file; restore it from a backup where it is broken"
        return Found([Check(name=_NAME, state="failed", told=f"{settings.database.path}: {error}", do=advice)])
    current = Check(name=_SCHEMA, state="ok", told="is up to date")
    return Found([_opens(settings), current, _environment(settings, rows), *_waiting(settings, measured)], rows)


def _opens(settings: Settings) -> Check:
    return Check(name=_NAME, state="ok", told=f"{settings.database.path} opens and takes writes")


def _absent(settings: Settings, path: Path) -> Check:
    told = f"{path} does not exist yet"
    if settings.migrate and settings.environment == "production":
        told = f"{told}; `bridge serve` makes it"
        advice = "if a bridge has served here before, this is not its file: a path is relative to the working directory"
        return Check(name=_NAME, state="warning", told=told, do=advice)
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
    folder = _folder(path)
    for place in (folder, path) if path.exists() else (folder,):
        rights = os.W_OK | os.X_OK if place is folder else os.W_OK
        if not os.access(place, rights) or (place is folder) != place.is_dir():
            return Check(name=_NAME, state="failed", told=f"{place} cannot be written", do=_ELSEWHERE)
    return None


def _folder(path: Path) -> Path:
    return next(above for above in path.absolute().parents if above.exists())


def _refusal(path: Path) -> Check | None:
    """Begin to write as the bridge does, and take it back; gives what kept us from it."""
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_S, isolation_level=None)
        ) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.execute("PRAGMA user_version = 0")
            finally:
                connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        return refused(path, error)
    return None


def refused(path: Path, error: sqlite3.Error) -> Check:
    """Say in words why the database took no write."""
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            told = f"is locked: another program has been writing for {_BUSY_S:g} s"
            advice = "end what holds it, such as a copy or an open `sqlite3`; meanwhile webhooks are answered with 503"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            told, advice = "is read-only", _ELSEWHERE
        case sqlite3.SQLITE_FULL:
            told, advice = "cannot grow: the disk is full", "make room on it"
        case sqlite3.SQLITE_CANTOPEN:
            told, advice = "cannot be opened for writing", _ELSEWHERE
        case _:
            told = f"takes no write: {error}"
            advice = "see that BRIDGE_DATABASE_URL names the bridge's own file; restore a backup where it is broken"
    return Check(name=_NAME, state="failed", told=f"{path} {told}", do=advice)


def room(free: int) -> list[Check]:
    """Warn where the disk is nearly full; where it is not, there is nothing to tell."""
    if free >= _LITTLE:
        return []
    told = f"{free / 1_000_000:.0f} MB are free on the database's disk"
    return [Check(name=_SPACE, state="warning", told=told, do="make room: without any, webhooks are answered with 503")]


def _waiting(settings: Settings, measured: Measured) -> list[Check]:
    if settings.amqp_url is None or measured.outbox_seconds <= _LONG_S:
        return []
    told = f"{measured.outbox} events wait for the broker, the oldest for {measured.outbox_seconds:.0f} s"
    advice = (
        "see the broker below, that `bridge serve` runs with the role relay, and what its /readyz says of a broker"
        " that is away and of subjects that are held by refusals"
    )
    return [Check(name=_OUTBOX, state="warning", told=told, do=advice)]
