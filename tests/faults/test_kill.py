"""Nothing acknowledged is lost: the bridge is killed, its broker stopped, and the consumer misses nothing."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random

import pytest
from pydantic import SecretStr

from bridge.broker.rabbit import apply_topology
from bridge.nodes.rabbitmq import RabbitNode
from tests.faults.books import Books, bind_consumer, check_consumer, check_database, consumed
from tests.faults.load import Sender, lives, shuffled
from tests.nodes import SharedRabbit
from tests.support.bridge import BridgeProcess, Program, until

SEED = "FAULTS_SEED"
"""Set it to repeat the moments of a run, as far as the machine repeats its own."""
pytestmark = pytest.mark.timeout(240)
LOAD_S = 10.0
SETTLE_S = 60.0


@pytest.fixture
def seed() -> int:
    """Where every moment of the test comes from; shown when it fails."""
    found = int(os.environ.get(SEED) or secrets.randbelow(1_000_000))
    print(f"{SEED}={found}")
    return found


class Plan:
    """Things that happen at given seconds from now on, one after the other."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._steps: list[tuple[float, Callable[[], Awaitable[None]]]] = []

    def at(self, seconds: float, step: Callable[[], Awaitable[None]]) -> None:
        """Plan a step."""
        self._steps.append((seconds, step))

    async def carry_out(self) -> None:
        """Do every step at its moment, or as soon as the ones before are done."""
        for seconds, step in sorted(self._steps, key=lambda planned: planned[0]):
            await asyncio.sleep(max(self._began + seconds - time.monotonic(), 0))
            await step()


class Victim:
    """A bridge that is killed at any moment, also while it starts, and started again at once."""

    def __init__(self, bridge: BridgeProcess) -> None:
        self.bridge = bridge
        self.kills = 0
        self._starting: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def kill(self) -> None:
        """Kill, and start again without waiting until it is there."""
        async with self._one_at_a_time:
            self.bridge.kill()
            self.kills += 1
            if self._starting is not None:
                with suppress(AssertionError):  # it cannot have started if it was killed
                    await self._starting
            self._starting = asyncio.create_task(self.bridge.start())

    async def is_back(self) -> None:
        """Wait until the last start is done."""
        if self._starting is not None:
            await self._starting


async def _broker_away(node: RabbitNode, victim: Victim, seconds: float) -> None:
    """Stop and start the broker, and kill the bridge while it catches up."""
    await asyncio.to_thread(node.restart)
    await asyncio.sleep(seconds)
    await victim.kill()


async def test_a_bridge_killed_at_random_moments_loses_and_doubles_nothing(
    tmp_path: Path, own_rabbit: RabbitNode, seed: int
) -> None:
    """3,000 webhooks, a fifth of them repeats and all shuffled; eight kill -9; two stops of the broker."""
    random = Random(seed)
    webhooks = lives(300)
    await apply_topology(SecretStr(own_rabbit.url))
    await bind_consumer(own_rabbit.url)
    async with BridgeProcess(tmp_path, amqp_url=own_rabbit.url) as bridge:
        victim, sender, books = Victim(bridge), Sender((bridge.webhook_url,), random), Books(bridge.database_url)
        kills, stops = Plan(), Plan()
        for _ in range(6):
            kills.at(random.uniform(0.2, LOAD_S), victim.kill)
        for begin in (random.uniform(1, 3), random.uniform(5, 8)):
            stops.at(begin, partial(_broker_away, own_rabbit, victim, random.uniform(0, 1.5)))
        await asyncio.gather(sender.send(shuffled(webhooks, 600, random), LOAD_S), kills.carry_out(), stops.carry_out())
        await victim.is_back()
        await until(books.all_is_done, SETTLE_S)
        events = await consumed(own_rabbit.url)
        check_database(books, sender, webhooks)
        check_consumer(books, events, webhooks)
        assert await bridge.terminate() == 0
    distinct = len({event["id"] for event in events})
    print(
        f"{len(sender.answers)} deliveries acknowledged ({len(webhooks)} different), {victim.kills} kills,"
        f" 2 broker stops, unacknowledged attempts {dict(sender.failures)};"
        f" {distinct} events, {len(events) - distinct} repeats at the consumer"
    )


async def test_a_bridge_told_to_end_under_load_ends_in_time_and_loses_nothing(
    tmp_path: Path, amqp_url: str, seed: int
) -> None:
    """SIGTERM three times while webhooks arrive: exit code 0 within the bound, and the next start goes on."""
    random = Random(seed)
    webhooks = lives(200)
    await apply_topology(SecretStr(amqp_url))
    await bind_consumer(amqp_url)
    ends: list[tuple[int, float]] = []
    async with Program(tmp_path, amqp_url=amqp_url, BRIDGE_SHUTDOWN_S="5") as bridge:
        sender, books = Sender((bridge.webhook_url,), random), Books(bridge.database_url)

        async def end() -> None:
            asked = time.monotonic()
            ends.append((await bridge.terminate(), time.monotonic() - asked))
            kept = {row[0] for row in books.rows("SELECT id FROM deliveries")}
            assert {delivery for _, _, delivery in sender.answers} <= kept
            assert books.rows("SELECT name FROM leases WHERE expires_at > 0") == []
            await bridge.start()

        terms = Plan()
        for begin in (1.0, 3.5, 6.0):
            terms.at(begin + random.uniform(0, 1), end)
        await asyncio.gather(sender.send(shuffled(webhooks, 400, random), 8.0), terms.carry_out())
        await until(books.all_is_done, SETTLE_S)
        events = await consumed(amqp_url)
        check_database(books, sender, webhooks)
        check_consumer(books, events, webhooks)
    assert [code for code, _ in ends] == [0, 0, 0]
    slowest = max(seconds for _, seconds in ends)
    assert slowest < 5 + 2
    print(
        f"{len(sender.answers)} deliveries acknowledged, SIGTERM 3 times, the slowest end took {slowest:.2f} s,"
        f" unacknowledged attempts {dict(sender.failures)}; {len(events)} messages at the consumer"
    )


async def test_a_frozen_broker_does_not_keep_the_bridge_from_ending_in_time(
    tmp_path: Path, shared_rabbit: SharedRabbit
) -> None:
    """Connections stay open and nothing answers: SIGTERM still ends it within the bound, with exit code 0."""
    webhooks = lives(20)
    async with Program(tmp_path, amqp_url=shared_rabbit.url, BRIDGE_SHUTDOWN_S="3") as bridge:
        books = Books(bridge.database_url)
        sender = Sender((bridge.webhook_url,), Random(0))
        await sender.send(webhooks[:80], 0)
        await until(books.all_is_done)
        shared_rabbit.pause()
        await sender.send(webhooks[80:], 0)
        await until(lambda: books.count("outbox WHERE state = 0") > 0 == books.count("deliveries WHERE state = 0"))
        asked = time.monotonic()
        code = await bridge.terminate()
        took = time.monotonic() - asked
        shared_rabbit.resume()
        assert code == 0
        assert took < 3 + 2
        await bind_consumer(shared_rabbit.url)
        await bridge.start()
        await until(books.all_is_done)
        check_database(books, sender, webhooks)
