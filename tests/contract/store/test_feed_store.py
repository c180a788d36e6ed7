"""Cursors of the feed: who reads goes on where it stopped, or is told that there is no such place any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from bridge.errors import CursorOfAnotherPast, Unreadable
from bridge.events.cloudevents import Envelope
from bridge.events.return_projection import About, label_ready
from bridge.model import PARTITIONS, Fact, OrganizationId, Subject, micros
from bridge.store.database import Database, Transaction
from bridge.store.facts import Recorder
from bridge.store.feed import STRETCH, Filter, Page, SqlFeed, encode
from bridge.store.outbox import Made, SqlOutbox
from bridge.store.replaying import Selection, SqlReplays
from tests.contract.store.test_replaying_store import LONG, NOON, Note, everything, fact, life, record


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


# -- what no index leads to --------------------------------------------------------------------------------------------

RARE = Filter(type="bridge.shipment.confirmed.v1")
OTHERS = Filter(organizations=(2,))


async def one_of_many(database: Database) -> None:
    """Record very many events, and behind them one of another type, subject and organization."""
    await record(database, [fact(number, shipment=1) for number in range(LONG - 1)])
    await record(database, [fact(LONG, shipment=2, kind="shipment.confirmed", organization=2)])


async def pages(feed: SqlFeed, wanted: Filter, after: str | None = None, limit: int = 10) -> list[Page]:
    """Read page after page to the end."""
    found = [await feed.page(after, limit, wanted)]
    while not found[-1].is_last:
        found.append(await feed.page(found[-1].cursor, limit, wanted))
    return found


def at(position: int) -> str:
    """Write the cursor after an event of these tests."""
    return encode(position, micros(NOON))


def positions(found: Sequence[Page]) -> list[list[int]]:
    return [[event.position for event in page.events] for page in found]


@pytest.mark.parametrize("wanted", [RARE, OTHERS], ids=["by type", "by organization"])
async def test_a_page_ends_after_so_many_positions_and_the_next_one_goes_on_there(
    database: Database, wanted: Filter
) -> None:
    await one_of_many(database)
    feed = SqlFeed(database)
    found = await pages(feed, wanted)
    assert positions(found) == [[], [], [LONG]]
    assert [page.cursor for page in found] == [at(STRETCH), at(2 * STRETCH), at(LONG)]
    again = await feed.page(found[-1].cursor, 10, wanted)
    assert (again.events, again.cursor, again.is_last) == ((), at(LONG), True)


async def test_who_finds_nothing_comes_to_the_end_and_never_looks_again_at_what_was_there(database: Database) -> None:
    await one_of_many(database)
    feed = SqlFeed(database)
    nothing = Filter(type="bridge.shipment.cancelled.v1")
    last = (await pages(feed, nothing))[-1]
    assert (last.events, last.cursor) == ((), at(LONG))
    await record(database, [fact(1, shipment=3, kind="shipment.cancelled")])
    assert positions(await pages(feed, nothing, last.cursor)) == [[LONG + 1]]


async def test_what_an_index_leads_to_and_everything_come_in_full_pages(database: Database) -> None:
    await one_of_many(database)
    feed = SqlFeed(database)
    behind = await pages(feed, Filter(subject="shipment/2"))
    assert (positions(behind), behind[0].cursor) == ([[LONG]], at(LONG))
    assert [len(page.events) for page in await pages(feed, Filter(), limit=1500)] == [1500, LONG - 1500]


async def test_what_was_deleted_for_its_age_is_no_distance(database: Database) -> None:
    await one_of_many(database)
    await change(
        database,
        *(f"DELETE FROM {table} WHERE position < {LONG - 3}" for table in ("facts", "outbox", "events")),
        f"INSERT INTO pruned (what, n, until) VALUES ('events', {LONG - 4}, {LONG - 4})",
    )
    assert positions(await pages(SqlFeed(database), RARE)) == [[LONG]]


BACKWARDS = [
    # the last so many, of what, the positions, remark
    (1, RARE, [LONG], "the last one"),
    (3, RARE, [1, LONG], "fewer than that, the first one first of all"),
    (2, Filter(type="shipment.status_changed"), [LONG - 2, LONG - 1], "the last two of many"),
    (2, Filter(organizations=(1,)), [LONG - 2, LONG - 1], "of an organization"),
    (2, Filter(type="shipment.cancelled"), [], "there is none"),
    (0, RARE, [], "none of them"),
]


@pytest.mark.parametrize(("last", "wanted", "expected", "remark"), BACKWARDS, ids=[row[-1] for row in BACKWARDS])
async def test_the_last_ones_are_looked_for_from_the_end(
    database: Database, last: int, wanted: Filter, expected: list[int], remark: str
) -> None:
    await one_of_many(database)
    await change(database, "UPDATE events SET type = 'shipment.confirmed' WHERE position = 1")
    feed = SqlFeed(database)
    found = await pages(feed, wanted, await feed.before(last, wanted), 1000)
    assert [position for page in positions(found) for position in page] == expected, remark


# -- whose an event is -------------------------------------------------------------------------------------------------


def of_a_return(number: int, organization: int | None) -> Fact:
    about = About(f"{number:032x}", "inpost_returns/main", OrganizationId(organization) if organization else None)
    return label_ready(about, "pdf", "0" * 64, 10, NOON)


async def told(database: Database, *facts: Fact) -> list[Made]:
    """Store events, and give them as they are handed to the relay at once."""
    recorder = Recorder(Envelope("demo"))

    def write(transaction: Transaction) -> list[Made]:
        ledgers = recorder.lock(transaction, {one.subject for one in facts})
        made = recorder.record(transaction, ledgers, facts, NOON)
        recorder.save(transaction, ledgers.values())
        return made

    return await database.write(write)


def of_a_connection() -> Fact:
    return Fact(Subject.connection("inpost_returns/main"), "connection.paused", "1", NOON, Note(number=1))


async def test_an_event_is_of_the_organization_that_it_tells_and_else_of_the_end_of_its_source(
    database: Database,
) -> None:
    facts = [of_a_return(1, 1000), of_a_return(2, None), fact(3, shipment=1, organization=2), of_a_connection()]
    made = await told(database, *facts)
    assert [one.pending.event.organization for one in made] == ["1000", "main", "2", "main"]
    stored = [one.event for one in await SqlOutbox(database, "me").pending(0, 10, range(PARTITIONS))]
    assert stored == [one.pending.event for one in made]


async def test_a_reader_of_an_organization_sees_its_returns_and_nobody_elses(database: Database) -> None:
    await told(
        database,
        *(of_a_return(number, organization) for number, organization in enumerate((1000, 2000, None))),
        fact(3, shipment=1, organization=1000),
        of_a_connection(),
    )
    feed = SqlFeed(database)
    for organizations, expected in (((1000,), [1, 4]), ((2000,), [2]), ((1000, 2000), [1, 2, 4]), ((3000,), [])):
        wanted = Filter(organizations=organizations)
        assert positions(await pages(feed, wanted)) == [expected]
        assert [one.position for one in (await everything(database, Selection(wanted)))[0]] == expected
    its = Filter(subject=f"return/{0:032x}", organizations=(1000,))
    assert positions(await pages(feed, its)) == [[1]]
    assert positions(await pages(feed, Filter(subject=its.subject, organizations=(2000,)))) == [[]]


async def test_an_event_from_before_is_of_whom_its_source_says(database: Database) -> None:
    await told(database, of_a_return(1, 1000), fact(2, shipment=1, organization=1000))
    await change(database, "UPDATE events SET organization = NULL")
    feed = SqlFeed(database)
    (page,) = await pages(feed, Filter())
    assert [event.organization for event in page.events] == ["main", "1000"]
    assert positions(await pages(feed, Filter(organizations=(1000,)))) == [[2]]
