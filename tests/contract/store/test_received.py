"""Whose webhooks are received is said by their receivers, and holds for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bridge.model import OrganizationId
from bridge.store.database import ManagedDatabase
from bridge.store.received import HOLDS, Received, read, received, say

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OURS, OTHER = OrganizationId(4821), OrganizationId(48)


async def said(database: ManagedDatabase, at: datetime, *organizations: OrganizationId) -> None:
    await database.write(lambda transaction: say(transaction, organizations, at))


async def test_it_is_so_since_it_was_said_first_for_as_long_as_it_is_said(database: ManagedDatabase) -> None:
    await said(database, NOW, OURS)
    await said(database, NOW + HOLDS, OURS, OTHER)
    assert await database.read(lambda it: read(it, OURS)) == Received(NOW, NOW + HOLDS)
    assert await database.read(lambda it: read(it, OTHER)) == Received(NOW + HOLDS, NOW + HOLDS)
    assert await database.read(lambda it: received(it, NOW + HOLDS)) == {OURS, OTHER}


async def test_what_was_never_said_is_not_so(database: ManagedDatabase) -> None:
    assert await database.read(lambda it: read(it, OURS)) is None
    assert await database.read(lambda it: received(it, NOW)) == frozenset()


async def test_what_is_not_said_again_is_forgotten_and_begins_anew(database: ManagedDatabase) -> None:
    await said(database, NOW, OURS)
    late = NOW + HOLDS + timedelta(seconds=1)
    assert await database.read(lambda it: received(it, late)) == frozenset()
    await said(database, late, OURS)
    assert await database.read(lambda it: read(it, OURS)) == Received(late, late)
