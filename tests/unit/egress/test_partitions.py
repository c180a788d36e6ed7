"""Partitions go to one replica at a time, and change hands only when nothing of them is on its way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.egress.partitions import RENEW_S, Partitions
from bridge.errors import LeaseLost, StoreUnavailable
from bridge.model import PARTITIONS
from bridge.store.leases import Share, SqlLeases
from bridge.store.sqlite import SqliteDatabase
from tests.support.migrated import migrated


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    """An empty database."""
    found = SqliteDatabase(migrated(tmp_path / "bridge.db"))
    await found.open()
    yield found
    await found.close()


class Replica:
    """One process's partitions, and how often they changed."""

    def __init__(self, database: SqliteDatabase, name: str) -> None:
        self.changes = 0
        self.partitions = Partitions(SqlLeases(database, name), self._changed)

    def _changed(self) -> None:
        self.changes += 1


async def two(database: SqliteDatabase) -> tuple[Partitions, Partitions]:
    """Give one that holds everything, and another that has just come."""
    one, other = Replica(database, "one").partitions, Replica(database, "two").partitions
    await one.renew()
    await other.renew()
    return one, other


async def test_one_alone_publishes_everything(database: SqliteDatabase) -> None:
    alone = Replica(database, "one")
    assert not alone.partitions.any_may_publish(), "nothing is ours before it is asked for"
    for _ in range(2):
        await alone.partitions.renew()
    assert sorted(alone.partitions.ours) == list(range(PARTITIONS))
    assert alone.changes == 1
    assert alone.partitions.next_look == RENEW_S


async def test_half_goes_to_a_second_one(database: SqliteDatabase) -> None:
    one, other = await two(database)
    await one.renew()
    assert len(one.ours) == PARTITIONS // 2, "from now on nothing more is sent from the other half"
    assert one.next_look < RENEW_S
    await one.renew()
    await other.renew()
    assert sorted([*one.ours, *other.ours]) == list(range(PARTITIONS))
    assert len(other.ours) == PARTITIONS // 2


async def test_a_partition_with_something_on_its_way_stays_until_that_is_written_down(
    database: SqliteDatabase,
) -> None:
    one, other = await two(database)
    for number in (63, 63, 0):
        one.begin(number)
    await one.renew()
    assert not one.may_publish(63)
    assert one.tokens([63]), "what is on its way can still be written down"
    for _ in range(2):
        await one.renew()
        await other.renew()
    assert 63 not in other.ours
    one.end([63, 63])
    await one.renew()
    await other.renew()
    assert 63 in other.ours
    with pytest.raises(LeaseLost):
        one.tokens([63])


async def test_who_lost_a_lease_publishes_nothing_until_it_is_renewed(database: SqliteDatabase) -> None:
    one = Replica(database, "one").partitions
    await one.renew()
    one.lose()
    assert (one.any_may_publish(), one.may_publish(1)) == (False, False)
    await one.renew()
    assert one.may_publish(1)


async def test_another_replica_looks_when_the_first_lease_of_a_dead_one_is_over(database: SqliteDatabase) -> None:
    _, other = await two(database)
    await database.write(lambda it: it.run("UPDATE leases SET expires_at = expires_at - 7500000 WHERE holder = 'one'"))
    await other.renew()
    assert 0 < other.next_look < 1
    await database.write(lambda it: it.run("UPDATE leases SET expires_at = 1 WHERE holder = 'one'"))
    await other.renew()
    assert len(other.ours) == PARTITIONS


async def test_who_leaves_gives_back_everything_at_once(database: SqliteDatabase) -> None:
    one, other = await two(database)
    await one.leave()
    assert one.ours == []
    await other.renew()
    assert len(other.ours) == PARTITIONS


class NoDatabase:
    """Leases that cannot be had."""

    async def share(self, _group: str, _names: object) -> Share:
        raise StoreUnavailable("gone")

    async def release(self, _names: object) -> None: ...

    async def leave(self, _group: str, _names: object) -> None: ...


async def test_without_a_database_nothing_is_ours_and_nothing_breaks() -> None:
    partitions = Partitions(NoDatabase(), lambda: None)
    await partitions.renew()
    assert not partitions.any_may_publish()
    assert partitions.next_look == RENEW_S, "a database that is away is not asked all the time"
