"""Commands over a real broker: stored, then acknowledged; one effect, one answer; nothing lost, nothing for ever."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from pydantic import SecretStr

from bridge.app.bus import ON_THE_BUS
from bridge.approvals.approving import Approving
from bridge.broker.commands import RabbitCommands
from bridge.broker.headers import DEAD_SINCE, ORIGIN, REASON
from bridge.broker.rabbit import apply_topology
from bridge.broker.topology import COMMANDS, DEAD
from bridge.commands.consumer import Consumer, Pace, Rules
from bridge.commands.execute import Executor, Operation
from bridge.commands.models import ApprovePurchase, BuyShipment, HoldPurchase
from bridge.errors import BrokerUnavailable
from bridge.events.cloudevents import Envelope
from bridge.lifecycle import Stop, utc_now
from bridge.model import CommandMessage, OrganizationId, micros
from bridge.nodes.postgres import PostgresNode
from bridge.nodes.rabbitmq import RabbitNode
from bridge.store.approvals import SqlApprovals
from bridge.store.commands import SqlCommands
from bridge.store.database import ManagedDatabase
from bridge.store.facts import Recorder
from bridge.store.migrate import migrate
from bridge.store.postgres import PostgresDatabase
from bridge.store.sealed import Vault
from bridge.store.sqlite import SqliteDatabase
from tests.support.bridge import BridgeProcess, until
from tests.support.consumer import Consumer as Events
from tests.support.migrated import migrated

ORGANIZATION = OrganizationId(4821)
SHIPMENT = 3900000017
REPLIES = "erp.replies"
QUICK = Pace(again_s=0.05, hold_s=0.5, outcome_s=5.0)


class Bus:
    """One consumer of commands beside one executor, on a database, as `serve` puts them together."""

    def __init__(self, url: str, database: ManagedDatabase, *, pace: Pace = QUICK, allows: str = "*") -> None:
        self.database = database
        self.stop = Stop()
        self.commands = SqlCommands(database, Vault(), "one")
        approving = Approving(
            SqlApprovals(Recorder(Envelope("test"))),
            known=[ORGANIZATION],
            clock=utc_now,
            on_changed=lambda: None,
        )
        orders = {
            ApprovePurchase.operation: Operation(approving.approve),
            HoldPurchase.operation: Operation(approving.hold),
            BuyShipment.operation: Operation(approving.buy),
        }
        self.executor = Executor(self.commands, orders, self.stop)
        self.queue = RabbitCommands(SecretStr(url), declares=True, clock=utc_now)
        self.consumer = Consumer(
            self.queue,
            self.commands,
            Rules(ON_THE_BUS, lambda name: allows in ("*", name), (f"{REPLIES}*",)),
            is_writable=self._is_writable,
            on_stored=self.executor.bell.ring,
            clock=utc_now,
            stop=self.stop,
            pace=pace,
        )

    async def _is_writable(self) -> bool:
        return await self.database.probe(1) is None

    @asynccontextmanager
    async def at_work(self, *, carries_out: bool = True) -> AsyncIterator[None]:
        """Consume, and carry out unless told."""
        loops = [self.consumer.run, *([self.executor.run] if carries_out else [])]
        running = [asyncio.create_task(loop()) for loop in loops]
        try:
            yield
        finally:
            self.stop.announce()
            await asyncio.gather(*running)
            await self.consumer.close()

    async def rows(self, sql: str) -> list[Any]:
        found = await self.database.read(lambda it: it.run(sql))
        return [row[0] if len(row) == 1 else row for row in found]

    async def put(self, state: str, shipment: int = SHIPMENT) -> None:
        """Have a purchase in this state, with an offer that was chosen."""
        now = micros(utc_now())
        row = (ORGANIZATION, shipment, state, now + 90_000_000, now, now, "an-intent", 553001, "inpost_locker_standard")
        columns = "organization, shipment, state, deadline, due_at, updated_at, intent_id, offer_id, service_id"
        await self.database.write(lambda it: it.insert(f"purchases ({columns})", [row]))


class Sender:
    """A program of another team that gives commands and waits for answers."""

    def __init__(self, channel: AbstractChannel, direct: AbstractQueue, named: AbstractQueue) -> None:
        self._channel = channel
        self._named = named
        self._direct = direct
        self.answers: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()

    async def give(
        self, name: str, body: object, *, reply_to: str | None = None, correlation: str = "7", **properties: Any
    ) -> None:
        """Publish a command; anything but bytes is written as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        message = aio_pika.Message(data, reply_to=reply_to, correlation_id=correlation, delivery_mode=2, **properties)
        await (await self._channel.get_exchange(COMMANDS)).publish(message, name)

    async def ask(self, name: str, body: object, *, reply_to: str = "amq.rabbitmq.reply-to") -> dict[str, Any]:
        """Publish a command and give the answer to it."""
        await self.give(name, body, reply_to=reply_to)
        return await self.answer()

    async def answer(self, seconds: float = 10) -> dict[str, Any]:
        message = await asyncio.wait_for(self.answers.get(), seconds)
        assert (message.correlation_id, message.content_type) == ("7", "application/json")
        found: dict[str, Any] = json.loads(message.body)
        return found

    async def listen(self) -> None:
        await self._direct.consume(self.answers.put, no_ack=True)
        await self._named.consume(self.answers.put, no_ack=True)


