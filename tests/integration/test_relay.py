"""The relay over a real SQLite file, with a broker that waits for the moments that matter, and with RabbitMQ."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from pydantic import BaseModel, SecretStr
from structlog.testing import capture_logs

from bridge.broker.rabbit import RabbitPublisher, apply_topology
from bridge.broker.topology import UNROUTED
from bridge.egress.relay import Pace, Relay
from bridge.errors import BrokerError, BrokerUnavailable, PublishRefused, StoreUnavailable, TopologyMissing
from bridge.events.cloudevents import Envelope, partition
from bridge.lifecycle import Stop, utc_now
from bridge.model import Event, Fact, OrganizationId, ShipmentId, Subject
from bridge.nodes.rabbitmq import RabbitNode
from bridge.observability import Metrics
from bridge.ports import Answered, Outbox, Publisher
from bridge.store.database import Row, Transaction
from bridge.store.facts import Recorder
from bridge.store.leases import SqlLeases
from bridge.store.outbox import Made, Pending, SqlOutbox
from bridge.store.sqlite import SqliteDatabase
from tests.support.bridge import until
from tests.support.migrated import migrated

QUICK = Pace(first_retry_s=0.02, last_retry_s=0.1)


class Note(BaseModel):
    """What the events of these tests carry."""

    number: int


def shipment(number: int) -> Subject:
    return Subject.shipment(OrganizationId(1), ShipmentId(number))


class Store:
    """A database with events in it."""

    def __init__(self, database: SqliteDatabase) -> None:
        self.database = database
        self._recorder = Recorder(Envelope("demo"))
        self._recorded = 0

    async def record(self, *subjects: int, facet: str = "delivered") -> list[Made]:
        """Record one event for each of these shipments, in this order."""
        facts = []
        for number in subjects:
            self._recorded += 1
            facts.append(
                Fact(
                    subject=shipment(number),
                    type="shipment.status_changed",
                    key=str(self._recorded),
                    occurred_at=utc_now(),
                    data=Note(number=self._recorded),
                    facet=facet,
                )
            )

        def write(transaction: Transaction) -> list[Made]:
            ledgers = self._recorder.lock(transaction, {fact.subject for fact in facts})
            made = self._recorder.record(transaction, ledgers, facts, utc_now())
            self._recorder.save(transaction, ledgers.values())
            return made

        return await self.database.write(write)

    async def rows(self, sql: str, *parameters: object) -> list[Row]:
        return await self.database.write(lambda transaction: transaction.run(sql, parameters))

    async def pending(self) -> int:
        """How many events nobody has marked as published."""
        return int((await self.rows("SELECT count(*) FROM outbox WHERE state = 0"))[0][0])

    async def all_is_marked(self) -> bool:
        return await self.pending() == 0

    async def give_away(self, number: int) -> None:
        """Let another replica have a partition for as long as it can: beyond two leases it would count as free."""
        sql = (
            "UPDATE leases SET holder = 'another', token = token + 1, expires_at = expires_at + 7000000 WHERE name = ?"
        )
        await self.rows(sql, f"relay/{number}")

    async def order(self) -> dict[str, list[int]]:
        """Give every subject's sequence as recorded."""
        rows = await self.rows(
            "SELECT name, events.sequence FROM events JOIN subjects ON subjects.id = subject_id ORDER BY position"
        )
        return _by_subject(rows)


