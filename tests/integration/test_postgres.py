"""PostgreSQL where it differs from one writing thread: several processes, a server that goes away, commits cut."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import psycopg
import pytest
from pydantic import BaseModel, SecretStr
from structlog.testing import capture_logs

from bridge.app.process import Bridge
from bridge.carriers.shipx import webhook
from bridge.errors import RowRefused, StoreUnavailable
from bridge.events.cloudevents import Envelope
from bridge.events.projection import project
from bridge.lifecycle import Stop
from bridge.model import Arrival, DeliveryId, Fact, OrganizationId, PurchaseWork, Receipt, ShipmentId, Subject
from bridge.nodes.postgres import PostgresNode
from bridge.settings import load
from bridge.store.budget import Caps
from bridge.store.connections import SqlConnections, shipx
from bridge.store.database import Database, Topic, Transaction, Unit
from bridge.store.facts import Recorder
from bridge.store.feed import SqlFeed
from bridge.store.inbox import SqlInbox
from bridge.store.migrate import Migration, migrate, migrations, require_current
from bridge.store.outbox import SqlOutbox
from bridge.store.outlook import Errand, Take
from bridge.store.postgres import PostgresDatabase
from bridge.store.postgres_link import options
from bridge.store.postgres_turns import Patience, take_turn
from bridge.store.projecting import Projected, SqlProjector
from bridge.store.purchase import Intended, PurchaseState, Step
from bridge.store.purchases import Intent, SqlPurchases
from bridge.store.sealed import Vault
from bridge.store.wanting import want
from tests.support.bridge import BridgeProcess, until
from tests.support.purchases import taken

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ORGANIZATION = OrganizationId(4821)
WORDS = ("created", "offers_prepared", "confirmed", "taken_by_courier", "out_for_delivery", "delivered")
RECORDER = Recorder(Envelope("demo"))
FIRST = ShipmentId(1)
T = TypeVar("T")


class Note(BaseModel):
    """What the events of these tests carry."""

    number: int = 0


class Replicas:
    """Databases as several processes would have them open on one server."""

    def __init__(self, url: str, stack: AsyncExitStack) -> None:
        self.url = url
        self._stack = stack

    async def open(self, **options: Any) -> PostgresDatabase:
        """Open one more."""
        database = PostgresDatabase(SecretStr(self.url), **options)
        await database.open()
        self._stack.push_async_callback(database.close)
        return database

    async def rows(self, sql: str) -> list[Any]:
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
            return await (await connection.execute(sql)).fetchall()


@pytest.fixture
async def replicas(migrated_postgres_url: str) -> AsyncIterator[Replicas]:
    """An empty database with the present schema."""
    async with AsyncExitStack() as stack:
        yield Replicas(migrated_postgres_url, stack)


class Held(Generic[T]):
    """A unit that does its work, and then stands still before its commit until it is let go."""

    def __init__(self, unit: Unit[T]) -> None:
        self._unit = unit
        self.began, self._ended = threading.Event(), threading.Event()

    def __call__(self, transaction: Transaction) -> T:
        result = self._unit(transaction)
        self.began.set()
        assert self._ended.wait(10)
        return result

    async def reached(self) -> None:
        assert await asyncio.to_thread(self.began.wait, 10)

    def let_go(self) -> None:
        self._ended.set()


def arrival(shipment: int, word: str, second: int = 0) -> Arrival:
    """Give a status webhook as the receiver hands it on."""
    at = NOW + timedelta(seconds=second)
    body = (
        f'{{"event_ts": "{at:%Y-%m-%d %H:%M:%S} +0000", "event": "shipment_status_changed",'
        f' "organization_id": {ORGANIZATION}, "payload": {{"shipment_id": {shipment}, "status": "{word}"}}}}'
    ).encode()
    found = webhook.read(body, NOW + timedelta(hours=1))
    return Arrival(found.id, found.organization, found.event, found.shipment, found.at, at, body, b"")


def recording(*shipments: int, key: str, runs: list[str] | None = None) -> Callable[[Transaction], None]:
    """Give a unit that records an event about each of these shipments, as a projection does, and notes each run."""
    recorder = Recorder(Envelope("demo"))
    subjects = [Subject.shipment(ORGANIZATION, ShipmentId(number)) for number in shipments]
    facts = [Fact(subject, "shipment.status_changed", key, NOW, Note(), "delivered") for subject in subjects]

    def record(transaction: Transaction) -> None:
        if runs is not None:
            runs.append(key)
        ledgers = recorder.lock(transaction, set(subjects))
        recorder.record(transaction, ledgers, facts, NOW)
        recorder.save(transaction, ledgers.values())

    return record


def projector(database: PostgresDatabase) -> SqlProjector:
    return SqlProjector(database, Vault(), Recorder(Envelope("demo")), webhook.notification, project)


def inserting(key: str) -> Callable[[Transaction], object]:
    return lambda transaction: transaction.run("INSERT INTO meta (name, value) VALUES (?, '')", (key,))


# --- several at once --------------------------------------------------------------------------------------------------


async def test_projectors_of_several_processes_number_every_subject_without_gap(replicas: Replicas) -> None:
    chance = random.Random(11)
    databases = [await replicas.open() for _ in range(3)]
    arrivals = [arrival(number, word, n) for number in range(1, 13) for n, word in enumerate(WORDS)]
    chance.shuffle(arrivals)
    for start in range(0, len(arrivals), 24):
        await SqlInbox(databases[0], Vault()).accept(arrivals[start : start + 24])

    async def work_off(database: PostgresDatabase, limit: int) -> list[Projected]:
        rounds = [await projector(database).project(limit, NOW)]
        while rounds[-1].deliveries:
            rounds.append(await projector(database).project(limit, NOW))
        return rounds

    found = await asyncio.gather(*(work_off(one, limit) for one in databases for limit in (3, 5, 8)))
    assert sum(one.deliveries for rounds in found for one in rounds) == len(arrivals)
    assert not any(one.failed for rounds in found for one in rounds)
    told = await replicas.rows(
        "SELECT name, array_agg(events.sequence ORDER BY position), max(subjects.sequence)"
        " FROM events JOIN subjects ON subjects.id = subject_id GROUP BY name"
    )
    assert len(told) == 12
    assert all(numbers == list(range(1, last + 1)) for _, numbers, last in told)
    assert await replicas.rows("SELECT count(*), count(DISTINCT id) FROM events") == [
        (sum(last for *_, last in told),) * 2
    ]


async def test_what_the_server_refuses_is_refused_wherever_it_is_sent(replicas: Replicas) -> None:
    """The refused row is sent with the commit, with a later statement, or inside a savepoint."""
    database = await replicas.open()
    twice = [("a", "0"), ("a", "0")]

    def with_the_commit(transaction: Transaction) -> None:
        transaction.insert("meta (name, value)", [("b", "0")])
        transaction.insert("meta (name, value)", twice)

    def with_a_later_one(transaction: Transaction) -> None:
        with_the_commit(transaction)
        transaction.run("SELECT 1")

    def inside(transaction: Transaction) -> None:
        transaction.insert("meta (name, value)", [("c", "0")])
        with pytest.raises(RowRefused), transaction.savepoint():
            transaction.insert("meta (name, value)", twice)
        transaction.insert("meta (name, value)", [("d", "0")])

    for unit in (with_the_commit, with_a_later_one):
        with pytest.raises(RowRefused):
            await database.write(unit)
    await database.write(inside)
    names = await replicas.rows("SELECT name FROM meta WHERE name IN ('a', 'b', 'c', 'd') ORDER BY name")
    assert names == [("c",), ("d",)]


@pytest.mark.parametrize("met", ["in the unit", "at the commit"])
async def test_transactions_that_lock_each_other_out_both_succeed_in_the_end(replicas: Replicas, met: str) -> None:
    """Two units take the same rows in opposite order: the server ends one of them, and it is run again.

    A statement that gives no rows may be sent with the commit.
    """
    one, other = await replicas.open(), await replicas.open()
    await one.write(lambda transaction: transaction.insert("meta (name, value)", [("a", "0"), ("b", "0")]))
    both = threading.Barrier(2)

    def adding(*names: str) -> Callable[[Transaction], int]:
        runs = 0

        def add(transaction: Transaction) -> int:
            nonlocal runs
            runs += 1
            for name in names:
                tail = " RETURNING value" if name == names[0] or met == "in the unit" else ""
                transaction.run(f"UPDATE meta SET value = value::int + 1 WHERE name = ?{tail}", (name,))
                if runs == 1 and name == names[0]:
                    both.wait(10)
            return runs

        return add

    runs = await asyncio.gather(one.write(adding("a", "b")), other.write(adding("b", "a")))
    assert sum(runs) > 2
    assert await replicas.rows("SELECT name, value FROM meta WHERE name IN ('a', 'b') ORDER BY name") == [
        ("a", "2"),
        ("b", "2"),
    ]


async def test_a_webhook_waits_for_no_commit_of_another_replica(replicas: Replicas) -> None:
    one = await replicas.open(writers=1)
    others = [await replicas.open(writers=1) for _ in range(3)]
    mine = await one.write(lambda transaction: transaction.shard)
    elsewhere = [other for other in others if await other.write(lambda transaction: transaction.shard) != mine]
    assert elsewhere, "the server numbers its processes in turn, so their shards differ"
    held = Held(lambda transaction: SqlInbox(one, Vault()).take(transaction, arrival(1, "created")))
    holding = asyncio.create_task(one.write(held))
    await held.reached()
    accepted = await asyncio.wait_for(SqlInbox(elsewhere[0], Vault()).accept([arrival(2, "created")]), 3)
    assert accepted.receipts == (Receipt.accepted,)
    assert not holding.done()
    held.let_go()
    assert await holding is Receipt.accepted
    assert await replicas.rows("SELECT name, n FROM tallies") == [("accepted", 2)]


async def test_the_same_webhook_at_two_replicas_at_once_counts_once(replicas: Replicas) -> None:
    one, other = await replicas.open(), await replicas.open()
    held = Held(lambda transaction: SqlInbox(one, Vault()).take(transaction, arrival(1, "created")))
    holding = asyncio.create_task(one.write(held))
    await held.reached()
    second = asyncio.create_task(SqlInbox(other, Vault()).accept([arrival(1, "created")]))
    await until(lambda: _someone_waits(replicas))
    held.let_go()
    assert await holding is Receipt.accepted
    assert (await second).receipts == (Receipt.duplicate,)
    assert sorted(await replicas.rows("SELECT name, n FROM tallies")) == [("accepted", 1), ("duplicate", 1)]


class Holding:
    """A database as it is used by who stands still before each commit until it is let go; `held` is the last one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.held: Held[Any] | None = None

    async def write(self, unit: Unit[T], *, at_leisure: bool = False) -> T:
        self.held = held = Held(unit)
        return await self._database.write(held, at_leisure=at_leisure)

    async def read(self, unit: Unit[T]) -> T:
        return await self._database.read(unit)

    async def decided(self) -> int:
        return await self._database.decided()