@asynccontextmanager
async def sender(url: str) -> AsyncIterator[Sender]:
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        direct = await channel.get_queue("amq.rabbitmq.reply-to", ensure=False)
        named = await channel.declare_queue(REPLIES, durable=True)
        found = Sender(channel, direct, named)
        await found.listen()
        yield found


async def count(url: str, queue: str) -> int:
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        return (await channel.declare_queue(queue, passive=True)).declaration_result.message_count or 0


async def dead(url: str) -> AbstractIncomingMessage:
    """Take the one message that is among the dead."""
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        queue = await channel.get_queue(DEAD)
        message = await until(lambda: queue.get(fail=False, no_ack=True))
        assert await queue.get(fail=False, no_ack=True) is None
        return message


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


def about(key: str = "c-1", shipment: int = SHIPMENT) -> dict[str, object]:
    return {"command_id": key, "shipment_id": shipment}


# -- one effect, one answer --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reply_to", ["amq.rabbitmq.reply-to", REPLIES])
async def test_a_command_is_carried_out_and_its_outcome_is_the_answer(
    url: str, database: SqliteDatabase, reply_to: str
) -> None:
    bus = Bus(url, database)
    await bus.put("held")
    async with bus.at_work(), sender(url) as program:
        answer = await program.ask("shipment.approve", about(), reply_to=reply_to)
        assert (answer["command_id"], answer["outcome"]) == ("c-1", "done")
        assert (answer["result"]["state"], answer["result"]["approved"]["by"]) == ("wanted", "amqp")
        again = await program.ask("shipment.approve", about(), reply_to=reply_to)
        assert again == answer | {"outcome": "duplicate"}
        late = await program.ask("shipment.approve", about("c-2"), reply_to=reply_to)
        assert (late["outcome"], late["error"].startswith("the purchase is wanted")) == ("rejected", True)
        assert program.answers.empty()
    assert await bus.rows("SELECT cause, approved_by FROM purchases") == [("c-1", "amqp")]
    assert await count(url, COMMANDS) == 0


async def test_who_gave_it_is_the_user_that_the_broker_has_checked(url: str, database: SqliteDatabase) -> None:
    bus = Bus(url, database)
    async with bus.at_work(), sender(url) as program:
        await program.give("shipment.buy", about(), user_id="guest", reply_to=REPLIES)
        assert (await program.answer())["result"]["last_note"]["by"] == "amqp:guest"
        held = await program.ask("shipment.hold", about("h-1"))
        assert (held["outcome"], held["result"]["state"]) == ("done", "held")
    (told,) = await bus.rows("SELECT body FROM events")
    assert json.loads(told)["causationid"] == "h-1"


