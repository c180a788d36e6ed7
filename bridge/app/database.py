"""The database: opened with a schema that fits, waited for where it is away, migrated."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
from typing import Final

import structlog

from bridge.errors import SettingsError, StoreUnavailable
from bridge.settings import Settings
from bridge.store.database import ManagedDatabase, Transaction
from bridge.store.migrate import migrate, require_current
from bridge.store.opening import database as named_database
from bridge.store.outbox import begun, whose

log = structlog.get_logger()

_PATIENCE_S: Final = 60.0
"""How long a start waits for a PostgreSQL that is away; then the process ends, and says why."""
_AGAIN_S: Final = 1.0


async def wait_for_database(settings: Settings, asked: asyncio.Event) -> ManagedDatabase:
    """Open the database; a server that is away may be back in a moment, so it is asked again for a while.

    Gives up at once when the process is `asked` to end. Raises StoreError or SettingsError.
    """
    until, told = time.monotonic() + (0 if settings.database.path else _PATIENCE_S), ""
    while True:
        try:
            return await _unless(asked, open_database(settings))
        except StoreUnavailable as error:
            if asked.is_set() or time.monotonic() >= until:
                raise
            if told != str(error):
                told = str(error)
                log.warning("database.away", reason=told)
        with suppress(TimeoutError):
            await asyncio.wait_for(asked.wait(), _AGAIN_S)


async def _unless(asked: asyncio.Event, opening: Coroutine[None, None, ManagedDatabase]) -> ManagedDatabase:
    """Open, which may wait long for a migration's locks, unless the end comes first: then what was begun is undone."""
    opened, told = asyncio.create_task(opening), asyncio.create_task(asked.wait())
    try:
        await asyncio.wait((opened, told), return_when=asyncio.FIRST_COMPLETED)
        if opened.done():
            return opened.result()
        raise StoreUnavailable("told to end before the database was open and migrated")
    finally:
        told.cancel()
        opened.cancel()
        await asyncio.wait((opened, told))


async def open_database(settings: Settings) -> ManagedDatabase:
    """Open the database, with a schema that fits and rows of this environment. Raises StoreError or SettingsError."""
    database = await _opened(settings)
    try:
        if settings.migrate:
            for name in await database.rebuild(partial(_migrated, settings)):
                log.info("database.migrated", migration=name)
        await database.read(require_current)
        _require_ours(settings, await database.write(lambda transaction: begun(transaction, settings.environment)))
    except BaseException:
        await database.close()
        raise
    return database


async def migrate_database(settings: Settings) -> list[str]:
    """Bring the schema up to date and name what was applied. Raises StoreError or SettingsError."""
    database = await _opened(settings)
    try:
        return await database.rebuild(partial(_migrated, settings))
    finally:
        await database.close()


def _migrated(settings: Settings, transaction: Transaction) -> list[str]:
    """Migrate what belongs to this environment, or to none yet."""
    _require_ours(settings, whose(transaction))
    return migrate(transaction)


def _require_ours(settings: Settings, owner: str | None) -> None:
    if owner not in (None, settings.environment):
        told = f"the database belongs to {owner}; event ids would not match"
        raise SettingsError([("BRIDGE_ENVIRONMENT", told)])


async def _opened(settings: Settings) -> ManagedDatabase:
    database = named_database(settings.database)
    try:
        await database.open()
    except BaseException:
        await database.close()
        raise
    return database
