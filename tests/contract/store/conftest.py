"""The databases that every store must behave the same on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from bridge.store.database import ManagedDatabase

New = Callable[[], ManagedDatabase]


@pytest.fixture(params=["sqlite", "postgres"])
def new_database(request: pytest.FixtureRequest) -> New:
    """What gives databases of one kind, with the present schema and nothing in them."""
    new: New = request.getfixturevalue(f"new_{request.param}")
    return new


@pytest.fixture
async def database(new_database: New) -> AsyncIterator[ManagedDatabase]:
    """One of them."""
    found = new_database()
    await found.open()
    yield found
    await found.close()


@pytest.fixture
async def another_database(new_database: New, database: ManagedDatabase) -> AsyncIterator[ManagedDatabase]:
    """A second one of the same kind."""
    found = new_database()
    await found.open()
    yield found
    await found.close()
