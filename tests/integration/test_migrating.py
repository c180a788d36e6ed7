"""Migrating, by `bridge migrate` or at a start: only what belongs to this environment, on both databases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from bridge.app.database import migrate_database, open_database
from bridge.errors import SettingsError
from bridge.settings import Settings, load
from bridge.store.database import Transaction
from bridge.store.migrate import applied, migrate, migrations
from bridge.store.opening import database
from bridge.store.outbox import begun

T = TypeVar("T")


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Those of a process that migrates at its start, for an empty database."""
    is_file = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/bridge.db" if is_file else request.getfixturevalue("postgres_url")
    return load(
        {
            "BRIDGE_ENVIRONMENT": "demo",
            "BRIDGE_DATABASE_URL": url,
            "BRIDGE_MIGRATE": "true",
            "BRIDGE_ROLES": "worker",
        }
    )


async def done(settings: Settings, unit: Callable[[Transaction], T]) -> T:
    """Do something in the database past the bridge."""
    found = database(settings.database)
    await found.open()
    try:
        return await found.rebuild(unit)
    finally:
        await found.close()


def served_from(transaction: Transaction, environment: str, missing: int) -> None:
    """Leave what a bridge leaves whose version had so many migrations fewer."""
    files = migrations(transaction.dialect)
    migrate(transaction, files[: len(files) - missing])
    begun(transaction, environment)


@pytest.mark.parametrize("begin", [migrate_database, open_database])
async def test_what_belongs_to_another_environment_stays_as_it_is(
    begin: Callable[[Settings], Awaitable[object]], settings: Settings
) -> None:
    await done(settings, partial(served_from, environment="production", missing=1))
    before = await done(settings, applied)
    with pytest.raises(SettingsError, match="BRIDGE_ENVIRONMENT: the database belongs to production"):
        await begin(settings)
    assert await done(settings, applied) == before


async def test_what_belongs_to_this_environment_is_migrated(settings: Settings) -> None:
    await done(settings, partial(served_from, environment="demo", missing=1))
    assert len(await migrate_database(settings)) == 1
    assert await migrate_database(settings) == []


async def test_an_empty_database_belongs_to_nobody_until_a_bridge_serves_from_it(settings: Settings) -> None:
    await migrate_database(settings)
    opened = await open_database(settings.model_copy(update={"environment": "sandbox"}))
    await opened.close()
    with pytest.raises(SettingsError, match="belongs to sandbox"):
        await migrate_database(settings)


async def test_a_schema_from_before_the_first_table_is_migrated(settings: Settings) -> None:
    assert await done(settings, applied) == 0
    assert [name[:4] for name in await migrate_database(settings)][:2] == ["0001", "0002"]
