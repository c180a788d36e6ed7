"""Which events are sent once more: the stored bytes, in their order, none twice and none left out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import BaseModel

from bridge.errors import Unreadable
from bridge.events.cloudevents import Envelope
from bridge.model import Event, Fact, OrganizationId, ShipmentId, Subject
from bridge.store.database import Database, Transaction
from bridge.store.facts import Recorder
from bridge.store.feed import STRETCH, Filter, encode
from bridge.store.replaying import Matched, Selection, Span, SqlReplays

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Note(BaseModel):
    """What the events of these tests carry."""

    number: int


def fact(number: int, *, shipment: int, kind: str = "shipment.status_changed", organization: int = 1) -> Fact:
    subject = Subject.shipment(OrganizationId(organization), ShipmentId(shipment))
    return Fact(subject, kind, str(number), NOON, Note(number=number))


async def record(database: Database, facts: Sequence[Fact], at: datetime = NOON) -> None:
    """Store events as recorded at a time."""
    recorder = Recorder(Envelope("demo"))

    def write(transaction: Transaction) -> None:
        ledgers = recorder.lock(transaction, {one.subject for one in facts})
        recorder.record(transaction, ledgers, facts, at)
        recorder.save(transaction, ledgers.values())

    await database.write(write)


async def everything(database: Database, selection: Selection) -> tuple[list[Event], list[Span]]:
    """Read page after page, and note where each began."""
    replays = SqlReplays(database)
    span, found, spans = await replays.span(selection), list[Event](), list[Span]()
    while not span.is_over:
        page: Matched = await replays.page(selection, span)
        assert page.after > span.after, "every page comes further"
        found += page.events
        spans.append(span)
        span = Span(span.start, page.after, span.last)
    return found, spans


async def positions(database: Database, selection: Selection) -> list[int]:
    return [one.position for one in (await everything(database, selection))[0]]


async def life(database: Database) -> None:
    """Record five events of three shipments over a day: positions 1 to 5."""
    await record(database, [fact(1, shipment=1), fact(2, shipment=2)], NOON)
    await record(database, [fact(3, shipment=1, kind="shipment.confirmed")], NOON + timedelta(hours=6))
    await record(database, [fact(4, shipment=1), fact(5, shipment=9, organization=2)], NOON + timedelta(hours=12))


SELECTIONS = [
    # what is asked for, the positions, remark
    (Selection(), [1, 2, 3, 4, 5], "everything"),
    (Selection(Filter(subject="shipment/1")), [1, 3, 4], "by subject"),
    (Selection(Filter(type="bridge.shipment.confirmed.v1")), [3], "by type"),
    (Selection(Filter(organizations=(2,))), [5], "by organization"),
    (Selection(Filter(subject="shipment/3")), [], "nobody's"),
    (Selection(since=NOON + timedelta(hours=6)), [3, 4, 5], "since, included"),
    (Selection(until=NOON + timedelta(hours=6)), [1, 2], "until, excluded"),
    (Selection(since=NOON + timedelta(seconds=1), until=NOON + timedelta(hours=12)), [3], "between"),
    (Selection(since=NOON + timedelta(days=2)), [], "since later than all"),
    (Selection(until=NOON - timedelta(days=2)), [], "until earlier than all"),
    (Selection(since=NOON - timedelta(days=2), until=NOON + timedelta(days=2)), [1, 2, 3, 4, 5], "around all"),
    (Selection(after=encode(3)), [4, 5], "after a cursor"),
    (Selection(after=encode(5)), [], "after the last"),
    (Selection(after=encode(99)), [], "after what is not there yet"),
    (Selection(Filter(subject="shipment/1"), since=NOON + timedelta(hours=1), after=encode(3)), [4], "all at once"),
]


@pytest.mark.parametrize(("selection", "expected", "remark"), SELECTIONS, ids=[row[-1] for row in SELECTIONS])
async def test_what_is_asked_for_is_what_is_found(
    database: Database, selection: Selection, expected: list[int], remark: str
) -> None:
    await life(database)
    assert await positions(database, selection) == expected, remark


async def test_an_empty_feed_has_nothing_to_send(database: Database) -> None:
    assert (await SqlReplays(database).span(Selection())).is_over
    assert await positions(database, Selection(since=NOON)) == []


async def test_clocks_that_disagree_by_minutes_hide_nothing(database: Database) -> None:
    for number, minutes in enumerate([0, 4, 1, 5, 3, 9, 6]):
        await record(database, [fact(number, shipment=number + 1)], NOON + timedelta(minutes=minutes))
    window = Selection(since=NOON + timedelta(minutes=3), until=NOON + timedelta(minutes=6))
    assert await positions(database, window) == [2, 4, 5]


async def test_the_bytes_are_the_stored_ones(database: Database) -> None:
    await life(database)
    found, _ = await everything(database, Selection())
    rows = await database.read(lambda transaction: transaction.run("SELECT id, body FROM events ORDER BY position"))
    assert [(one.id, one.body) for one in found] == [tuple(row) for row in rows]
    assert [(one.subject.name, one.sequence) for one in found][::3] == [("shipment/1", 1), ("shipment/1", 3)]


LONG = 2 * STRETCH + 10


@pytest.mark.parametrize(
    ("wanted", "expected", "remark"),
    [
        (Filter(), LONG, "all of them"),
        (Filter(type="shipment.confirmed"), 1, "the last one of many"),
        (Filter(organizations=(2,)), 1, "another organization's, behind them"),
        (Filter(subject="shipment/1"), LONG - 1, "more than a page of one subject"),
        (Filter(subject="shipment/2"), 1, "one of another subject behind them"),
    ],
)
async def test_many_events_come_in_pages_that_always_come_further(
    database: Database, wanted: Filter, expected: int, remark: str
) -> None:
    await record(database, [fact(number, shipment=1) for number in range(LONG - 1)])
    await record(database, [fact(LONG, shipment=2, kind="shipment.confirmed", organization=2)])
    found, spans = await everything(database, Selection(wanted))
    assert len({one.position for one in found}) == len(found) == expected, remark
    assert [one.position for one in found] == sorted(one.position for one in found)
    shares = [span.share for span in spans]
    assert shares == sorted(shares)
    assert all(0 <= share < 1 for share in shares)


PRUNED = [
    # up to which position, what is asked for, whether some of it may be gone, remark
    (0, Selection(), False, "nothing was deleted"),
    (2, Selection(), True, "from the beginning"),
    (2, Selection(until=NOON + timedelta(hours=1)), True, "from the beginning, up to some time"),
    (2, Selection(since=NOON), True, "since what was deleted"),
    (2, Selection(since=NOON + timedelta(hours=6)), False, "since the first that is there"),
    (2, Selection(since=NOON + timedelta(hours=7)), False, "since later"),
    (2, Selection(after=encode(1)), True, "after a cursor whose next is gone"),
    (2, Selection(after=encode(2)), False, "after the last that is gone"),
    (2, Selection(since=NOON, after=encode(2)), False, "since what was deleted, after the last that is gone"),
    (5, Selection(since=NOON + timedelta(hours=12)), True, "nothing is left to tell when it was"),
]


@pytest.mark.parametrize(("until", "selection", "has_gap", "remark"), PRUNED, ids=[row[-1] for row in PRUNED])
async def test_it_is_told_whether_some_of_it_was_deleted_for_its_age(
    database: Database, until: int, selection: Selection, has_gap: bool, remark: str
) -> None:
    await life(database)

    def prune(transaction: Transaction) -> None:
        transaction.run("DELETE FROM events WHERE position <= ?", (until,))
        transaction.run("INSERT INTO pruned (what, n, until) VALUES ('events', ?, ?)", (until, until))

    if until:
        await database.write(prune)
    assert (await SqlReplays(database).span(selection)).has_gap is has_gap, remark


async def test_what_is_recorded_after_it_began_is_not_part_of_it(database: Database) -> None:
    await life(database)
    span = await SqlReplays(database).span(Selection())
    await record(database, [fact(6, shipment=1)])
    page = await SqlReplays(database).page(Selection(), span)
    assert [one.position for one in page.events] == [1, 2, 3, 4, 5]


async def test_a_cursor_of_another_kind_is_refused(database: Database) -> None:
    with pytest.raises(Unreadable):
        await SqlReplays(database).span(Selection(after="nonsense"))
