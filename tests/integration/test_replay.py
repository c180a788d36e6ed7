"""Stored events once more, over a real broker: the same bytes, marked, in order, to everybody or to one queue."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from pydantic import BaseModel, SecretStr

from bridge.broker.headers import REPLAY
from bridge.broker.rabbit import apply_topology
from bridge.broker.replayer import RabbitReplayer
from bridge.broker.topology import EVENTS, UNROUTED
from bridge.commands.models import ReplayEvents
from bridge.egress.replay import ReplayedEvents
from bridge.egress.resending import Pace
from bridge.errors import BrokerUnavailable, Interrupted, QueueMissing
from bridge.events.cloudevents import Envelope
from bridge.lifecycle import Stop
from bridge.model import (
    ClaimedCommand,
    CommandState,
    Event,
    EventId,
    Fact,
    OrganizationId,
    Outcome,
    Progress,
    ShipmentId,
    Subject,
)
from bridge.store.database import Transaction
from bridge.store.facts import Recorder
from bridge.store.feed import STRETCH, encode
from bridge.store.replaying import SqlReplays
from bridge.store.sqlite import SqliteDatabase
from tests.nodes import SharedRabbit
from tests.support.bridge import until
from tests.support.hand import Told
from tests.support.migrated import migrated

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
QUICK = Pace(first_retry_s=0.01, last_retry_s=0.05, patience_s=0.1)


EVENT = Event(1, EventId("id"), "shipment.confirmed", Subject("/shipx/1", "shipment/1"), 1, "a.b", "1", NOON, b"{}")


class Note(BaseModel):
    """What the events of these tests carry."""

    number: int


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    found = SqliteDatabase(migrated(tmp_path / "bridge.db"))
    await found.open()
    yield found
    await found.close()


@pytest.fixture
async def url(amqp_url: str) -> str:
    """A virtual host with our topology."""
    await apply_topology(SecretStr(amqp_url))
    return amqp_url


async def record(database: SqliteDatabase, *shipments: int) -> None:
    """Record an event of each of these shipments, in this order."""
    facts = [
        Fact(
            Subject.shipment(OrganizationId(1), ShipmentId(shipment)),
            "shipment.status_changed",
            str(number),
            NOON,
            Note(number=number),
            facet="delivered",
        )
        for number, shipment in enumerate(shipments)
    ]
    recorder = Recorder(Envelope("demo"))

    def write(transaction: Transaction) -> None:
        ledgers = recorder.lock(transaction, {fact.subject for fact in facts})
        recorder.record(transaction, ledgers, facts, NOON)
        recorder.save(transaction, ledgers.values())

    await database.write(write)


async def prune_the_first(database: SqliteDatabase) -> None:
    """Delete the oldest event for its age."""

    def write(transaction: Transaction) -> None:
        transaction.run("DELETE FROM events WHERE position = 1")
        transaction.run("INSERT INTO pruned (what, n, until) VALUES ('events', 1, 1)")

    await database.write(write)


@asynccontextmanager
async def channel(url: str) -> AsyncIterator[AbstractChannel]:
    async with await aio_pika.connect(url) as connection, connection.channel() as opened:
        yield opened


async def consumers_queue(url: str, name: str, binding: str | None = None) -> None:
    async with channel(url) as opened:
        queue = await opened.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum"})
        if binding is not None:
            await queue.bind(EVENTS, binding)


async def take(url: str, queue: str) -> list[AbstractIncomingMessage]:
    """Take everything out of a queue."""
    found = []
    async with channel(url) as opened:
        source = await opened.get_queue(queue)
        while (message := await source.get(fail=False, no_ack=True)) is not None:
            found.append(message)
    return found


def order(messages: Sequence[AbstractIncomingMessage]) -> dict[str, list[int]]:
    """Give the sequences as a consumer met them, by subject."""
    found: dict[str, list[int]] = defaultdict(list)
    for message in messages:
        document = json.loads(message.body)
        found[document["subject"]].append(int(document["sequence"]))
    return dict(found)


class Replays:
    """Carries out replays on one database and one broker."""

    def __init__(self, database: SqliteDatabase, url: str | None) -> None:
        def resender() -> RabbitReplayer:
            assert url is not None
            return RabbitReplayer(SecretStr(url), environment="demo")

        self._database = database
        self._handle = ReplayedEvents(SqlReplays(database), resender if url else None, Stop(), QUICK)

    async def __call__(self, told: Told | None = None, progress: Progress | None = None, **asked: Any) -> Outcome:
        body = ReplayEvents(**asked).canonical
        claimed = ClaimedCommand("events.replay", "replay-1", "tests", body, 1, progress or Progress())
        return await self._handle(claimed, told or Told(self._database))


async def test_everybody_gets_the_stored_bytes_under_the_same_id_marked(database: SqliteDatabase, url: str) -> None:
    await record(database, 7)
    await consumers_queue(url, "warehouse", "shipx.shipment.status_changed.*")
    outcome = await Replays(database, url)(all=True)
    assert outcome == Outcome(CommandState.done, {"events": 1, "to": EVENTS, "cursor": encode(1), "pruned": False})
    (message,) = await take(url, "warehouse")
    rows = await database.read(lambda transaction: transaction.run("SELECT id, body FROM events"))
    assert (message.message_id, message.body) == tuple(rows[0])
    assert (message.exchange, message.routing_key) == (EVENTS, "shipx.shipment.status_changed.delivered")
    assert (message.type, message.content_type) == ("bridge.shipment.status_changed.v1", "application/cloudevents+json")
    assert (message.delivery_mode, message.timestamp) == (aio_pika.DeliveryMode.PERSISTENT, NOON)
    marked = {key: value for key, value in message.headers.items() if not key.startswith("x-")}
    assert marked == {"organization": "1", "environment": "demo", REPLAY: "replay-1"}


async def test_one_queue_gets_it_and_nobody_else(database: SqliteDatabase, url: str) -> None:
    await record(database, 7, 8, 7)
    await consumers_queue(url, "warehouse")
    await consumers_queue(url, "shop", "#")
    outcome = await Replays(database, url)(subject="shipment/7", to_queue="warehouse")
    assert outcome.result == {"events": 2, "to": "warehouse", "cursor": encode(3), "pruned": False}
    messages = await take(url, "warehouse")
    assert order(messages) == {"shipment/7": [1, 2]}
    assert all(message.headers[REPLAY] == "replay-1" for message in messages)
    assert (await take(url, "shop"), await take(url, UNROUTED)) == ([], [])


async def test_many_events_of_many_subjects_come_each_in_its_order(database: SqliteDatabase, url: str) -> None:
    await record(database, *[number % 40 for number in range(STRETCH + 200)])
    await consumers_queue(url, "warehouse")
    told = Told(database)
    outcome = await Replays(database, url)(told, to_queue="warehouse")
    messages = await take(url, "warehouse")
    assert (outcome.result or {})["events"] == len(messages) == STRETCH + 200
    assert order(messages) == {f"shipment/{number}": list(range(1, 31)) for number in range(40)}
    assert [(one.done, one.share) for one in told.progress] == [
        (STRETCH, STRETCH / (STRETCH + 200)),
        (STRETCH + 200, 1.0),
    ]


async def test_who_takes_over_goes_on_after_the_last_page_and_ends_where_it_was_to_end(
    database: SqliteDatabase, url: str
) -> None:
    await record(database, *[1] * (STRETCH + 5))
    await prune_the_first(database)
    await consumers_queue(url, "warehouse")
    replays, told = Replays(database, url), Told(database, interrupt_after=1)
    with pytest.raises(Interrupted):
        await replays(told, to_queue="warehouse")
    await record(database, 2)
    outcome = await replays(progress=told.progress[0], to_queue="warehouse")
    assert outcome.result == {"events": STRETCH + 4, "to": "warehouse", "cursor": encode(STRETCH + 5), "pruned": True}
    assert order(await take(url, "warehouse")) == {"shipment/1": list(range(2, STRETCH + 6))}


async def test_nothing_to_send_is_done_at_once(database: SqliteDatabase, url: str) -> None:
    outcome = await Replays(database, url)(subject="shipment/1")
    assert outcome == Outcome(CommandState.done, {"events": 0, "to": EVENTS, "cursor": encode(0), "pruned": False})


# -- what stands in the way --------------------------------------------------------------------------------------------


async def test_a_queue_that_is_not_there_is_told_in_words(database: SqliteDatabase, url: str) -> None:
    await record(database, 7)
    outcome = await Replays(database, url)(to_queue="nobody")
    assert outcome.state is CommandState.rejected
    assert outcome.error == "there is no queue nobody in the virtual host of BRIDGE_AMQP_URL"
    assert await take(url, UNROUTED) == []


async def test_a_queue_that_goes_in_the_middle_is_told_with_where_it_stopped(
    database: SqliteDatabase, url: str
) -> None:
    await record(database, *[1] * (STRETCH + 5))
    await consumers_queue(url, "warehouse")

    class Deleting(Told):
        async def report(self, progress: Progress) -> None:
            await super().report(progress)
            async with channel(url) as opened:
                await opened.queue_delete("warehouse")

    outcome = await Replays(database, url)(Deleting(database), to_queue="warehouse")
    assert (outcome.state, outcome.result) == (CommandState.failed, {"events": STRETCH, "cursor": encode(STRETCH)})
    assert "there is no queue warehouse" in (outcome.error or "")


async def test_a_queue_that_vanishes_under_the_connection_is_missing_too(url: str) -> None:
    await consumers_queue(url, "warehouse")
    replayer = RabbitReplayer(SecretStr(url), environment="demo")
    await replayer.open("warehouse")
    async with channel(url) as opened:
        await opened.queue_delete("warehouse")
    with pytest.raises(QueueMissing, match="warehouse"):
        await replayer.resend(EVENT, "replay-1")
    await replayer.close()


async def test_a_full_queue_is_waited_for_and_then_told(database: SqliteDatabase, url: str) -> None:
    await record(database, 1, 1, 1)
    async with channel(url) as opened:
        arguments: dict[str, Any] = {"x-max-length": 1, "x-overflow": "reject-publish"}
        await opened.declare_queue("small", durable=True, arguments=arguments)
    outcome = await Replays(database, url)(to_queue="small")
    assert outcome.state is CommandState.failed
    assert "a queue that it would go to is full" in (outcome.error or "")
    assert order(await take(url, "small")) == {"shipment/1": [1]}


async def test_a_broker_without_the_exchange_is_told_what_to_do(database: SqliteDatabase, amqp_url: str) -> None:
    await record(database, 1)
    outcome = await Replays(database, amqp_url)(all=True)
    assert outcome.state is CommandState.failed
    assert "bridge topology apply" in (outcome.error or "")


async def test_without_a_broker_there_is_nothing_to_send_to(database: SqliteDatabase) -> None:
    outcome = await Replays(database, None)(all=True)
    assert (outcome.state, "BRIDGE_AMQP_URL" in (outcome.error or "")) == (CommandState.rejected, True)


async def test_a_broker_that_is_away_is_told_without_its_password(database: SqliteDatabase) -> None:
    outcome = await Replays(database, "amqp://guest:hunter2-is-secret@127.0.0.1:1/")(all=True)
    assert outcome.state is CommandState.failed
    assert "nothing listens" in (outcome.error or "")
    assert "hunter2" not in repr(outcome)


async def test_a_broker_that_restarts_in_the_middle_loses_nothing(shared_rabbit: SharedRabbit) -> None:
    await apply_topology(SecretStr(shared_rabbit.url))
    replayer = RabbitReplayer(SecretStr(shared_rabbit.url), environment="demo")
    await replayer.open(None)
    await replayer.resend(EVENT, "replay-1")
    shared_rabbit.close_connections()

    async def is_away() -> bool:
        try:
            await replayer.resend(EVENT, "replay-1")
        except BrokerUnavailable:
            return True
        return False

    await until(is_away)
    assert not replayer.is_open
    await replayer.open(None)
    await replayer.resend(EVENT, "replay-1")
    await replayer.close()