def _by_subject(rows: Sequence[Row]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for name, sequence in rows:
        found[name].append(sequence)
    return dict(found)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An empty database."""
    database = SqliteDatabase(migrated(tmp_path / "bridge.db"))
    await database.open()
    yield Store(database)
    await database.close()


class Broker:
    """Confirms, refuses and breaks as told, and sees what is on its way."""

    def __init__(self) -> None:
        self.published: list[Event] = []
        self.on_way: Counter[Subject] = Counter()
        self.most_on_way = 0
        self.most_of_a_subject = 0
        self.connects = 0
        self.attempts: Counter[Subject] = Counter()
        self.refused: set[Subject] = set()
        self.unrouted: set[Subject] = set()
        self.is_away = False
        self.is_closed = False
        self.reason = "away"
        self.confirms = asyncio.Event()
        self.confirms.set()

    def connect(self) -> None:
        self.connects += 1
        if self.is_away:
            raise BrokerUnavailable(self.reason)

    def receive(self, event: Event) -> None:
        subject = event.subject
        self.attempts[subject] += 1
        self.on_way[subject] += 1
        self.most_on_way = max(self.most_on_way, self.on_way.total())
        self.most_of_a_subject = max(self.most_of_a_subject, self.on_way[subject])

    async def answer(self, event: Event) -> BrokerError | None:
        await asyncio.sleep(0)
        await self.confirms.wait()
        self.on_way[event.subject] -= 1
        if self.is_away:
            return BrokerUnavailable("away")
        if event.subject in self.refused:
            return PublishRefused("no")
        if event.subject in self.unrouted:
            return TopologyMissing("no queue")
        self.published.append(event)
        return None

    def order(self) -> dict[str, list[int]]:
        """Give every subject's sequence as first published."""
        firsts = {event.id: event for event in reversed(self.published)}.values()
        return _by_subject([(event.subject.name, event.sequence) for event in reversed(list(firsts))])

    def numbers(self, number: int) -> list[int]:
        """Give what was published of one shipment, repeats and all."""
        return [event.sequence for event in self.published if event.subject == shipment(number)]


class Line:
    """One relay's connection to such a broker."""

    is_open = True

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._answers: set[asyncio.Task[None]] = set()

    async def connect(self, answered: Answered) -> None:
        self.answered = answered
        self._broker.connect()

    def publish(self, events: Sequence[Event]) -> None:
        for event in events:
            self._broker.receive(event)
            task = asyncio.create_task(self._answer(event))
            self._answers.add(task)
            task.add_done_callback(self._answers.discard)

    async def close(self) -> None:
        self._broker.is_closed = True

    async def _answer(self, event: Event) -> None:
        self.answered([(event, await self._broker.answer(event))])


class SlowOutbox:
    """A real outbox whose pages and marks arrive when told."""

    def __init__(self, outbox: SqlOutbox) -> None:
        self._outbox = outbox
        self.pages = asyncio.Event()
        self.marks = asyncio.Event()
        self.pages.set()
        self.marks.set()
        self.pages_read = 0
        self.pages_waiting = 0
        self.marks_waiting = 0

    async def pending(self, after: int, limit: int, partitions: Collection[int]) -> Sequence[Pending]:
        found = await self._outbox.pending(after, limit, partitions)
        self.pages_read += 1
        self.pages_waiting += 1
        await self.pages.wait()
        self.pages_waiting -= 1
        return found

    async def decided(self) -> int:
        return await self._outbox.decided()

    async def confirm(self, positions: Sequence[int], tokens: Mapping[str, int], now: datetime) -> None:
        self.marks_waiting += 1
        await self.marks.wait()
        self.marks_waiting -= 1
        await self._outbox.confirm(positions, tokens, now)


class Running:
    """A relay at work."""

    def __init__(self, relay: Relay, stop: Stop, metrics: Metrics) -> None:
        self.relay = relay
        self.metrics = metrics
        self._stop = stop
        loops = relay.renew(), relay.publish(), relay.mark()
        self._tasks = [asyncio.ensure_future(loop) for loop in loops]

    def announce_end(self) -> None:
        self._stop.announce()

    def abandon(self) -> None:
        """Leave it where it is, after a test that failed."""
        for task in self._tasks:
            task.cancel()

    async def end(self) -> None:
        """End it as the process does."""
        self._stop.announce()
        await asyncio.gather(*self._tasks)
        await self.relay.close()

    def published(self) -> float:
        return (
            self.metrics.registry.get_sample_value("bridge_events_published_total", {"type": "shipment.status_changed"})
            or 0.0
        )


@asynccontextmanager
async def relaying(
    store: Store,
    publisher: Publisher | Broker,
    *,
    holder: str = "one",
    pace: Pace = QUICK,
    outbox: Outbox | None = None,
) -> AsyncIterator[Running]:
    """Run a relay from the first event on."""
    stop, metrics = Stop(), Metrics()
    relay = Relay(
        outbox=outbox or SqlOutbox(store.database, holder),
        leases=SqlLeases(store.database, holder),
        publisher=Line(publisher) if isinstance(publisher, Broker) else publisher,
        start=0,
        metrics=metrics,
        clock=utc_now,
        stop=stop,
        pace=pace,
    )
    running = Running(relay, stop, metrics)
    try:
        yield running
    except BaseException:
        running.abandon()
        raise
    await running.end()


# -- every moment that matters -----------------------------------------------------------------------------------------


async def test_what_the_process_made_itself_is_published_unread(store: Store) -> None:
    broker = Broker()
    outbox = SlowOutbox(SqlOutbox(store.database, "one"))
    async with relaying(store, broker, outbox=outbox) as running:
        await until(lambda: bool(outbox.pages_read))
        outbox.pages.clear()
        running.relay.offer(await store.record(1, 2, 1, 3, 1))
        await until(store.all_is_marked)
        outbox.pages.set()
    assert broker.order() == await store.order()
    assert len(broker.published) == 5


@pytest.mark.parametrize("seed", range(5))
async def test_order_holds_whatever_of_what_was_made_is_handed_over(store: Store, seed: int) -> None:
    """Some is handed over, some only told of, some found by looking, as what other processes make."""
    chance = random.Random(seed)
    broker = Broker()
    async with relaying(store, broker, pace=replace(QUICK, window=4)) as running:
        for _ in range(60):
            made = await store.record(*chance.choices(range(1, 9), k=chance.randint(1, 12)))
            if chance.random() < 0.6:
                running.relay.offer(made)
            elif chance.random() < 0.5:
                running.relay.bell.ring()
            if chance.random() < 0.2:
                broker.refused ^= {shipment(chance.randint(1, 8))}
            await asyncio.sleep(0)
        broker.refused.clear()
        await until(store.all_is_marked)
    assert broker.order() == await store.order()
    assert broker.most_of_a_subject == 1


async def test_events_of_a_subject_are_published_in_sequence_one_at_a_time(store: Store) -> None:
    broker = Broker()
    await store.record(*(number for _ in range(20) for number in range(1, 11)))
    async with relaying(store, broker):
        await until(store.all_is_marked)
    assert broker.order() == await store.order()
    assert len(broker.published) == 200
    assert broker.most_of_a_subject == 1
    assert broker.most_on_way == 10


async def test_no_more_is_on_its_way_than_the_window(store: Store) -> None:
    broker = Broker()
    broker.confirms.clear()
    await store.record(*range(1, 30))
    async with relaying(store, broker, pace=Pace(window=4)):
        await until(lambda: broker.on_way.total() == 4)
        broker.confirms.set()
        await until(store.all_is_marked)
    assert broker.most_on_way == 4


async def test_more_events_than_fit_into_memory_are_all_published(store: Store) -> None:
    broker = Broker()
    await store.record(*(number for _ in range(30) for number in range(1, 11)))
    async with relaying(store, broker, pace=Pace(in_memory=16)):
        await until(store.all_is_marked)
    assert broker.order() == await store.order()


async def test_only_what_was_confirmed_is_marked(store: Store) -> None:
    broker = Broker()
    broker.confirms.clear()
    await store.record(1)
    async with relaying(store, broker) as running:
        await until(lambda: broker.on_way.total() == 1)
        assert await store.pending() == 1
        assert running.published() == 0
        broker.confirms.set()
        await until(store.all_is_marked)
        assert running.published() == 1
    rows = await store.rows("SELECT state, published_at > 0 FROM outbox")
    assert rows == [(1, 1)]


async def test_an_event_recorded_later_is_published_when_the_bell_rings(store: Store) -> None:
    broker = Broker()
    async with relaying(store, broker) as running:
        await until(lambda: broker.connects)
        await store.record(1, 1)
        running.relay.bell.ring()
        await until(store.all_is_marked)
    assert broker.numbers(1) == [1, 2]


async def test_a_refused_subject_waits_and_goes_on_in_order_while_others_are_published(store: Store) -> None:
    broker = Broker()
    broker.refused = {shipment(1)}
    await store.record(1, 2, 1, 2, 1)
    async with relaying(store, broker) as running:
        await until(lambda: broker.attempts[shipment(1)] >= 3)
        assert running.relay.held_subjects == 1
        assert broker.numbers(2) == [1, 2]
        await store.record(1, 2)
        running.relay.bell.ring()
        await until(lambda: broker.numbers(2) == [1, 2, 3])
        assert broker.numbers(1) == []
        broker.refused = set()
        await until(store.all_is_marked)
        assert running.relay.held_subjects == 0
    assert broker.numbers(1) == [1, 2, 3, 4]


async def test_a_subject_may_be_refused_any_number_of_times(store: Store) -> None:
    """A consumer's queue that is full over a weekend; the pause between two tries stops doubling."""
    broker = Broker()
    broker.refused = {shipment(1)}
    await store.record(1)
    async with relaying(store, broker, pace=Pace(first_retry_s=1e-9, last_retry_s=0.0)):
        await until(lambda: broker.attempts[shipment(1)] > 1100, 30)
        broker.refused = set()
        await until(store.all_is_marked)
    assert broker.numbers(1) == [1]


async def test_a_refusal_is_logged_once_with_advice_and_then_summed_up_now_and_again(store: Store) -> None:
    broker = Broker()
    broker.refused, broker.unrouted = {shipment(1), shipment(2)}, {shipment(3)}
    await store.record(1, 2, 3)
    with capture_logs() as lines:
        async with relaying(store, broker, pace=Pace(first_retry_s=0.01, last_retry_s=0.01, tell_s=0.2)) as running:

            def summed_up() -> list[Any]:
                return [line for line in lines if line["event"] == "relay.held" and line["subjects"] == 3]

            await until(lambda: broker.attempts[shipment(1)] > 5 and len(summed_up()) > 1)
            unrouted, full = running.relay.warnings()
            broker.refused = broker.unrouted = set()
            await until(store.all_is_marked)
            assert running.relay.warnings() == []
    refused = {line["subject"]: line["advice"] for line in lines if line["event"] == "relay.refused"}
    assert sum(line["event"] == "relay.refused" for line in lines) == 3
    assert "make room" in refused["shipment/1"]
    assert "bridge topology apply" in refused["shipment/3"]
    assert ("1 subject held" in unrouted, "bridge.unrouted is missing" in unrouted) == (True, True)
    assert ("2 subjects held" in full, "make room" in full) == (True, True)
    assert summed_up()[0]["advice"] == [unrouted, full]


async def test_a_page_read_while_a_subject_is_freed_does_not_overtake_what_it_held_back(store: Store) -> None:
    """The page in hand begins behind events that went back to the outbox when their subject was refused."""
    broker = Broker()
    broker.refused = {shipment(1)}
    outbox = SlowOutbox(SqlOutbox(store.database, "one"))
    await store.record(1, 1, 1)
    async with relaying(store, broker, outbox=outbox) as running:
        await until(lambda: running.relay.held_subjects == 1)
        outbox.pages.clear()
        await store.record(1)
        running.relay.bell.ring()
        await until(lambda: outbox.pages_waiting)
        broker.refused = set()
        broker.confirms.clear()
        outbox.pages.set()
        await until(lambda: broker.on_way[shipment(1)])
        outbox.pages.clear()
        await store.record(1)
        running.relay.bell.ring()
        await until(lambda: outbox.pages_waiting)
        broker.confirms.set()
        await until(lambda: broker.numbers(1) == [1])
        outbox.pages.set()
        await until(store.all_is_marked)
    assert broker.numbers(1) == [1, 2, 3, 4, 5]


async def test_a_page_read_before_a_mark_and_seen_after_it_repeats_nothing(store: Store) -> None:
    """The page still shows the event as pending, and the relay has forgotten it by then."""
    broker = Broker()
    broker.refused = {shipment(1)}
    outbox = SlowOutbox(SqlOutbox(store.database, "one"))
    await store.record(1, 1)
    async with relaying(store, broker, outbox=outbox) as running:
        await until(lambda: running.relay.held_subjects == 1)
        outbox.marks.clear()
        broker.confirms.clear()
        broker.refused = set()
        await until(lambda: broker.on_way[shipment(1)])
        outbox.pages.clear()
        broker.confirms.set()
        await until(lambda: outbox.pages_waiting and outbox.marks_waiting)
        outbox.marks.set()
        await until(lambda: _pending_is(store, 1))
        outbox.pages.set()
        await until(store.all_is_marked)
    assert broker.numbers(1) == [1, 2]


async def test_a_page_read_while_partitions_change_hands_leaves_nothing_behind(store: Store) -> None:
    """What was dropped from memory lies before that page; it must be read again, not skipped."""
    broker = Broker()
    outbox = SlowOutbox(SqlOutbox(store.database, "one"))
    async with relaying(store, broker, outbox=outbox) as running:
        await until(lambda: broker.connects)
        broker.confirms.clear()
        await store.record(1, 1, 1)
        running.relay.bell.ring()
        await until(lambda: broker.on_way.total() == 1)
        outbox.pages.clear()
        await store.record(2)
        running.relay.bell.ring()
        await until(lambda: outbox.pages_waiting)
        unused = next(n for n in range(64) if n not in {partition(shipment(1)), partition(shipment(2))})
        await store.give_away(unused)
        await until(lambda: running.relay.partitions == 63)
        outbox.pages.set()
        broker.confirms.set()
        await until(store.all_is_marked)
    assert broker.order() == {"shipment/1": [1, 2, 3], "shipment/2": [1]}


async def test_what_a_lost_lease_kept_from_being_marked_is_published_again(store: Store) -> None:
    """One partition goes to somebody else while a batch with events of others is being marked."""
    broker = Broker()
    outbox = SlowOutbox(SqlOutbox(store.database, "one"))
    outbox.marks.clear()
    await store.record(1, 2)
    async with relaying(store, broker, outbox=outbox) as running:
        await until(lambda: len(broker.published) == 2 and outbox.marks_waiting)
        await store.give_away(partition(shipment(2)))
        await until(lambda: running.relay.partitions == 63)
        outbox.marks.set()
        await until(lambda: broker.numbers(1) == [1, 1])
        await until(lambda: _marked(store, 1))
        assert not await _marked(store, 2)
        assert broker.numbers(2) == [1], "that one belongs to the other replica"


async def _marked(store: Store, number: int) -> bool:
    sql = "SELECT 1 FROM outbox JOIN events USING (position) JOIN subjects ON subjects.id = subject_id"
    return bool(await store.rows(f"{sql} WHERE name = ? AND outbox.state = 1", f"shipment/{number}"))


async def test_a_replica_that_lost_its_partitions_stops_and_whoever_has_them_goes_on(store: Store) -> None:
    old, new = Broker(), Broker()
    await store.record(*range(1, 20))
    async with relaying(store, old, holder="old") as first:
        await until(store.all_is_marked)
        for number in range(64):
            await store.give_away(number)
        await until(lambda: first.relay.partitions == 0)
        await store.record(*range(1, 20))
        first.relay.bell.ring()
    await store.rows("UPDATE leases SET expires_at = 0")
    async with relaying(store, new, holder="new"):
        await until(store.all_is_marked)
    assert len(old.published) == len(new.published) == 19
    assert {event.sequence for event in new.published} == {2}


async def test_replicas_over_one_database_share_the_work_and_never_send_a_subject_at_the_same_time(
    store: Store,
) -> None:
    """Whoever comes second gets its half while events are on their way; the hand-over repeats and reorders nothing."""
    broker = Broker()
    await store.record(*(number for _ in range(10) for number in range(1, 30)))
    async with relaying(store, broker, holder="one") as one:
        await until(lambda: broker.published)
        async with relaying(store, broker, holder="two") as two:
            for _ in range(20):
                await store.record(*range(1, 30))
            await until(lambda: [running.relay.partitions for running in (one, two)] == [32, 32])
            await store.record(*range(1, 30))
            await until(store.all_is_marked)
    assert broker.most_of_a_subject == 1
    assert len(broker.published) == 31 * 29
    assert broker.order() == {f"shipment/{number}": list(range(1, 32)) for number in range(1, 30)}


async def test_a_relay_without_a_broker_leaves_the_partitions_to_one_that_has_one(store: Store) -> None:
    away, there = Broker(), Broker()
    away.is_away = True
    pace = Pace(away_s=0.1)
    async with (
        relaying(store, away, holder="away", pace=pace) as first,
        relaying(store, there, holder="there") as other,
    ):
        await until(lambda: (first.relay.partitions, other.relay.partitions) == (0, 64))
        await store.record(*range(1, 20))
        await until(store.all_is_marked)
        away.is_away = False
        await until(lambda: [running.relay.partitions for running in (first, other)] == [32, 32])
    assert len(there.published) == 19


async def test_at_the_end_what_is_on_its_way_arrives_and_is_marked_and_the_leases_are_given_back(store: Store) -> None:
    broker = Broker()
    broker.confirms.clear()
    await store.record(1, 1, 2, 2)
    async with relaying(store, broker) as running:
        await until(lambda: broker.on_way.total() == 2)
        running.announce_end()
        broker.confirms.set()
    assert [(event.subject, event.sequence) for event in broker.published] == [(shipment(1), 1), (shipment(2), 1)]
    assert await store.rows("SELECT position FROM outbox WHERE state = 1") == [(1,), (3,)]
    assert await store.rows("SELECT name FROM leases WHERE expires_at > 0") == []


async def test_a_broker_that_is_away_is_reported_and_everything_goes_out_when_it_comes(store: Store) -> None:
    broker = Broker()
    broker.is_away = True
    await store.record(1, 2, 1)
    async with relaying(store, broker) as running:
        since = running.relay.degraded_since
        await until(lambda: broker.connects)
        assert since is not None
        assert running.relay.degraded_since == since
        broker.is_away = False
        await until(store.all_is_marked)
        assert running.relay.degraded_since is None
    assert broker.order() == {"shipment/1": [1, 2], "shipment/2": [1]}


async def test_a_broker_that_confirms_nothing_is_reported_before_it_is_given_up(store: Store) -> None:
    broker = Broker()
    broker.confirms.clear()
    await store.record(1)
    async with relaying(store, broker, pace=Pace(stalled_s=0.05)) as running:
        await until(lambda: broker.on_way.total())
        since = await until(lambda: running.relay.degraded_since)
        assert isinstance(since, datetime)
        assert timedelta(seconds=0.05) < utc_now() - since < timedelta(seconds=10)
        broker.confirms.set()
        await until(store.all_is_marked)
        assert running.relay.degraded_since is None
    assert broker.connects == 1


async def test_a_broker_that_stays_away_is_logged_when_the_reason_changes_and_not_at_every_knock(store: Store) -> None:
    broker = Broker()
    broker.is_away = True
    with capture_logs() as lines:
        async with relaying(store, broker):
            await until(lambda: broker.connects == 3)
            broker.reason = "another"
            await until(lambda: broker.connects == 5)
    away = [line for line in lines if line["event"] == "broker.away"]
    assert [line["reason"] for line in away] == ["away", "another"]
    assert away[0]["since"] == away[1]["since"]


async def test_a_broker_that_stays_away_is_logged_again_after_a_while(store: Store) -> None:
    broker = Broker()
    broker.is_away = True
    with capture_logs() as lines:
        async with relaying(store, broker, pace=Pace(tell_s=0)):
            await until(lambda: broker.connects == 2)
    assert [line["event"] for line in lines].count("broker.away") == 2


async def test_the_broker_is_left_even_where_the_leases_cannot_be_given_back(store: Store) -> None:
    class Stuck(SqlLeases):
        async def release(self, names: Iterable[str]) -> None:
            raise StoreUnavailable("disk full")

    broker = Broker()
    relay = Relay(
        outbox=SqlOutbox(store.database, "one"),
        leases=Stuck(store.database, "one"),
        publisher=Line(broker),
        start=0,
        metrics=Metrics(),
        clock=utc_now,
        stop=Stop(),
    )
    await relay.close()
    assert broker.is_closed


async def test_events_that_keep_coming_do_not_make_it_knock_faster_at_a_broker_that_is_away(store: Store) -> None:
    broker = Broker()
    broker.is_away = True
    async with relaying(store, broker) as running:
        await until(lambda: broker.connects == 1)
        for _ in range(200):
            running.relay.bell.ring()
            await asyncio.sleep(0)
        assert broker.connects == 1


async def test_a_connection_that_breaks_in_the_middle_repeats_only_what_was_not_confirmed(store: Store) -> None:
    broker = Broker()
    await store.record(*(number for _ in range(3) for number in range(1, 6)))
    async with relaying(store, broker) as running:
        await until(store.all_is_marked)
        broker.confirms.clear()
        await store.record(1, 2, 1, 2)
        running.relay.bell.ring()
        await until(lambda: broker.on_way.total() == 2)
        broker.is_away = True
        broker.confirms.set()
        await until(lambda: running.relay.degraded_since)
        broker.is_away = False
        await until(store.all_is_marked)
    assert broker.order() == await store.order()
    assert len(broker.published) == 19


async def test_a_bug_in_taking_answers_ends_the_loop_and_not_only_the_connection(store: Store) -> None:
    broker, stop = Broker(), Stop()
    line = Line(broker)
    relay = Relay(
        outbox=SqlOutbox(store.database, "one"),
        leases=SqlLeases(store.database, "one"),
        publisher=line,
        start=0,
        metrics=Metrics(),
        clock=utc_now,
        stop=stop,
    )
    await store.record(1)
    publishing = asyncio.create_task(relay.publish())
    renewing = asyncio.create_task(relay.renew())
    await until(lambda: broker.published)
    line.answered([(broker.published[0], None)])
    with pytest.raises(KeyError):
        await publishing
    stop.announce()
    await renewing


# -- where publishing begins -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "position"),
    [
        ("now", 3),  # what happened before anybody listened stays in the feed
        ("earliest", 0),
    ],
)
async def test_a_broker_configured_later_begins_where_the_setting_says_and_stays_there(
    store: Store, start: Any, position: int
) -> None:
    await store.record(1, 2, 1)
    outbox = SqlOutbox(store.database, "one")
    assert await outbox.begin(start) == position
    await store.record(1)
    assert await outbox.begin("now") == position
    assert await outbox.begin("earliest") == position
    found = await outbox.pending(position, 10, range(64))
    assert [one.event.position for one in found] == list(range(position + 1, 5))


