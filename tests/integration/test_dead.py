"""The queue of the dead on a real broker: looking takes nothing away, and what goes back is never lost on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from pydantic import SecretStr

from bridge.broker import dead as dead_module
from bridge.broker.dead import MOST_RETURNS, RabbitDead
from bridge.broker.headers import DEAD_SINCE, ORIGIN, REASON, REDRIVEN
from bridge.broker.letters import DeadLetter
from bridge.broker.rabbit import apply_topology
from bridge.broker.topology import COMMANDS, DEAD, DEAD_FOR
from bridge.errors import BrokerUnavailable
from bridge.lifecycle import utc_now
from bridge.model import Redriven
from bridge.nodes.rabbitmq import RabbitNode
from tests.nodes import SharedRabbit
from tests.support.bridge import until

COMMAND = b'{"command_id":"c-1","name":"Kowalska"}'
ROUND = MOST_RETURNS + 1
"""After so many looks a message was put in anew."""


@asynccontextmanager
async def channel(url: str) -> AsyncIterator[AbstractChannel]:
    async with await aio_pika.connect(url) as connection, connection.channel() as opened:
        yield opened


async def bury(url: str, *keys: str, exchange: str = DEAD, **headers: Any) -> None:
    """Put messages among the dead as the bridge does it itself, with the reason in a header."""
    async with channel(url) as opened:
        target = await opened.get_exchange(exchange)
        for key in keys:
            message = aio_pika.Message(
                COMMAND, message_id=f"id-{key}", headers=headers, timestamp=utc_now(), delivery_mode=2, user_id="guest"
            )
            await target.publish(message, key)


async def kill_command(url: str, key: str, *, times: int = 11) -> None:
    """Let a command die as commands do: its consumer hands it back more often than the queue allows."""
    async with channel(url) as opened:
        await (await opened.get_exchange(COMMANDS)).publish(
            aio_pika.Message(COMMAND, message_id=f"id-{key}", correlation_id="7", reply_to="answers", delivery_mode=2),
            key,
        )
        queue = await opened.get_queue(COMMANDS)
        for _ in range(times):
            message = await until(lambda: queue.get(fail=False))
            await message.reject(requeue=True)
    await until(lambda: lies_there(url, 1))


async def lies_there(url: str, number: int, queue: str = DEAD) -> bool:
    async with channel(url) as opened:
        return (await opened.declare_queue(queue, passive=True)).declaration_result.message_count == number


@asynccontextmanager
async def the_dead(url: str) -> AsyncIterator[RabbitDead]:
    dead = RabbitDead(SecretStr(url), utc_now)
    await dead.open()
    try:
        yield dead
    finally:
        await dead.close()


async def look(url: str, most: int = 100) -> list[DeadLetter]:
    async with the_dead(url) as dead:
        return await dead.look(most)


async def take(url: str, queue: str = DEAD) -> list[AbstractIncomingMessage]:
    """Take everything out of a queue."""
    found = []
    async with channel(url) as opened:
        source = await opened.get_queue(queue)
        while (message := await source.get(fail=False, no_ack=True)) is not None:
            found.append(message)
    return found


def own_headers(message: AbstractIncomingMessage) -> dict[str, Any]:
    """Give all headers but the count that a queue adds to whatever it hands out."""
    return {key: value for key, value in message.headers.items() if key != "x-delivery-count"}


@pytest.fixture
async def url(amqp_url: str) -> str:
    """A virtual host with our topology."""
    await apply_topology(SecretStr(amqp_url))
    return amqp_url


# -- looking -----------------------------------------------------------------------------------------------------------


async def test_a_dead_letter_says_where_it_came_from_and_why_but_not_what_it_holds(url: str) -> None:
    await kill_command(url, "return.create")
    (letter,) = await look(url)
    assert (letter.message_id, letter.exchange, letter.routing_key) == ("id-return.create", COMMANDS, "return.create")
    assert (letter.reason, letter.size, letter.redriven) == ("delivery_limit", len(COMMAND), 0)
    assert letter.since is not None
    assert abs(utc_now() - letter.since) < timedelta(minutes=2)
    assert "Kowalska" not in repr(letter)


async def test_what_the_bridge_put_there_itself_says_so_by_its_headers(url: str) -> None:
    await bury(url, "shipment.buy", **{REASON: "not_json", ORIGIN: COMMANDS})
    (letter,) = await look(url)
    assert (letter.exchange, letter.routing_key, letter.reason) == (COMMANDS, "shipment.buy", "not_json")


async def test_what_strangers_put_there_says_what_it_can(url: str) -> None:
    await bury(url, "whatever")
    (letter,) = await look(url)
    assert (letter.exchange, letter.routing_key, letter.reason) == (None, "whatever", None)


async def test_only_the_oldest_are_looked_at(url: str) -> None:
    await bury(url, *"abcde")
    assert [one.routing_key for one in await look(url, most=2)] == ["a", "b"]
    assert await look(url, most=0) == []
    await until(lambda: lies_there(url, 5))


async def test_an_empty_queue_has_nothing_to_show(url: str) -> None:
    async with the_dead(url) as dead:
        assert await dead.look(10) == []


STRICT = 2
"""A limit that is stricter than anybody's, and than the 20 of RabbitMQ 4.x."""


