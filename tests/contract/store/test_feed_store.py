"""Cursors of the feed: who reads goes on where it stopped, or is told that there is no such place any more."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bridge.errors import CursorOfAnotherPast, Unreadable
from bridge.model import Fact
from bridge.store.database import Database, Transaction
from bridge.store.feed import SqlFeed, encode
from bridge.store.replaying import Selection, SqlReplays
from tests.contract.store.test_replaying_store import NOON, fact, life, record


async def change(database: Database, *statements: str) -> None:
    """Change the database past the bridge."""

    def run(transaction: Transaction) -> None:
        for sql in statements:
            transaction.run(sql)

    await database.write(run)


async def restore(database: Database, last: int) -> None:
    """Forget what came after a position, as a backup from that moment does, so that positions are given out again."""
    await change(database, *(f"DELETE FROM {table} WHERE position > {last}" for table in ("facts", "outbox", "events")))


async def retold(database: Database, last: int, told: Fact, at: datetime = NOON) -> None:
    """Have an event take the next position."""
    await record(database, [told], at)
    await change(database, f"UPDATE events SET position = {last + 1} WHERE position > {last}")


async def test_a_cursor_from_after_a_backup_is_refused_at_once_and_for_good(database: Database) -> None:
    """Or its reader would wait, see nothing, and miss what takes the places of what it has seen."""
    await life(database)
    feed, replays = SqlFeed(database), SqlReplays(database)
    pages = [await feed.page(None, most) for most in (2, 3, 4)]
    ends = [await feed.end(), await feed.before(1)]
    await restore(database, 2)
    for forgotten in (pages[1].cursor, pages[2].cursor, *ends):
        with pytest.raises(CursorOfAnotherPast):
            await feed.page(forgotten, 10)
        with pytest.raises(CursorOfAnotherPast):
            await replays.span(Selection(after=forgotten))
    await retold(database, 2, fact(33, shipment=7), NOON + timedelta(days=1))
    with pytest.raises(CursorOfAnotherPast):
        await feed.page(pages[1].cursor, 10)
    assert [event.position for event in (await feed.page(pages[0].cursor, 10)).events] == [3]


async def test_a_fact_that_is_told_again_in_its_old_place_is_another_event(database: Database) -> None:
    """It has its old id, but before it lies what its reader has never seen."""
    await life(database)
    feed = SqlFeed(database)
    seen = await feed.page(None, 3)
    await restore(database, 1)
    await retold(database, 1, fact(33, shipment=7), NOON + timedelta(days=1))
    again = fact(3, shipment=1, kind="shipment.confirmed")
    await retold(database, 2, again, NOON + timedelta(days=1))
    assert [event.id for event in (await feed.page(encode(2), 1)).events] == [seen.events[2].id]
    with pytest.raises(CursorOfAnotherPast):
        await feed.page(seen.cursor, 10)


async def test_a_place_where_nothing_comes_stays_what_it_is(database: Database) -> None:
    await life(database)
    feed = SqlFeed(database)
    seen = await feed.page(None, 3)
    assert (await feed.page(seen.cursor, 0)).cursor == seen.cursor, "where nothing comes, the place stays"
    assert [event.position for event in (await feed.page(seen.cursor, 10)).events] == [4, 5]


async def test_what_was_deleted_for_its_age_is_believed_to_have_been_there(database: Database) -> None:
    await life(database)
    feed = SqlFeed(database)
    seen = await feed.page(None, 3)
    await change(
        database,
        *(f"DELETE FROM {table} WHERE position <= 4" for table in ("facts", "outbox", "events")),
        "INSERT INTO pruned (what, n, until) VALUES ('events', 4, 4)",
    )
    page = await feed.page(seen.cursor, 10)
    assert ([event.position for event in page.events], page.has_gap) == ([5], True)


async def test_a_cursor_without_a_mark_is_a_position_alone(database: Database) -> None:
    """Those given out before marks, and by replays."""
    await life(database)
    feed = SqlFeed(database)
    assert [event.position for event in (await feed.page(encode(3), 10)).events] == [4, 5]
    assert (await feed.page(encode(99), 10)).events == ()


@pytest.mark.parametrize("bad", ["", "x", "Mi4x", "Mi4xLmE", "Mi4xLjEuMQ", "My4xLjE", "Mi4tMS4x"])
async def test_what_is_no_cursor_is_refused(database: Database, bad: str) -> None:
    with pytest.raises(Unreadable, match="bad_cursor"):
        await SqlFeed(database).page(bad or "=", 1)
