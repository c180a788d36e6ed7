"""Returns that are asked about: entered once, due in their time, kept as they were seen."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bridge.events.history import Span
from bridge.events.returned import ReturnState
from bridge.events.statuses import ReturnStatus
from bridge.store import open_returns, returns
from bridge.store.database import ManagedDatabase, Transaction
from bridge.store.open_returns import NOTICE, OpenReturn
from bridge.store.returns import Kept, Secrets
from bridge.store.sealed import Vault
from bridge.store.sqlite import SqliteTransaction, connect
from tests.contract.store.test_plans import Explaining

T0 = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CONNECTION = "inpost_returns/main"
VAULT = Vault.with_keys([b"k" * 32])
SEEN = ReturnState(
    (Span("USED", 1_800_000_000, 1_800_000_009, 1, (1_800_000_004,)),), (ReturnStatus.dropped_off,), True
)


async def put(database: ManagedDatabase, number: int, state: returns.State = "created", **changes: Any) -> Kept:
    """Keep a return as whoever makes it does."""
    one = Kept(
        f"{number:032x}", CONNECTION, None, str(number), state, T0, Secrets("R"), provider_reference=f"t-{number}"
    )
    one = replace(one, created_at=T0 + number * HOUR, expires_at=T0 + timedelta(days=7), **changes)
    await database.write(lambda it: returns.begin(it, VAULT, one))
    return one


async def enter(database: ManagedDatabase, *, has_labels: bool = False, limit: int = 100) -> int:
    return await database.write(lambda it: open_returns.enter(it, CONNECTION, T0, HOUR, limit, has_labels=has_labels))


async def due(database: ManagedDatabase, at: datetime) -> list[str]:
    found = await database.read(lambda it: open_returns.due(it, CONNECTION, at, 100))
    return [one.id[-1] for one in found]


async def one_of(database: ManagedDatabase, number: int) -> OpenReturn:
    [found] = await database.read(lambda it: open_returns.find(it, CONNECTION, "id", [f"{number:032x}"]))
    return found


async def found_by(database: ManagedDatabase, connection: str, key: open_returns.Key, *values: str) -> list[OpenReturn]:
    return await database.read(lambda it: open_returns.find(it, connection, key, values))


async def test_those_that_are_made_are_entered_once(database: ManagedDatabase) -> None:
    states: tuple[returns.State, ...] = ("created", "created", "pending", "failed", "unknown")
    for number, state in enumerate(states, 1):
        await put(database, number, state)
    await put(database, 6, connection="szybkie_zwroty/main")
    assert await database.read(lambda it: open_returns.are_entering(it, CONNECTION))
    assert [await enter(database, limit=1) for _ in range(3)] == [1, 1, 0]
    assert not await database.read(lambda it: open_returns.are_entering(it, CONNECTION))
    assert await due(database, T0 + 2 * HOUR) == ["1"]
    assert await due(database, T0 + 3 * HOUR) == ["1", "2"]
    assert await database.read(lambda it: open_returns.oldest(it, CONNECTION)) == T0
    assert await database.read(lambda it: open_returns.oldest(it, "intelligentreturns/main")) is None


async def test_one_is_kept_as_it_was_seen_and_found_by_each_of_its_names(database: ManagedDatabase) -> None:
    await put(database, 1)
    await enter(database)
    before = await one_of(database, 1)
    assert (before.seen, before.has_code, before.expiry_due_at) == (
        ReturnState(),
        None,
        T0 + timedelta(days=7) - NOTICE,
    )
    after = replace(
        before,
        state="cancelled",
        tracking_number="62001",
        has_code=True,
        seen=SEEN,
        due_at=T0 + 5 * HOUR,
        moved_at=T0 + 2 * HOUR,
        looked_at=T0 + 3 * HOUR,
    )
    await database.write(lambda it: open_returns.save(it, after))
    names: dict[open_returns.Key, str] = {"id": after.id, "provider_reference": "t-1", "tracking_number": "62001"}
    for key, value in names.items():
        assert await found_by(database, CONNECTION, key, value, "other") == [after], key
        assert await found_by(database, "other/main", key, value) == []
    assert await database.read(lambda it: open_returns.find(it, CONNECTION, "id", [])) == []
    assert await database.read(lambda it: open_returns.seen(it, after.id)) == SEEN
    assert await database.read(lambda it: open_returns.seen(it, "nothing")) == ReturnState()
    kept = await database.read(lambda it: returns.find(it, VAULT, after.id))
    assert kept is not None
    assert (kept.return_status, kept.tracking_number, kept.state) == ("dropped_off", "62001", "cancelled")


async def test_a_look_sets_the_next_one_unless_somebody_else_was_faster(database: ManagedDatabase) -> None:
    for number in (1, 2, 3):
        await put(database, number)
    await enter(database)
    one, two, three = [await one_of(database, number) for number in (1, 2, 3)]
    await database.write(lambda it: open_returns.save(it, replace(two, due_at=T0 + 50 * HOUR)))

    def look(transaction: Transaction) -> None:
        open_returns.looked(transaction, [(one, T0 + 9 * HOUR), (two, T0 + 9 * HOUR), (three, None)])
        open_returns.looked(transaction, [])

    await database.write(look)
    assert await due(database, T0 + 9 * HOUR) == ["1"]
    assert await due(database, T0 + 99 * HOUR) == ["1", "2"]


@pytest.mark.parametrize("has_labels", [False, True])
async def test_labels_are_due_where_there_may_be_any(database: ManagedDatabase, has_labels: bool) -> None:
    await put(database, 1)
    await put(database, 2, label_format="pdf")
    await enter(database, has_labels=has_labels)

    async def labels_due(at: datetime) -> list[str]:
        found = await database.read(lambda it: open_returns.labels_due(it, CONNECTION, at, 10))
        return [one.id[-1] for one in found]

    assert await labels_due(T0) == (["1"] if has_labels else [])
    await database.write(lambda it: open_returns.put_label_off(it, f"{1:032x}", T0 + HOUR))
    assert (await labels_due(T0), await labels_due(T0 + HOUR)) == ([], ["1"] if has_labels else [])
    await database.write(lambda it: open_returns.put_label_off(it, f"{1:032x}", None))
    assert await labels_due(T0 + 99 * HOUR) == []


async def test_an_expiry_is_due_until_it_was_told(database: ManagedDatabase) -> None:
    await put(database, 1)
    await put(database, 2)
    await enter(database)
    at = T0 + timedelta(days=5)

    async def expiring() -> list[str]:
        found = await database.read(lambda it: open_returns.expiring(it, CONNECTION, at, 10))
        return sorted(one.id for one in found)

    first, second = await expiring()
    await database.write(lambda it: open_returns.are_told(it, [first]))
    assert await expiring() == [second]


async def test_how_far_was_read_never_goes_back(database: ManagedDatabase) -> None:
    assert await database.read(lambda it: open_returns.reached(it, CONNECTION)) is None
    for hours in (2, 1, 3):
        await database.write(partial(open_returns.reach, connection=CONNECTION, until=T0 + hours * HOUR))
        assert await database.read(lambda it: open_returns.reached(it, CONNECTION)) == T0 + max(hours, 2) * HOUR
    assert await database.read(lambda it: open_returns.reached(it, "other/main")) is None


async def test_every_question_of_a_round_is_answered_by_an_index(database: ManagedDatabase) -> None:
    if database.dialect != "sqlite":
        pytest.skip("PostgreSQL reads a small table whole, whatever its indexes")
    explaining = Explaining(database)
    names: tuple[open_returns.Key, ...] = ("id", "provider_reference", "tracking_number")

    def ask(transaction: Transaction) -> None:
        open_returns.are_entering(transaction, CONNECTION)
        open_returns.due(transaction, CONNECTION, T0, 10)
        open_returns.oldest(transaction, CONNECTION)
        open_returns.labels_due(transaction, CONNECTION, T0, 10)
        open_returns.expiring(transaction, CONNECTION, T0, 10)
        for name in names:
            open_returns.find(transaction, CONNECTION, name, ["a", "b"])

    await explaining.read(ask)
    for sql, plan in explaining.plans.items():
        assert "SCAN returns" not in plan, f"{sql}\n{plan}"


@pytest.mark.parametrize("hostile", ["a\0b", "\ud800", "x" * 100_000, "Robert'); --"])
async def test_a_name_that_no_return_can_have_keeps_no_other_from_being_found(
    database: ManagedDatabase, hostile: str
) -> None:
    made = await put(database, 1, tracking_number="62001")
    await enter(database)
    names: dict[open_returns.Key, str] = {"id": made.id, "provider_reference": "t-1", "tracking_number": "62001"}
    for key, value in names.items():
        assert [one.id for one in await found_by(database, CONNECTION, key, hostile, value)] == [made.id], key
        assert await found_by(database, CONNECTION, key, hostile) == []


def test_what_one_round_asked_about_is_written_down_whatever_sqlite_takes_at_once(migrated_sqlite: Path) -> None:
    connection = connect(migrated_sqlite)
    connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 32_766)
    one = OpenReturn("r", CONNECTION, None, "created", T0, T0, T0, due_at=T0)
    looks = [(replace(one, id=f"{number:032x}"), T0 + HOUR) for number in range(20_000)]
    open_returns.looked(SqliteTransaction(connection), looks)
    connection.close()