def limited(rabbit: RabbitNode, url: str) -> None:
    """Let the broker drop what was returned more than so many times, as 4.x does by itself."""
    vhost = unquote(urlsplit(url).path[1:])
    policy = f'{{"delivery-limit":{STRICT}}}'
    rabbit.control("set_policy", "-p", vhost, "--apply-to", "queues", "limited", f"^{DEAD}$", policy)


async def applied(url: str) -> None:
    """Wait until the broker really drops what is returned too often."""

    async def is_dropped() -> bool:
        await bury(url, "probe")
        async with channel(url) as opened:
            queue = await opened.get_queue(DEAD)
            for _ in range(STRICT + 1):
                message = await queue.get(fail=False)
                if message is None:
                    return True
                await message.reject(requeue=True)
            last = await queue.get(fail=False)
            if last is None:
                return True
            await last.ack()
            return False

    await until(is_dropped)


async def test_looking_again_and_again_takes_nothing_away_where_the_broker_counts_returns(
    rabbit: RabbitNode, url: str
) -> None:
    """3.10 counts and drops as 4.0 to 4.2 do, once there is a limit; from 4.0 on there always is one."""
    limited(rabbit, url)
    await applied(url)
    await kill_command(url, "return.create")
    await bury(url, "a", "b", "c")
    first = await look(url)
    assert len(first) == 4
    for number in range(4 * ROUND):
        await until(lambda: lies_there(url, 4))
        seen = await look(url)
        assert sorted(seen, key=repr) == sorted(first, key=repr), number
    bodies = [message.body for message in await take(url)]
    assert bodies == [COMMAND] * 4


async def test_what_is_put_in_anew_keeps_its_days(url: str) -> None:
    since = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    now = since + timedelta(days=6, hours=23)
    async with channel(url) as opened:
        message = aio_pika.Message(COMMAND, timestamp=since, delivery_mode=2)
        await (await opened.get_exchange(DEAD)).publish(message, "a")
    for _ in range(ROUND):
        dead = RabbitDead(SecretStr(url), lambda: now)
        await dead.open()
        assert [one.since for one in await dead.look(1)] == [since]
        await dead.close()
        await until(lambda: lies_there(url, 1))
    (found,) = await take(url)
    assert found.headers[DEAD_SINCE] == int(since.timestamp())
    assert found.expiration == timedelta(hours=1).total_seconds()
    assert timedelta(days=7) == DEAD_FOR


async def test_a_look_that_is_broken_off_takes_nothing_away(url: str) -> None:
    await bury(url, "a", "b")
    dead = RabbitDead(SecretStr(url), utc_now)
    await dead.open()
    assert len(await dead.look(10)) == 2
    assert dead._connection is not None
    await dead._connection.close()
    await until(lambda: lies_there(url, 2))
    await dead.close()
    assert [one.routing_key for one in await look(url)] == ["a", "b"]


# -- the way back ------------------------------------------------------------------------------------------------------


async def back(url: str) -> list[Redriven]:
    """Send back all there is."""
    found = []
    async with the_dead(url) as dead:
        while (redriven := await dead.redrive()) is not None:
            found.append(redriven)
    return found


async def test_a_dead_command_goes_back_as_it_was_before_it_died(url: str) -> None:
    await kill_command(url, "return.create")
    assert await back(url) == [Redriven.redriven]
    await until(lambda: lies_there(url, 0))
    (message,) = await take(url, COMMANDS)
    assert (message.exchange, message.routing_key, message.body) == (COMMANDS, "return.create", COMMAND)
    assert (message.message_id, message.correlation_id, message.reply_to) == ("id-return.create", "7", "answers")
    assert own_headers(message) == {REDRIVEN: 1}
    assert (message.expiration, message.delivery_mode) == (None, aio_pika.DeliveryMode.PERSISTENT)