async def test_what_takes_longer_is_accepted(url: str, database: SqliteDatabase) -> None:
    bus = Bus(url, database, pace=Pace(outcome_s=0.2))
    async with bus.at_work(carries_out=False), sender(url) as program:
        assert await program.ask("shipment.approve", about()) == {"command_id": "c-1", "outcome": "accepted"}
        assert await program.ask("shipment.approve", about()) == {"command_id": "c-1", "outcome": "duplicate"}


async def test_whoever_is_one_too_many_is_not_waited_for(url: str, database: SqliteDatabase) -> None:
    bus = Bus(url, database, pace=Pace(outcome_s=60, most_waiting=0))
    async with bus.at_work(carries_out=False), sender(url) as program:
        assert (await program.ask("shipment.approve", about()))["outcome"] == "accepted"


async def test_as_the_process_ends_whoever_waits_is_told_that_it_is_accepted(
    url: str, database: SqliteDatabase
) -> None:
    bus = Bus(url, database, pace=Pace(outcome_s=60))
    async with sender(url) as program:
        async with bus.at_work(carries_out=False):
            await program.give("shipment.approve", about(), reply_to=REPLIES)
            await until(lambda: bus.rows("SELECT id FROM commands"))
        assert (await program.answer())["outcome"] == "accepted"
    assert await count(url, COMMANDS) == 0


