"""The database: is it there, can it be written, does its schema fit, are its rows ours, and does anything wait long."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from bridge.doctor import postgres, sqlite
from bridge.doctor.report import Check
from bridge.doctor.sqlite import NAME
from bridge.errors import SchemaOutdated, StoreError
from bridge.lifecycle import Clock
from bridge.settings import Settings
from bridge.store.condition import Condition, condition
from bridge.store.database import ManagedDatabase
from bridge.store.gauges import Measured, SqlGauges
from bridge.store.migrate import require_current
from bridge.store.opening import existing

_SCHEMA = "database/schema"
_ENVIRONMENT = "database/environment"
_OUTBOX = "database/outbox"
_LONG_S: Final = 60


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, and the rows' condition where they could be read."""

    checks: Sequence[Check]
    condition: Condition | None = None


async def examine(settings: Settings, clock: Clock) -> Found:
    """Look at the database without changing anything in it."""
    path = settings.database.path
    return await (_server(settings, clock) if path is None else _file(settings, path, clock))


async def _server(settings: Settings, clock: Clock) -> Found:
    database = existing(settings.database)
    try:
        checks = await postgres.examine(database)
        if any(check.state == "failed" for check in checks):
            return Found(checks)
        return await _rows(database, settings, clock, checks)
    finally:
        await database.close()


async def _file(settings: Settings, path: Path, clock: Clock) -> Found:
    space, refused = await asyncio.to_thread(_before_opening, settings, path)
    if refused is not None:
        return Found([*refused.checks, *space], refused.condition)
    database = existing(settings.database)
    try:
        opens = Check(name=NAME, state="ok", told=f"{path} opens and takes writes")
        found = await _rows(database, settings, clock, [opens])
        return Found([*found.checks, *space], found.condition)
    finally:
        await database.close()


def _before_opening(settings: Settings, path: Path) -> tuple[list[Check], Found | None]:
    """Look at the file and its disk; gives what there is to say of the room, and why it cannot be opened."""
    if problem := sqlite.unwritable(path):
        return [], Found([problem])
    space = sqlite.room(shutil.disk_usage(sqlite.folder_of(path)).free)
    if not path.exists():
        return space, Found([_absent(settings, path)], Condition())
    refused = sqlite.refusal(path)
    return space, Found([refused]) if refused else None


async def _rows(database: ManagedDatabase, settings: Settings, clock: Clock, opens: Sequence[Check]) -> Found:
    try:
        await database.read(require_current)
        rows = await database.read(partial(condition, now=clock()))
        measured = await SqlGauges(database).measure(clock())
    except SchemaOutdated as error:
        return Found([*opens, _outdated(settings, error)])
    except StoreError as error:
        advice = "see that BRIDGE_DATABASE_URL names the bridge's own database; restore a backup where it is broken"
        where = f"{settings.database.path}: " if settings.database.path else ""
        return Found([Check(name=NAME, state="failed", told=f"{where}{error}", do=advice)])
    current = Check(name=_SCHEMA, state="ok", told="is up to date")
    return Found([*opens, current, _environment(settings, rows), *_waiting(settings, measured)], rows)


def _absent(settings: Settings, path: Path) -> Check:
    told = f"{path} does not exist yet"
    if settings.migrate and settings.environment == "production":
        told = f"{told}; `bridge serve` makes it"
        advice = "if a bridge has served here before, this is not its file: a path is relative to the working directory"
        return Check(name=NAME, state="warning", told=told, do=advice)
    if settings.migrate:
        return Check(name=NAME, state="ok", told=f"{told}; `bridge serve` makes it")
    return Check(name=NAME, state="failed", told=told, do="run `bridge migrate`, or set BRIDGE_MIGRATE=true")


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


def _waiting(settings: Settings, measured: Measured) -> list[Check]:
    if settings.amqp_url is None or measured.outbox_seconds <= _LONG_S:
        return []
    told = f"{measured.outbox} events wait for the broker, the oldest for {measured.outbox_seconds:.0f} s"
    advice = (
        "see the broker below, that `bridge serve` runs with the role relay, and what its /readyz says of a broker"
        " that is away and of subjects that are held by refusals"
    )
    return [Check(name=_OUTBOX, state="warning", told=told, do=advice)]