async def about_to_buy(database: PostgresDatabase, shipment: ShipmentId = FIRST) -> Intent:
    """Take a purchase in hand, on a connection that can be paused, and give its intent."""
    await SqlConnections(database, RECORDER).prepare([shipx(ORGANIZATION)])
    work = PurchaseWork(ORGANIZATION, shipment, NOW + timedelta(minutes=5), DeliveryId("d"))
    await database.write(lambda transaction: want(transaction, [work], NOW))
    [claimed] = await taken(SqlPurchases(database, RECORDER, "one"), NOW, Take(Errand.buy, 1))
    intended = Step(replace(claimed, state=PurchaseState.intended))
    return Intent(intended.purchase, lambda _: intended, price=None)


async def pause(database: PostgresDatabase) -> None:
    connections = SqlConnections(database, RECORDER)
    assert await database.write(
        lambda transaction: connections.pause(transaction, shipx(ORGANIZATION), reason="operator", by="x")
    )


async def test_a_pause_waits_for_an_intent_that_is_being_committed(replicas: Replicas) -> None:
    """So that after it nobody writes down another one."""
    one, two = await replicas.open(), await replicas.open()
    about_to, holding = await about_to_buy(one), Holding(one)
    purchases = SqlPurchases(holding, RECORDER, "one")
    intent = asyncio.create_task(purchases.intend([about_to], Caps(1), NOW))
    held = await until(lambda: holding.held)
    await held.reached()
    pausing = asyncio.create_task(pause(two))

    async def ends_or_waits() -> bool:
        return pausing.done() or await _someone_waits(replicas)

    await until(ends_or_waits)
    assert not pausing.done(), "it came between"
    held.let_go()
    assert (await intent).purchases == (about_to.purchase,)
    await pausing
    assert await replicas.rows("SELECT state, paused_reason FROM purchases, connections") == [("intended", "operator")]