# -- a real broker -----------------------------------------------------------------------------------------------------


def publisher(url: str, *, declares: bool = True) -> RabbitPublisher:
    return RabbitPublisher(SecretStr(url), declares=declares, environment="demo")


@asynccontextmanager
async def channel(url: str) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    async with await aio_pika.connect(url) as connection, connection.channel() as opened:
        yield opened


async def bind(url: str, name: str, key: str, **arguments: Any) -> None:
    """Make a consumer's durable queue."""
    async with channel(url) as opened:
        given = {"x-queue-type": "quorum", **arguments}
        queue = await opened.declare_queue(name, durable=True, arguments=given)
        await queue.bind("bridge.events", key)


async def depth(url: str, name: str) -> int:
    async with channel(url) as opened:
        queue = await opened.declare_queue(name, passive=True)
        return queue.declaration_result.message_count or 0


async def drained(url: str, name: str) -> dict[str, list[int]]:
    """Empty a queue; give every subject's sequence in the order of first arrival."""
    found: dict[str, dict[str, Any]] = {}
    async with channel(url) as opened:
        queue = await opened.get_queue(name)
        while (message := await queue.get(fail=False)) is not None:
            document = json.loads(message.body)
            found.setdefault(document["id"], document)
            await message.ack()
    return _by_subject([(one["subject"], int(one["sequence"])) for one in found.values()])


