"""The SQLite file: what shares a commit stays apart, what is answered is on disk, and the end loses nothing."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from bridge.errors import RowRefused, StoreUnavailable
from bridge.settings import Database as DatabaseSettings
from bridge.store.database import Transaction
from bridge.store.migrate import migrate
from bridge.store.opening import existing
from bridge.store.sqlite import SqliteDatabase, connect


@asynccontextmanager
async def opened(path: Path, schema: str = "CREATE TABLE t (n INTEGER PRIMARY KEY)") -> AsyncIterator[SqliteDatabase]:
    database = SqliteDatabase(path)
    await database.open()
    try:
        await database.write(lambda transaction: transaction.run(schema))
        yield database
    finally:
        await database.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "bridge.db"


def insert(*numbers: int) -> Callable[[Transaction], int]:
    def unit(transaction: Transaction) -> int:
        for number in numbers:
            transaction.run("INSERT INTO t VALUES (?)", (number,))
        return sum(numbers)

    return unit


def run(sql: str) -> Callable[[Transaction], object]:
    """Make a unit of one statement, which gives its rows."""
    return lambda transaction: transaction.run(sql)


def stored(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT n FROM t ORDER BY n")]


class Held:
    """A unit that keeps the writing thread busy, so that what comes meanwhile shares the next commit."""

    def __init__(self) -> None:
        self.began, self._ended = threading.Event(), threading.Event()

    def __call__(self, _transaction: Transaction) -> None:
        self.began.set()
        self._ended.wait(10)

    def end(self) -> None:
        self._ended.set()


async def together(database: SqliteDatabase, *units: Callable[[Transaction], object]) -> list[object | BaseException]:
    """Run units under one commit; gives their results and errors."""
    held = Held()
    holding = asyncio.create_task(database.write(held))
    await asyncio.to_thread(held.began.wait, 10)
    tasks = [asyncio.create_task(database.write(unit)) for unit in units]
    await asyncio.sleep(0)
    held.end()
    await holding
    return await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize(("name", "value"), [("synchronous", 2), ("journal_mode", "wal")])
@pytest.mark.parametrize("read_only", [False, True])
async def test_every_connection_is_as_safe_as_promised(path: Path, name: str, value: object, read_only: bool) -> None:
    async with opened(path) as database:
        look = run(f"PRAGMA {name}")
        assert await (database.read(look) if read_only else database.write(look)) == [(value,)]


async def test_units_that_share_a_commit_each_get_their_own_answer(path: Path) -> None:
    async with opened(path) as database:
        assert await together(database, insert(1), insert(2, 3), insert(4)) == [1, 5, 4]
        assert stored(path) == [1, 2, 3, 4]


async def test_a_unit_at_leisure_waits_for_one_that_is_not_and_shares_its_commit(path: Path) -> None:
    database = SqliteDatabase(path, leisure_s=10)
    await database.open()
    first = asyncio.create_task(database.write(lambda transaction: transaction, at_leisure=True))
    second = asyncio.create_task(database.write(lambda transaction: transaction, at_leisure=True))
    await asyncio.sleep(0)
    assert await asyncio.wait_for(database.write(lambda transaction: transaction), 5) is await first is await second
    await database.close()


async def test_a_unit_at_leisure_is_committed_alone_when_nobody_comes(path: Path) -> None:
    async with opened(path) as database:
        assert await database.write(insert(1), at_leisure=True) == 1
        assert stored(path) == [1]


async def test_what_waits_at_leisure_is_finished_before_the_end(path: Path) -> None:
    database = SqliteDatabase(path, leisure_s=10)
    await database.open()
    await database.write(lambda transaction: transaction.run("CREATE TABLE t (n INTEGER PRIMARY KEY)"))
    waiting = asyncio.create_task(database.write(insert(1), at_leisure=True))
    await asyncio.sleep(0)
    await asyncio.wait_for(database.close(), 5)
    assert await waiting == 1
    assert stored(path) == [1]


async def test_a_unit_that_fails_undoes_itself_alone(path: Path) -> None:
    def bug(transaction: Transaction) -> None:
        insert(90)(transaction)
        raise KeyError("a bug")

    async with opened(path) as database:
        answers = await together(database, insert(1), insert(5, 1), bug, insert(2))
        assert [type(one) for one in answers] == [int, RowRefused, KeyError, int]
        assert stored(path) == [1, 2]


async def test_a_unit_alone_that_fails_leaves_nothing(path: Path) -> None:
    async with opened(path) as database:
        with pytest.raises(RowRefused):
            await database.write(insert(1, 2, 1))
        with pytest.raises(RowRefused):
            await database.write(lambda transaction: transaction.run("INSERT INTO t VALUES (?)", (2**70,)))
        assert stored(path) == []
        assert await database.write(insert(3)) == 3, "and the database goes on"


async def test_a_savepoint_inside_a_unit_takes_back_only_what_is_in_it(path: Path) -> None:
    def unit(transaction: Transaction) -> None:
        insert(1)(transaction)
        with pytest.raises(RowRefused), transaction.savepoint():
            insert(2, 1)(transaction)
        with transaction.savepoint():
            insert(3)(transaction)

    async with opened(path) as database:
        await together(database, unit, insert(4))
        assert stored(path) == [1, 3, 4]


async def test_a_commit_that_fails_fails_everybody_in_it(path: Path) -> None:
    schema = "CREATE TABLE t (n INTEGER PRIMARY KEY, m INTEGER REFERENCES t (n) DEFERRABLE INITIALLY DEFERRED)"
    plain, orphan = run("INSERT INTO t VALUES (2, NULL)"), run("INSERT INTO t VALUES (1, 99)")
    async with opened(path, schema) as database:
        await foreign_keys(database)
        answers = await together(database, plain, orphan, run("SELECT 1"))
        assert [type(one) for one in answers] == [StoreUnavailable] * 3
        assert stored(path) == []
        await database.write(plain)
        assert stored(path) == [2]


async def foreign_keys(database: SqliteDatabase) -> None:
    """Turn on a check that SQLite makes at the commit: PRAGMA works outside transactions only."""

    def unit(transaction: Transaction) -> None:
        transaction.run("COMMIT")
        transaction.run("PRAGMA foreign_keys = ON")
        transaction.run("BEGIN IMMEDIATE")

    await database.write(unit)


async def test_a_file_that_cannot_grow_fails_the_commit_and_later_goes_on(path: Path) -> None:
    large, small = run("INSERT INTO t VALUES (1, zeroblob(200000))"), run("INSERT INTO t VALUES (2, NULL)")
    async with opened(path, "CREATE TABLE t (n INTEGER PRIMARY KEY, b BLOB)") as database:
        await database.write(run("PRAGMA max_page_count = 10"))
        answers = await together(database, small, large)
        assert [type(one) for one in answers] == [StoreUnavailable] * 2, "the database itself is in trouble"
        assert stored(path) == []
        await database.write(run("PRAGMA max_page_count = 10000"))
        await together(database, small, large)
        assert stored(path) == [1, 2]


async def test_a_file_that_is_no_database_is_unavailable_in_words(tmp_path: Path) -> None:
    path = tmp_path / "bridge.db"
    path.write_bytes(b"nothing that SQLite knows" * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        await SqliteDatabase(path).open()


async def test_a_file_that_breaks_while_it_is_read_is_unavailable_too(path: Path) -> None:
    async with opened(path) as database:
        await database.write(insert(*range(3000)))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * 4096 * 3)
        with pytest.raises(StoreUnavailable):
            await database.read(run("SELECT sum(n) FROM t"))


async def test_a_folder_that_cannot_be_made_is_unavailable_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="folder"):
        await SqliteDatabase(tmp_path / "file" / "bridge.db").open()


async def test_a_reader_cannot_write(path: Path) -> None:
    async with opened(path) as database:
        with pytest.raises(StoreUnavailable, match="readonly"):
            await database.read(insert(1))


async def test_a_reader_sees_one_moment(path: Path) -> None:
    async with opened(path) as database:
        await database.write(insert(1))

        def twice(transaction: Transaction) -> tuple[object, object]:
            before = transaction.run("SELECT count(*) FROM t")
            with closing(sqlite3.connect(path)) as other:
                other.execute("INSERT INTO t VALUES (2)")
                other.commit()
            return before, transaction.run("SELECT count(*) FROM t")

        assert await database.read(twice) == ([(1,)], [(1,)])
        assert await database.read(run("SELECT count(*) FROM t")) == [(2,)]


async def test_what_was_handed_in_is_finished_before_the_end(path: Path) -> None:
    async with opened(path) as database:
        held = Held()
        holding = asyncio.create_task(database.write(held))
        await asyncio.to_thread(held.began.wait, 10)
        tasks = [asyncio.create_task(database.write(insert(n))) for n in range(200)]
        await asyncio.sleep(0)
        closing_ = asyncio.create_task(database.close())
        await asyncio.sleep(0)
        held.end()
        await asyncio.gather(holding, closing_)
        assert await asyncio.gather(*tasks) == list(range(200))
        assert stored(path) == list(range(200))


async def test_after_the_end_nothing_is_taken_on(path: Path) -> None:
    async with opened(path) as database:
        await database.close()
        with pytest.raises(StoreUnavailable, match="not open"):
            await database.write(insert(1))
    with pytest.raises(StoreUnavailable, match="not open"):
        await SqliteDatabase(path).write(insert(1))


async def test_somebody_who_no_longer_waits_holds_up_nobody(path: Path) -> None:
    async with opened(path) as database:
        held = Held()
        holding = asyncio.create_task(database.write(held))
        await asyncio.to_thread(held.began.wait, 10)
        gone = asyncio.create_task(database.write(insert(1)))
        await asyncio.sleep(0)
        gone.cancel()
        held.end()
        await holding
        assert await database.write(insert(2)) == 2
        assert stored(path) == [1, 2]


@pytest.mark.parametrize("number", [0, 1, 2, 3, 511, 512, 513, 1500])
async def test_rows_of_any_number_are_inserted_and_given_back_in_order(path: Path, number: int) -> None:
    async with opened(path) as database:
        rows = await database.write(
            lambda transaction: transaction.insert("t (n)", [(n,) for n in range(number)], tail="RETURNING n")
        )
        assert rows == [(n,) for n in range(number)]
        assert stored(path) == list(range(number))


def test_a_database_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    with pytest.raises(StoreUnavailable, match="no database yet"):
        existing(DatabaseSettings("sqlite", SecretStr(""), path))
    with pytest.raises(StoreUnavailable, match="cannot open"):
        connect(path, read_only=True)
    assert list(tmp_path.iterdir()) == []


async def test_trouble_is_remembered_until_something_is_written_again(path: Path) -> None:
    database = SqliteDatabase(path)
    await database.open()
    await database.write(migrate)
    _move(path, path.with_suffix(".away"))
    with pytest.raises(StoreUnavailable, match="removed or replaced"):
        await database.write(lambda transaction: transaction.run("INSERT INTO meta VALUES ('a', 'b')"))
    assert (trouble := await database.probe(5)) is not None
    assert "removed or replaced" in trouble.reason
    _move(path.with_suffix(".away"), path)
    await database.write(lambda transaction: transaction.run("SELECT 1"))
    assert database.trouble == trouble  # nothing was written, so nothing is known
    assert await database.probe(5) is None
    await database.close()


def _move(old: Path, new: Path) -> None:
    old.rename(new)
