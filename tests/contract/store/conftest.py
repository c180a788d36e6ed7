"""The databases that every store must behave the same on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bridge.store.database import ManagedDatabase
from bridge.store.migrate import migrate
from bridge.store.postgres import PostgresDatabase
from bridge.store.sqlite import SqliteDatabase


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ManagedDatabase]:
    """An empty database with the present schema."""
    found: ManagedDatabase
    if request.param == "sqlite":
        found = SqliteDatabase(tmp_path / "bridge.db")
    else:
        found = PostgresDatabase(SecretStr(request.getfixturevalue("postgres_url")))
    await found.open()
    await found.rebuild(migrate)
    yield found
    await found.close()


@pytest.fixture
async def another_database(
    database: ManagedDatabase, request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[ManagedDatabase]:
    """A second empty one of the same kind."""
    found: ManagedDatabase
    if database.dialect == "sqlite":
        found = SqliteDatabase(tmp_path / "another.db")
    else:
        found = PostgresDatabase(SecretStr(request.getfixturevalue("another_postgres_url")))
    await found.open()
    await found.rebuild(migrate)
    yield found
    await found.close()