async def test_a_consumer_gets_every_event_in_sequence(store: Store, amqp_url: str) -> None:
    await apply_topology(SecretStr(amqp_url))
    await bind(amqp_url, "all", "#")
    await store.record(*(number for _ in range(10) for number in range(1, 11)))
    async with relaying(store, publisher(amqp_url)):
        await until(store.all_is_marked)
    assert await depth(amqp_url, "all") == 100
    assert await drained(amqp_url, "all") == await store.order()


async def test_a_full_queue_holds_its_own_subjects_and_nobody_elses(store: Store, amqp_url: str) -> None:
    """The broker answers no (`basic.nack`) until the queue is emptied; then the subject goes on in order."""
    await apply_topology(SecretStr(amqp_url))
    full = {"x-queue-type": "classic", "x-max-length": 1, "x-overflow": "reject-publish"}
    await bind(amqp_url, "full", "shipx.shipment.status_changed.exception", **full)
    await bind(amqp_url, "open", "shipx.shipment.status_changed.delivered")
    await store.record(1, 1, 1, facet="exception")
    await store.record(2, 2, 3)
    async with relaying(store, publisher(amqp_url)) as running:
        await until(lambda: running.relay.held_subjects == 1)
        await store.record(2, 3)
        running.relay.bell.ring()
        await until(lambda: _pending_is(store, 2))
        assert await depth(amqp_url, "full") == 1
        got = [(await _next(amqp_url, "full"))["sequence"] for _ in range(3)]
        await until(store.all_is_marked)
        await until(lambda: running.relay.held_subjects == 0)
        refused = running.metrics.registry.get_sample_value(
            "bridge_events_refused_total", {"type": "shipment.status_changed"}
        )
        assert refused is not None
        assert refused >= 1
    assert got == ["0000000001", "0000000002", "0000000003"]
    assert await drained(amqp_url, "open") == {"shipment/2": [1, 2, 3], "shipment/3": [1, 2]}


