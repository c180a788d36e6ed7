"""The databases that every store must behave the same on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from bridge.store.database import ManagedDatabase
from bridge.store.postgres import PostgresDatabase
from bridge.store.sqlite import SqliteDatabase


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest) -> AsyncIterator[ManagedDatabase]:
    """A database with the present schema and nothing in it."""
    found: ManagedDatabase
    if request.param == "sqlite":
        found = SqliteDatabase(request.getfixturevalue("migrated_sqlite"))
    else:
        found = PostgresDatabase(SecretStr(request.getfixturevalue("migrated_postgres_url")))
    await found.open()
    yield found
    await found.close()


@pytest.fixture
async def another_database(database: ManagedDatabase, request: pytest.FixtureRequest) -> AsyncIterator[ManagedDatabase]:
    """A second one of the same kind."""
    found: ManagedDatabase
    if database.dialect == "sqlite":
        found = SqliteDatabase(request.getfixturevalue("another_migrated_sqlite"))
    else:
        found = PostgresDatabase(SecretStr(request.getfixturevalue("another_migrated_postgres_url")))
    await found.open()
    yield found
    await found.close()