async def test_an_intent_that_a_pause_overtakes_before_it_looks_is_undone(replicas: Replicas) -> None:
    one, two, three = [await replicas.open() for _ in range(3)]
    about_to = await about_to_buy(one)
    purchases = SqlPurchases(one, RECORDER, "one")
    held = Held(lambda transaction: transaction.run("SELECT 1 FROM purchases FOR UPDATE"))
    holding = asyncio.create_task(three.write(held))
    await held.reached()
    intent = asyncio.create_task(purchases.intend([about_to], Caps(1), NOW))
    await until(lambda: _someone_waits(replicas))
    await pause(two)
    held.let_go()
    await holding
    assert await intent == Intended(is_paused=True)
    assert await replicas.rows("SELECT state, reserved_day, paused_reason FROM purchases, connections") == [
        ("wanted", None, "operator")
    ]
    assert await replicas.rows("SELECT n FROM budgets") == []


async def test_a_hand_passes_over_the_purchases_that_another_one_is_taking(replicas: Replicas) -> None:
    one, two = await replicas.open(), await replicas.open()
    work = [
        PurchaseWork(ORGANIZATION, ShipmentId(number), NOW + timedelta(seconds=number), DeliveryId("d"))
        for number in range(1, 6)
    ]
    await one.write(lambda transaction: want(transaction, work, NOW))
    holding = Holding(one)
    first = asyncio.create_task(taken(SqlPurchases(holding, RECORDER, "one"), NOW, Take(Errand.buy, 2)))
    held = await until(lambda: holding.held)
    await held.reached()
    second = await asyncio.wait_for(taken(SqlPurchases(two, RECORDER, "two"), NOW, Take(Errand.buy, 9)), 3)
    assert not first.done()
    held.let_go()
    assert [one.shipment for one in await first] == [1, 2]
    assert [one.shipment for one in second] == [3, 4, 5]