async def _pending_is(store: Store, number: int) -> bool:
    return await store.pending() == number


async def _next(url: str, name: str) -> dict[str, Any]:
    async with channel(url) as opened:
        queue = await opened.get_queue(name)

        async def take() -> aio_pika.abc.AbstractIncomingMessage | None:
            return await queue.get(fail=False)

        message = await until(take)
        assert message is not None
        await message.ack()
        document: dict[str, Any] = json.loads(message.body)
        return document


async def test_what_nobody_is_bound_for_lies_in_the_unrouted_queue_and_is_counted(store: Store, amqp_url: str) -> None:
    await apply_topology(SecretStr(amqp_url))
    await bind(amqp_url, "some", "shipx.shipment.status_changed.delivered")
    rabbit = publisher(amqp_url)
    await store.record(1, 2)
    await store.record(1, 3, 3, facet="exception")

    async def counted() -> bool:
        counts = await rabbit.counts()
        return counts is not None and (counts.unrouted, counts.dead) == (3, 0)

    async with relaying(store, rabbit):
        await until(store.all_is_marked)
        await until(counted)
    assert await drained(amqp_url, UNROUTED) == {"shipment/1": [2], "shipment/3": [1, 2]}
    assert await drained(amqp_url, "some") == {"shipment/1": [1], "shipment/2": [1]}