async def test_one_that_dies_again_counts_its_returns_and_keeps_its_origin(url: str) -> None:
    await kill_command(url, "return.create")
    assert await back(url) == [Redriven.redriven]
    async with channel(url) as opened:
        queue = await opened.get_queue(COMMANDS)
        for _ in range(11):
            await (await until(lambda: queue.get(fail=False))).reject(requeue=True)
    await until(lambda: lies_there(url, 1))
    (letter,) = await look(url)
    assert (letter.exchange, letter.routing_key, letter.redriven) == (COMMANDS, "return.create", 1)
    assert await back(url) == [Redriven.redriven]
    (message,) = await take(url, COMMANDS)
    assert own_headers(message) == {REDRIVEN: 2}


async def test_what_was_put_in_anew_still_finds_its_way_back(url: str) -> None:
    await kill_command(url, "return.create")
    for _ in range(ROUND):
        await look(url)
        await until(lambda: lies_there(url, 1))
    assert await back(url) == [Redriven.redriven]
    (message,) = await take(url, COMMANDS)
    assert (message.routing_key, own_headers(message), message.expiration) == ("return.create", {REDRIVEN: 1}, None)


async def test_what_cannot_go_back_stays_and_holds_up_nothing(url: str) -> None:
    await bury(url, "nowhere")
    await bury(url, "gone", **{ORIGIN: "no.such.exchange"})
    async with channel(url) as opened:
        await opened.declare_exchange("lonely", durable=True)
    await bury(url, "lonely", **{ORIGIN: "lonely"})
    await bury(url, "well", **{ORIGIN: COMMANDS})
    assert await back(url) == [Redriven.no_origin, Redriven.unroutable, Redriven.unroutable, Redriven.redriven]
    await until(lambda: lies_there(url, 3))
    assert sorted(one.routing_key for one in await look(url)) == ["gone", "lonely", "nowhere"]
    assert [one.routing_key for one in await take(url, COMMANDS)] == ["well"]


async def test_a_full_queue_refuses_and_what_is_dead_stays(url: str) -> None:
    async with channel(url) as opened:
        exchange = await opened.declare_exchange("full", aio_pika.ExchangeType.TOPIC, durable=True)
        arguments: dict[str, Any] = {"x-max-length": 1, "x-overflow": "reject-publish"}
        queue = await opened.declare_queue("full", durable=True, arguments=arguments)
        await queue.bind(exchange, "#")
        await exchange.publish(aio_pika.Message(b"first"), "x")
    await bury(url, "a", **{ORIGIN: "full"})
    assert await back(url) == [Redriven.refused]
    await until(lambda: lies_there(url, 1))


async def test_a_crash_between_the_confirm_and_the_acknowledgement_leaves_two_never_none(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kill_command(url, "return.create")
    dead = RabbitDead(SecretStr(url), utc_now)
    await dead.open()

    async def crash(_message: AbstractIncomingMessage) -> None:
        assert dead._connection is not None
        await dead._connection.close()
        raise BrokerUnavailable("as if the process were gone")

    monkeypatch.setattr(dead, "_acknowledge", crash)
    with pytest.raises(BrokerUnavailable):
        await dead.redrive()
    await dead.close()
    await until(lambda: lies_there(url, 1))
    await until(lambda: lies_there(url, 1, COMMANDS))


async def test_more_than_can_be_kept_ends_the_way_back_early(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_module, "MOST_KEPT", 2)
    await bury(url, "a", "b", "c")
    assert await back(url) == [Redriven.no_origin, Redriven.no_origin]
    await until(lambda: lies_there(url, 3))


# -- a broker that is away ---------------------------------------------------------------------------------------------


async def test_a_broker_without_the_queue_is_told_what_it_lacks(amqp_url: str) -> None:
    with pytest.raises(BrokerUnavailable, match="bridge topology apply"):
        await RabbitDead(SecretStr(amqp_url), utc_now).open()


async def is_away(dead: RabbitDead) -> bool:
    """Ask; the signal to freeze is on its way, so there may be an answer yet."""
    try:
        await dead.look(1)
    except BrokerUnavailable:
        return True
    return False


async def test_a_broker_that_freezes_holds_up_a_look_for_a_bounded_time(shared_rabbit: SharedRabbit) -> None:
    await apply_topology(SecretStr(shared_rabbit.url))
    dead = RabbitDead(SecretStr(shared_rabbit.url), utc_now)
    await dead.open()
    shared_rabbit.pause()
    async with asyncio.timeout(30):
        await until(lambda: is_away(dead), 30)
        await dead.close()