async def test_two_hands_that_race_for_the_last_purchase_of_a_day_get_one(replicas: Replicas) -> None:
    one, two = await replicas.open(), await replicas.open()
    mine, theirs = await about_to_buy(one), await about_to_buy(two, ShipmentId(2))
    holding = Holding(one)
    first = asyncio.create_task(SqlPurchases(holding, RECORDER, "one").intend([mine], Caps(1), NOW))
    held = await until(lambda: holding.held)
    await held.reached()
    second = asyncio.create_task(SqlPurchases(two, RECORDER, "one").intend([theirs], Caps(1), NOW))
    await until(lambda: _someone_waits(replicas))
    held.let_go()
    assert await first == Intended((mine.purchase,))
    assert await second == Intended(refused={ShipmentId(2): "budget_exhausted"})
    assert await replicas.rows("SELECT currency, n FROM budgets") == [("PLN", 1)]


async def _someone_waits(replicas: Replicas, number: int = 1) -> bool:
    return len(await replicas.rows("SELECT 1 FROM pg_locks WHERE NOT granted")) >= number


async def test_a_projector_passes_over_what_another_one_has_in_hand(replicas: Replicas) -> None:
    one, other = await replicas.open(), await replicas.open()
    await SqlInbox(one, Vault()).accept([arrival(number, "created", number) for number in range(1, 5)])
    held = Held(
        lambda transaction: transaction.run(
            "SELECT id FROM deliveries WHERE state = 0 ORDER BY received_at LIMIT 2 FOR UPDATE SKIP LOCKED"
        )
    )
    holding = asyncio.create_task(one.write(held))
    await held.reached()
    assert (await projector(other).project(100, NOW)).deliveries == 2
    assert (await projector(other).project(100, NOW)).deliveries == 0
    held.let_go()
    await holding
    assert (await projector(other).project(100, NOW)).deliveries == 2