@pytest.mark.parametrize("missing", ["queue", "exchange"])
async def test_without_the_unrouted_queue_what_is_bound_goes_on_and_the_rest_waits_for_it(
    store: Store, amqp_url: str, missing: str
) -> None:
    await apply_topology(SecretStr(amqp_url))
    await bind(amqp_url, "some", "shipx.shipment.status_changed.delivered")
    async with relaying(store, publisher(amqp_url, declares=False)) as running:
        await until(lambda: running.relay.degraded_since is None)
        async with channel(amqp_url) as opened:
            await (opened.queue_delete if missing == "queue" else opened.exchange_delete)(UNROUTED)
        await store.record(1, 2)
        await store.record(1, 3, facet="exception")
        running.relay.bell.ring()
        await until(lambda: running.relay.held_subjects == 2)
        await until(lambda: _pending_is(store, 2))
        await apply_topology(SecretStr(amqp_url))
        await until(store.all_is_marked)
    assert await drained(amqp_url, UNROUTED) == {"shipment/1": [2], "shipment/3": [1]}


@pytest.mark.parametrize("missing", ["queue", "exchange"])
async def test_an_unrouted_queue_that_somebody_deletes_is_declared_again_where_that_is_ours(
    store: Store, amqp_url: str, missing: str
) -> None:
    async with relaying(store, publisher(amqp_url)) as running:
        await until(lambda: running.relay.degraded_since is None)
        async with channel(amqp_url) as opened:
            await (opened.queue_delete if missing == "queue" else opened.exchange_delete)(UNROUTED)
        await store.record(1, 2)
        running.relay.bell.ring()
        await until(store.all_is_marked)
    assert await drained(amqp_url, UNROUTED) == {"shipment/1": [1], "shipment/2": [1]}


