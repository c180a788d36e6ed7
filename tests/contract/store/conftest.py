"""The databases that every store must behave the same on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.store.migrate import migrate
from bridge.store.sqlite import SqliteDatabase


@pytest.fixture(params=["sqlite"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    """An empty database with the present schema."""
    found = SqliteDatabase(tmp_path / "bridge.db")
    await found.open()
    await found.write(lambda transaction: migrate(transaction, request.param))
    yield found
    await found.close()