async def test_a_crash_between_the_commit_and_the_acknowledgement_has_one_effect(
    url: str, database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Bus(url, database)
    await first.put("held")
    acknowledged = first.queue.acknowledge

    async def crash(message: CommandMessage) -> None:
        monkeypatch.setattr(first.queue, "acknowledge", acknowledged)
        assert first.queue._connection is not None
        await first.queue._connection.close()
        raise BrokerUnavailable("as if the process were gone")

    monkeypatch.setattr(first.queue, "acknowledge", crash)
    async with sender(url) as program, first.at_work():
        answer = await program.ask("shipment.approve", about())
        assert (answer["outcome"], answer["result"]["state"]) == ("duplicate", "wanted")
    assert await first.rows("SELECT count(*) FROM journal") == [1]
    assert program.answers.empty()
    assert await count(url, COMMANDS) == 0


# -- what is not understood --------------------------------------------------------------------------------------------

BAD: list[tuple[str, bytes, str]] = [
    # routing key, body, reason
    ("shipment.approve", b"{", "not_json"),
    ("shipment.approve", b"{}", "no_command_id"),
    ("shipment.approve", b'{"command_id": "c-1"}', "bad_fields"),
    ("shipment.burn", b'{"command_id": "c-1"}', "unknown_command"),
    ("shipment.hold", b'{"command_id": "c-1", "shipment_id": 17}', "not_allowed"),
]


@pytest.mark.parametrize(("name", "body", "reason"), BAD, ids=[row[2] for row in BAD])
async def test_what_cannot_be_understood_lies_among_the_dead_with_the_reason(
    url: str, database: SqliteDatabase, name: str, body: bytes, reason: str
) -> None:
    bus = Bus(url, database, allows="shipment.approve")
    async with bus.at_work(), sender(url) as program:
        await program.give(name, body, message_id="m-1", headers={"team": "erp"})
        message = await dead(url)
        assert (message.routing_key, message.body, message.message_id) == (name, body, "m-1")
        assert message.headers.pop(DEAD_SINCE)
        message.headers.pop("x-delivery-count", None)
        assert message.headers == {"team": "erp", REASON: reason, ORIGIN: COMMANDS}
        assert message.correlation_id == "7"
    assert await count(url, COMMANDS) == 0
    assert await bus.rows("SELECT id FROM commands") == []


async def test_whoever_waits_is_told_what_is_wrong_and_it_is_buried_all_the_same(
    url: str, database: SqliteDatabase
) -> None:
    bus = Bus(url, database)
    async with bus.at_work(), sender(url) as program:
        answer = await program.ask("shipment.approve", {"command_id": "c-1", "shipment_id": "17"})
        assert (answer["command_id"], answer["outcome"]) == ("c-1", "rejected")
        assert [one["field"] for one in answer["errors"]] == ["shipment_id"]
        assert (await dead(url)).headers[REASON] == "bad_fields"
        await program.give("shipment.buy", about())
        await until(lambda: bus.rows("SELECT id FROM commands"))
        other = await program.ask("shipment.buy", about(shipment=1))
        assert (other["outcome"], "another body" in other["error"]) == ("rejected", True)
        assert (await dead(url)).headers[REASON] == "key_used"
        assert program.answers.empty()
    assert await bus.rows("SELECT shipment FROM purchases") == [SHIPMENT]


async def test_whoever_waits_hears_of_an_unknown_name_too_and_it_is_buried_all_the_same(
    url: str, database: SqliteDatabase
) -> None:
    bus = Bus(url, database)
    async with bus.at_work(), sender(url) as program:
        answer = await program.ask("shipment.burn", about())
        assert (answer["command_id"], answer["outcome"]) == ("c-1", "rejected")
        assert (await dead(url)).headers[REASON] == "unknown_command"
        assert await program.ask("shipment.buy", b"{") == {
            "command_id": None,
            "outcome": "rejected",
            "error": "the body is not JSON",
        }
        assert program.answers.empty()


@pytest.mark.parametrize("queue", ["bridge.dead", "bridge.commands", "warehouse"])
async def test_an_answer_never_goes_where_none_may_go(url: str, database: SqliteDatabase, queue: str) -> None:
    bus = Bus(url, database)
    async with bus.at_work(), sender(url) as program:
        await program._channel.declare_queue("warehouse", durable=True)
        await program.give("shipment.buy", about(), reply_to=queue)
        await program.give("shipment.approve", {"command_id": "c-2"}, reply_to=queue)
        assert (await dead(url)).headers[REASON] == "bad_fields"
        assert (await program.ask("shipment.buy", about()))["outcome"] == "duplicate"
    for each in (COMMANDS, DEAD, "warehouse"):
        assert await count(url, each) == 0, each


async def test_an_answer_that_nobody_takes_any_more_holds_up_nothing(url: str, database: SqliteDatabase) -> None:
    bus = Bus(url, database)
    async with bus.at_work(), sender(url) as program:
        await program.give("shipment.buy", about(), reply_to=f"{REPLIES}.gone")
        assert (await program.ask("shipment.buy", about()))["outcome"] == "duplicate"


async def test_a_burial_waits_for_the_queue_of_the_dead(url: str, database: SqliteDatabase) -> None:
    bus = Bus(url, database)
    async with bus.at_work(), sender(url) as program:
        assert (await program.ask("shipment.buy", about()))["outcome"] == "done"
        await program._channel.queue_delete(DEAD)
        await program.give("shipment.buy", b"{")
        assert (await program.ask("shipment.buy", about()))["outcome"] == "duplicate"
        await apply_topology(SecretStr(url))
        assert (await dead(url)).headers[REASON] == "not_json"


# -- what goes away and comes back -------------------------------------------------------------------------------------


async def test_a_queue_that_is_deleted_is_declared_again(url: str, database: SqliteDatabase) -> None:
    bus = Bus(url, database)
    async with bus.at_work(), sender(url) as program:
        assert (await program.ask("shipment.buy", about()))["outcome"] == "done"
        await program._channel.queue_delete(COMMANDS)

        async def given() -> dict[str, Any]:
            await program.give("shipment.buy", about(), reply_to=REPLIES)
            return await program.answer(1)

        await until(lambda: _quietly(given))


async def _quietly(work: Any) -> object:
    """Try what does not work yet."""
    try:
        return await work()
    except (aio_pika.exceptions.AMQPError, TimeoutError):
        return None


async def test_commands_outlive_a_restart_of_the_broker(own_rabbit: RabbitNode, database: SqliteDatabase) -> None:
    await apply_topology(SecretStr(own_rabbit.url))
    bus = Bus(own_rabbit.url, database)
    async with bus.at_work():
        async with sender(own_rabbit.url) as program:
            assert (await program.ask("shipment.buy", about()))["outcome"] == "done"
        await asyncio.to_thread(own_rabbit.stop)
        await until(lambda: bus.consumer.degraded_since)
        await asyncio.to_thread(own_rabbit.start)
        async with sender(own_rabbit.url) as program:
            assert (await program.ask("shipment.hold", about("c-2")))["outcome"] == "done"
            assert bus.consumer.degraded_since is None


async def test_while_the_store_is_away_nothing_is_taken_and_nothing_dies(url: str, own_postgres: PostgresNode) -> None:
    """Ten returns are the end of a message: one outage may cost one."""
    database = PostgresDatabase(SecretStr(own_postgres.create_database("bridge")))
    await database.open()
    await database.rebuild(migrate)
    bus = Bus(url, database, pace=Pace(again_s=0.02, hold_s=0.1))
    try:
        async with sender(url) as program, bus.at_work():
            assert (await program.ask("shipment.buy", about("first")))["outcome"] == "done"
            await asyncio.to_thread(own_postgres.kill)
            for number in range(20):
                await program.give("shipment.buy", about(f"c-{number}", 100 + number), reply_to=REPLIES)

            async def are_all_back() -> bool:
                return await count(url, COMMANDS) == 20

            await until(are_all_back, 30)
            await asyncio.sleep(1)  # fifty looks at the store, which all see that it is away
            await asyncio.to_thread(own_postgres.start)
            answers = [await program.answer(30) for _ in range(20)]
            assert {one["outcome"] for one in answers} == {"done"}
            assert sorted(one["command_id"] for one in answers) == sorted(f"c-{number}" for number in range(20))
        assert await count(url, DEAD) == 0
        assert await bus.rows("SELECT count(*) FROM purchases") == [21]
    finally:
        await database.close()


# -- the whole process -------------------------------------------------------------------------------------------------


async def test_a_command_given_to_a_whole_bridge_is_told_as_its_cause(tmp_path: Path, amqp_url: str) -> None:
    async with BridgeProcess(tmp_path, amqp_url=amqp_url) as bridge:
        async with Events(amqp_url, "shipx.shipment.purchase_held.#") as events, sender(amqp_url) as program:
            await until(lambda: "commands.consuming" in bridge.log)  # before there is a queue a command would be lost
            refused = await program.ask("shipment.buy", about())
            assert (refused["outcome"], "has a token" in refused["error"]) == ("rejected", True)
            await _want(bridge)
            answer = await program.ask("shipment.hold", about("hold-1"))
            assert (answer["outcome"], answer["result"]["held_by"]) == ("done", "amqp")
            event = json.loads((await events.next()).body)
            assert (event["causationid"], event["data"]["reason"]) == ("hold-1", "by_person")
        assert await bridge.terminate() == 0


async def _want(bridge: BridgeProcess) -> None:
    """Have a purchase wanted that nobody looks at yet."""
    later = micros(utc_now() + timedelta(minutes=4))
    database = SqliteDatabase(Path(bridge.database_url.removeprefix("sqlite:///")))
    await database.open()
    try:
        row = (ORGANIZATION, SHIPMENT, "wanted", later, later, later)
        columns = "organization, shipment, state, deadline, due_at, updated_at"
        await database.write(lambda it: it.insert(f"purchases ({columns})", [row]))
    finally:
        await database.close()