async def test_a_broker_that_comes_after_the_bridge_gets_everything(store: Store, own_rabbit: RabbitNode) -> None:
    await apply_topology(SecretStr(own_rabbit.url))
    await bind(own_rabbit.url, "all", "#")
    await asyncio.to_thread(own_rabbit.stop)
    await store.record(*(number for _ in range(5) for number in range(1, 11)))
    async with relaying(store, publisher(own_rabbit.url)) as running:
        await until(lambda: running.relay.degraded_since is not None)
        await asyncio.to_thread(own_rabbit.start)
        await until(store.all_is_marked, 60)
    assert await drained(own_rabbit.url, "all") == await store.order()


async def test_a_broker_stopped_and_started_in_the_middle_gets_each_event_in_sequence(
    store: Store, own_rabbit: RabbitNode
) -> None:
    await apply_topology(SecretStr(own_rabbit.url))
    await bind(own_rabbit.url, "all", "#")
    async with relaying(store, publisher(own_rabbit.url), pace=Pace(window=8)) as running:

        async def record() -> None:
            for _ in range(20):
                await store.record(*(number for _ in range(5) for number in range(1, 11)))
                running.relay.bell.ring()

        writing = asyncio.create_task(record())
        await until(lambda: running.published() > 200)
        await asyncio.to_thread(own_rabbit.restart)
        await writing
        await until(store.all_is_marked, 60)
    order = await drained(own_rabbit.url, "all")
    assert order == await store.order()
    assert sum(map(len, order.values())) == 1000