async def test_processes_that_migrate_at_once_do_it_once(postgres_url: str) -> None:
    async with AsyncExitStack() as stack:
        replicas = Replicas(postgres_url, stack)
        databases = [await replicas.open() for _ in range(4)]
        applied = await asyncio.gather(*(database.rebuild(migrate) for database in databases))
        names = [migration.name for migration in migrations("postgres")]
        assert sorted(applied, key=len) == [[], [], [], names]
        await databases[0].read(require_current)


NEXT = Migration(
    9999,
    "9999_of_the_next_version",
    (
        "ALTER TABLE outbox ADD COLUMN of_the_next_version TEXT",
        "ALTER TABLE deliveries ADD COLUMN of_the_next_version TEXT",
    ),
)
migrate_next = partial(migrate, files=[*migrations("postgres"), NEXT])
BRIEFLY = Patience(lock_s=0.4, pause_s=0.2)


class Reader:
    """Somebody with a snapshot and a lock on the deliveries, as `pg_dump` has them for minutes."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> Reader:
        self._connection = await psycopg.AsyncConnection.connect(self._url, application_name="pg_dump")
        await self._connection.execute("SELECT count(*) FROM deliveries")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()


class Counted(Generic[T]):
    """A unit that counts how often it was begun."""

    def __init__(self, unit: Unit[T]) -> None:
        self._unit = unit
        self.times = 0

    def __call__(self, transaction: Transaction) -> T:
        self.times += 1
        return self._unit(transaction)


async def test_a_migration_that_waits_for_a_reader_holds_up_no_webhook(replicas: Replicas) -> None:
    """Everybody who wants a table stands behind the one who waits for it to change it."""
    old, new = await replicas.open(), await replicas.open()
    counted, waits = Counted(migrate_next), list[float]()
    with capture_logs() as lines:
        async with Reader(replicas.url):
            migrating = asyncio.create_task(new.rebuild(counted, BRIEFLY))
            while counted.times < 4:
                began = time.monotonic()
                [receipt] = (await SqlInbox(old, Vault()).accept([arrival(len(waits) + 1, "created")])).receipts
                waits.append(time.monotonic() - began)
                assert receipt is Receipt.accepted
            assert not migrating.done()
    assert await migrating == [NEXT.name]
    assert max(waits) < BRIEFLY.lock_s + 2
    assert await replicas.rows("SELECT count(*) FROM deliveries WHERE of_the_next_version IS NULL") == [(len(waits),)]
    [told] = [line for line in lines if line["event"] == "database.rebuild_waits"]
    assert told["reason"].startswith(f"{NEXT.name}, ALTER TABLE deliveries ADD COLUMN")
    assert told["oldest_transaction"].startswith("pg_dump, server process ")


async def test_a_migration_in_its_pause_holds_no_table(replicas: Replicas) -> None:
    """Of those that it had already changed, either: all is undone."""
    old, new = await replicas.open(), await replicas.open()
    async with Reader(replicas.url):
        migrating = asyncio.create_task(new.rebuild(migrate_next, replace(BRIEFLY, pause_s=60)))
        [pausing] = await until(lambda: replicas.rows(_WHO_PAUSES))
        await old.write(lambda transaction: transaction.insert("outbox (position, partition)", [(1, 1)]))
        assert (await SqlInbox(old, Vault()).accept([arrival(1, "created")])).receipts == (Receipt.accepted,)
        assert await replicas.rows(_WHO_PAUSES) == [pausing]
        migrating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await migrating


_WHO_PAUSES = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"


async def test_a_migration_gives_up_when_its_patience_is_over_and_says_what_it_waited_for(replicas: Replicas) -> None:
    new = await replicas.open()
    async with Reader(replicas.url):
        with pytest.raises(StoreUnavailable, match=r"ALTER TABLE deliveries .*55P03"):
            await new.rebuild(migrate_next, Patience(lock_s=0.1, pause_s=0.1, whole_s=0.5))
    assert await new.read(lambda transaction: transaction.run("SELECT max(number) FROM migrations")) != [(NEXT.number,)]
    assert await new.rebuild(migrate_next) == [NEXT.name]


async def test_a_start_that_waits_for_anothers_migration_ends_when_asked(replicas: Replicas, tmp_path: Path) -> None:
    """And leaves nothing behind that waits: the server would not see that we are gone."""
    waiting = BridgeProcess(tmp_path, BRIDGE_DATABASE_URL=replicas.url, BRIDGE_MIGRATE="true")
    async with await psycopg.AsyncConnection.connect(replicas.url) as migrating:
        await migrating.execute(take_turn(0, 2).encode())
        starting = asyncio.create_task(Bridge(load(waiting.environ)).run())
        await until(lambda: replicas.rows(_WHO_WAITS))
        os.kill(os.getpid(), signal.SIGTERM)
        assert await asyncio.wait_for(starting, 5) == 0
        await until(lambda: _nobody_waits(replicas))


_WHO_WAITS = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"


async def _nobody_waits(replicas: Replicas) -> bool:
    return not await replicas.rows(_WHO_WAITS)


async def test_the_server_ends_a_read_that_nobody_waits_for(replicas: Replicas) -> None:
    """And one whose process stands still: its snapshot would keep all that is deleted from being cleaned up."""
    reader = await replicas.open(within_s=0.5)
    with pytest.raises(StoreUnavailable, match="57014"):
        await reader.read(lambda transaction: transaction.run("SELECT pg_sleep(60)"))
    told = "SELECT current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout')"
    assert await reader.read(lambda transaction: transaction.run(told)) == [("500ms", "4s")]


async def test_processes_that_wait_for_the_same_reader_leave_each_other_the_pauses(replicas: Replicas) -> None:
    """While one pauses the others wait for their turn, so that writers get theirs."""
    first, second = await replicas.open(), await replicas.open()
    patience = replace(BRIEFLY, pause_s=0.5)
    counted = Counted(migrate_next)
    async with Reader(replicas.url):
        began = time.monotonic()
        migrating = [asyncio.create_task(database.rebuild(counted, patience)) for database in (first, second)]
        await until(lambda: counted.times == 5)
        assert time.monotonic() - began > 4 * patience.lock_s + 3 * patience.pause_s
    assert sorted(await asyncio.gather(*migrating)) == [[], [NEXT.name]]


# --- the feed ---------------------------------------------------------------------------------------------------------


async def test_a_cursor_never_passes_an_event_that_is_still_being_committed(replicas: Replicas) -> None:
    one, other = await replicas.open(), await replicas.open()
    feed, outbox = SqlFeed(other), SqlOutbox(other, "me")
    await one.write(recording(1, key="before"))
    held = Held(recording(2, key="slow"))
    holding = asyncio.create_task(one.write(held))
    await held.reached()
    await other.write(recording(3, key="fast"))
    page = await feed.page(None, 10)
    assert [event.subject.name for event in page.events] == ["shipment/1"]
    assert await feed.end() == page.cursor
    assert await outbox.decided() == page.events[-1].position
    held.let_go()
    await holding
    rest = await feed.page(page.cursor, 10)
    assert [event.subject.name for event in rest.events] == ["shipment/2", "shipment/3"]


async def test_an_event_whose_transaction_is_undone_holds_up_nobody(replicas: Replicas) -> None:
    def undone(transaction: Transaction) -> None:
        recording(1, key="never")(transaction)
        raise KeyError("a bug")

    database = await replicas.open()
    with pytest.raises(KeyError):
        await database.write(undone)
    await database.write(recording(2, key="after"))
    assert [event.subject.name for event in (await SqlFeed(database).page(None, 10)).events] == ["shipment/2"]


async def test_a_reader_sees_every_event_once_in_order_while_many_write(replicas: Replicas) -> None:
    chance = random.Random(3)
    databases = [await replicas.open() for _ in range(3)]
    reader = SqlFeed(await replicas.open())
    runs: list[str] = []
    units = [recording(*chance.sample(range(1, 9), 3), key=str(number), runs=runs) for number in range(40)]
    ended = asyncio.gather(*(databases[number % 3].write(unit) for number, unit in enumerate(units)))
    seen: list[tuple[str, int]] = []
    cursor = None
    while True:
        is_over = ended.done()
        page = await reader.page(cursor, 7)
        cursor = page.cursor
        seen += [(event.subject.name, event.sequence) for event in page.events]
        if is_over and not page.events:
            break
    await ended
    assert len(runs) == 40, "nobody was undone for a deadlock"
    assert len(seen) == 40 * 3
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in _by_subject(seen).values())


def _by_subject(seen: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for name, sequence in seen:
        found[name].append(sequence)
    return found


# --- notices ----------------------------------------------------------------------------------------------------------


async def test_a_commit_wakes_the_other_processes_and_not_its_own(replicas: Replicas) -> None:
    one, other = await replicas.open(), await replicas.open()
    stop = Stop()
    heard: dict[str, list[Topic]] = {"one": [], "other": []}
    listening = [
        asyncio.create_task(one.hear(heard["one"].append, stop)),
        asyncio.create_task(other.hear(heard["other"].append, stop)),
    ]
    await until(lambda: _listeners(replicas, 2))
    await SqlInbox(one, Vault()).accept([arrival(1, "created")])
    await until(lambda: heard["other"] == ["deliveries"])
    await projector(other).project(10, NOW)
    await until(lambda: heard["one"] == ["events"])
    assert heard["other"] == ["deliveries"]
    stop.announce()
    await asyncio.gather(*listening)


async def _listeners(replicas: Replicas, number: int) -> bool:
    sql = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
    return bool(await replicas.rows(sql) == [(number,)])


# --- a server that goes away ------------------------------------------------------------------------------------------


async def _written(database: PostgresDatabase, key: str) -> bool:
    try:
        await database.write(inserting(key))
    except StoreUnavailable:
        return False
    return True


async def test_a_frozen_server_is_told_in_time_and_used_again_when_it_is_back(own_postgres: PostgresNode) -> None:
    async with AsyncExitStack() as stack:
        database = await Replicas(own_postgres.url, stack).open(within_s=0.5)
        await database.rebuild(migrate)
        own_postgres.pause()
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match="does not answer"):
            await database.write(inserting("frozen"))
        assert time.monotonic() - began < 5
        assert database.trouble is not None
        own_postgres.resume()
        await until(lambda: _written(database, "back"), 20)
        assert database.trouble is None
        own_postgres.restart()
        await until(lambda: _written(database, "restarted"), 20)


CUT_AT_COMMIT = """
CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10); RETURN NULL; END'
;
CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON meta DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.name = 'cut') EXECUTE FUNCTION cut()
"""


async def test_a_commit_whose_connection_is_cut_is_no_success(replicas: Replicas) -> None:
    database = await replicas.open(writers=1)
    async with await psycopg.AsyncConnection.connect(replicas.url, autocommit=True) as connection:
        await connection.execute(CUT_AT_COMMIT)
    with pytest.raises(StoreUnavailable):
        await database.write(inserting("cut"))
    await database.write(inserting("after"))
    assert await replicas.rows("SELECT name FROM meta") == [("after",)]


async def test_a_connection_cut_inside_a_unit_is_replaced(replicas: Replicas) -> None:
    database = await replicas.open(writers=1)
    with pytest.raises(StoreUnavailable):
        await database.write(lambda transaction: transaction.run("SELECT pg_terminate_backend(pg_backend_pid())"))
    await database.write(inserting("after"))
    assert await replicas.rows("SELECT name FROM meta") == [("after",)]


async def test_a_connection_that_was_cut_while_nobody_used_it_fails_no_unit(replicas: Replicas) -> None:
    """As all are when the server is restarted."""
    database = await replicas.open(writers=1, readers=1)
    for ask in (database.write, database.read):
        [(process,)] = await ask(lambda transaction: transaction.run("SELECT pg_backend_pid()"))
        await replicas.rows(f"SELECT pg_terminate_backend({process})")
        [(another,)] = await ask(lambda transaction: transaction.run("SELECT pg_backend_pid()"))
        assert another != process


async def test_a_connection_to_a_server_that_took_no_writes_is_not_kept(replicas: Replicas) -> None:
    """Such as one that was opened in the middle of a failover."""
    database = await replicas.open(writers=1)
    reads_only = "SELECT set_config('default_transaction_read_only', 'on', false)"
    await database.write(lambda transaction: transaction.run(reads_only))
    with pytest.raises(StoreUnavailable, match="25006"):
        await database.write(inserting("refused"))
    await database.write(inserting("after"))


@pytest.mark.parametrize(
    ("more", "wanted"), [("", "primary"), ("?target_session_attrs=any", None)], ids=["by itself", "as the URL has it"]
)
def test_a_standby_is_not_used_unless_the_url_says_so(more: str, wanted: str | None) -> None:
    """Its reads could pass by what is still open on the primary."""
    assert options(SecretStr(f"postgresql://bridge@db/bridge{more}")).get("target_session_attrs") == wanted


async def test_an_error_that_a_unit_swallows_does_not_pass_for_a_commit(replicas: Replicas) -> None:
    """The server undoes an aborted transaction at its COMMIT, and answers without an error."""

    def swallows(transaction: Transaction) -> None:
        inserting("lost")(transaction)
        with pytest.raises(RowRefused):
            transaction.run("INSERT INTO meta (name, value) VALUES (?, NULL) RETURNING name", ("bad",))

    database = await replicas.open()
    with pytest.raises(StoreUnavailable, match="undone"):
        await database.write(swallows)
    assert await replicas.rows("SELECT name FROM meta") == []


# --- what it cannot hold ----------------------------------------------------------------------------------------------


async def test_what_text_cannot_hold_is_refused_alone_and_bytes_hold_anything(replicas: Replicas) -> None:
    database = await replicas.open()
    inbox = SqlInbox(database, Vault())
    good = arrival(1, "created")
    hostile = [
        replace(arrival(2, "created"), event="a\x00b"),
        replace(arrival(3, "created"), event="\ud800"),
        replace(arrival(4, "created"), id=DeliveryId("\x00")),
        replace(arrival(5, "created"), shipment=ShipmentId(2**63)),
    ]
    odd = replace(arrival(6, "created"), body=b'\x00\xff\xed\xa0\x80"')
    accepted = await inbox.accept([good, *hostile, odd])
    assert accepted.receipts == (Receipt.accepted, None, None, None, None, Receipt.accepted)
    assert await replicas.rows("SELECT data FROM sealed WHERE owner = '" + odd.id + "'") == [(odd.body,)]
    projected = await projector(database).project(10, NOW)
    assert projected.verdicts == {"projected": 1, "not_json": 1}
