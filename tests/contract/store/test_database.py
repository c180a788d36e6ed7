"""What a unit of work may rely on, whichever database it runs on."""

from __future__ import annotations

import pytest

from bridge.errors import RowRefused, StoreUnavailable
from bridge.store.database import ManagedDatabase, Transaction

ROWS = [("b", "2"), ("a", "1"), ("ż\U0001f4e6'\"\\", "3"), ("c", "")]


async def test_rows_given_to_a_statement_are_its_columns(database: ManagedDatabase) -> None:
    def join(transaction: Transaction) -> list[tuple[object, ...]]:
        transaction.insert("meta (name, value)", ROWS)
        given = transaction.given(("text", "bigint"), [("a", 7), ("c", None), ("missing", 2**62), (ROWS[2][0], -1)])
        return transaction.run(
            f"SELECT name, value, column2 FROM {given.sql} CROSS JOIN meta WHERE name = column1 ORDER BY name",
            given.parameters,
        )

    assert await database.write(join) == [("a", "1", 7), ("c", "", None), (ROWS[2][0], "3", -1)]


async def test_rows_given_to_an_update_change_theirs_alone(database: ManagedDatabase) -> None:
    def update(transaction: Transaction) -> list[tuple[object, ...]]:
        transaction.insert("meta (name, value)", ROWS)
        given = transaction.given(("text", "text"), [("a", "new"), ("c", "newer"), ("missing", "none")])
        transaction.run(f"UPDATE meta SET value = column2 FROM {given.sql} WHERE name = column1", given.parameters)
        return transaction.run("SELECT name, value FROM meta WHERE name < 'd' ORDER BY name")

    assert await database.write(update) == [("a", "new"), ("b", "2"), ("c", "newer")]


@pytest.mark.parametrize("number", [0, 1, 3, 700])
async def test_a_column_may_be_asked_for_any_number_of_values(database: ManagedDatabase, number: int) -> None:
    def ask(transaction: Transaction) -> tuple[int, int]:
        transaction.insert("outbox (position, partition)", [(n, 0) for n in range(1, 1001)])
        transaction.insert("meta (name, value)", [(str(n), "") for n in range(1, 1001)])
        numbers = transaction.among("position", list(range(1, number + 1)))
        texts = transaction.among("name", [str(n) for n in range(1, number + 1)])
        by_number = transaction.run(f"SELECT count(*) FROM outbox WHERE {numbers.sql}", numbers.parameters)
        by_text = transaction.run(f"SELECT count(*) FROM meta WHERE {texts.sql}", texts.parameters)
        return by_number[0][0], by_text[0][0]

    assert await database.write(ask) == (number, number)


async def test_a_text_that_is_asked_for_is_nothing_but_a_text(database: ManagedDatabase) -> None:
    def ask(transaction: Transaction) -> list[tuple[object, ...]]:
        transaction.insert("meta (name, value)", ROWS)
        wanted = transaction.among("name", [ROWS[2][0], "b') OR ('1' = '1"])
        return transaction.run(f"SELECT value FROM meta WHERE {wanted.sql}", wanted.parameters)

    assert await database.write(ask) == [("3",)]


async def test_a_unit_that_fails_leaves_nothing_behind(database: ManagedDatabase) -> None:
    def twice(transaction: Transaction) -> None:
        transaction.insert("meta (name, value)", [("a", "1")])
        transaction.insert("meta (name, value)", [("a", "2")])

    with pytest.raises(RowRefused):
        await database.write(twice)
    assert await database.read(lambda transaction: transaction.run("SELECT name FROM meta")) == []


async def test_a_savepoint_takes_back_what_is_in_it_alone(database: ManagedDatabase) -> None:
    def unit(transaction: Transaction) -> None:
        transaction.insert("meta (name, value)", [("a", "1")])
        with pytest.raises(RowRefused), transaction.savepoint():
            transaction.insert("meta (name, value)", [("b", "1"), ("a", "2")])
        with transaction.savepoint():
            transaction.insert("meta (name, value)", [("c", "1")])

    await database.write(unit)
    assert await database.read(lambda transaction: transaction.run("SELECT name FROM meta ORDER BY name")) == [
        ("a",),
        ("c",),
    ]


async def test_who_reads_cannot_write(database: ManagedDatabase) -> None:
    with pytest.raises(StoreUnavailable):
        await database.read(lambda transaction: transaction.insert("meta (name, value)", [("a", "1")]))
