"""A receiver says whose webhooks it receives, and goes on receiving where it cannot."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from bridge.errors import StoreUnavailable
from bridge.ingress.announcing import Announcing
from bridge.lifecycle import Stop
from bridge.model import OrganizationId
from bridge.store.database import Unit
from bridge.store.received import received
from bridge.store.sqlite import SqliteDatabase
from tests.support.bridge import until
from tests.support.migrated import migrated

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OURS = OrganizationId(4821)
T = TypeVar("T")


class Away(SqliteDatabase):
    """Takes no write."""

    tried = 0

    async def write(self, unit: Unit[T], *, at_leisure: bool = False) -> T:
        self.tried += 1
        raise StoreUnavailable("away")


async def test_it_is_said_at_once(tmp_path: Path) -> None:
    database, stop = SqliteDatabase(migrated(tmp_path / "bridge.db")), Stop()
    await database.open()
    saying = asyncio.create_task(Announcing(database, [OURS], lambda: NOW, stop).run())

    async def is_said() -> bool:
        return await database.read(lambda it: received(it, NOW)) == {OURS}

    await until(is_said)
    stop.announce()
    await saying
    await database.close()


async def test_a_database_that_takes_no_write_does_not_end_it(tmp_path: Path) -> None:
    database, stop = Away(tmp_path / "bridge.db"), Stop()
    saying = asyncio.create_task(Announcing(database, [OURS], lambda: NOW, stop).run())
    await until(lambda: database.tried)
    assert not saying.done()
    stop.announce()
    await saying
