"""Replicas on one PostgreSQL: any of them may be killed, frozen or replaced, and consumers notice nothing but time."""

from __future__ import annotations

import asyncio
import operator
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import pytest
from pydantic import SecretStr

from bridge.broker.rabbit import apply_topology
from bridge.nodes.postgres import PostgresNode
from bridge.nodes.rabbitmq import RabbitNode
from tests.faults.books import Books, bind_consumer, check_consumer, check_database, consumed
from tests.faults.load import LIFE, Sender, lives, shuffled
from tests.faults.test_kill import Plan, Victim, seed
from tests.support.bridge import until
from tests.support.delays import Delays
from tests.support.replicas import Balancer, Replicas

__all__ = ["seed"]
pytestmark = pytest.mark.timeout(240)
BREAKING_S = 9.0
ROLLING_S = 12.0
"""A restart of three, one after the other, fits into it."""
SETTLE_S = 60.0
TAKEOVER_S = 10.0


@pytest.fixture
async def broker(own_rabbit: RabbitNode) -> RabbitNode:
    """A broker of the test's own, with a consumer's queue on it."""
    await _prepared(own_rabbit.url)
    return own_rabbit


@pytest.fixture
async def bound_url(amqp_url: str) -> str:
    """A virtual host on the shared broker, with a consumer's queue on it."""
    return await _prepared(amqp_url)


async def _prepared(url: str) -> str:
    await apply_topology(SecretStr(url))
    await bind_consumer(url)
    return url


async def _away(stop: Callable[[], None], start: Callable[[], None], seconds: float) -> None:
    """Take a server away for a while."""
    await asyncio.to_thread(stop)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(start)


async def test_three_replicas_their_broker_and_their_database_killed_at_random_moments_lose_and_double_nothing(
    tmp_path: Path, broker: RabbitNode, own_postgres: PostgresNode, seed: int
) -> None:
    """3,000 webhooks, a fifth of them repeats and all shuffled; seven kill -9, a stop of the broker, a crash and a
    restart of the database."""
    random = Random(seed)
    webhooks = lives(300)
    url = own_postgres.create_database("bridge")
    async with Replicas(tmp_path, url, broker.url) as replicas:
        victims, books = [Victim(one) for one in replicas.all], Books(url)
        sender = Sender(replicas.webhook_urls, random)
        kills, stops, crashes = Plan(), Plan(), Plan()
        for _ in range(7):
            kills.at(random.uniform(0.2, BREAKING_S), random.choice(victims).kill)
        stops.at(random.uniform(2, 7), partial(_away, broker.stop, broker.start, random.uniform(0, 1)))
        for begin, stop in ((random.uniform(1, 3), own_postgres.kill), (random.uniform(5, 8), own_postgres.stop)):
            crashes.at(begin, partial(_away, stop, own_postgres.start, random.uniform(0, 1)))
        await asyncio.gather(
            sender.send(shuffled(webhooks, 600, random), BREAKING_S),
            *(plan.carry_out() for plan in (kills, stops, crashes)),
        )
        for victim in victims:
            await victim.is_back()
        await until(books.all_is_done, SETTLE_S)
        events = await consumed(broker.url)
        check_database(books, sender, webhooks)
        check_consumer(books, events, webhooks)
        assert [await one.terminate() for one in replicas.all] == [0, 0, 0]
    distinct = len({event["id"] for event in events})
    print(
        f"{len(sender.answers)} deliveries acknowledged ({len(webhooks)} different),"
        f" {sum(victim.kills for victim in victims)} kills, unacknowledged attempts {dict(sender.failures)};"
        f" {distinct} events, {len(events) - distinct} repeats at the consumer"
    )


async def test_a_rolling_restart_under_load_refuses_no_webhook(
    tmp_path: Path, bound_url: str, postgres_url: str, seed: int
) -> None:
    """Each replica in turn: SIGTERM, drained, started again, while a balancer sends to whoever is ready."""
    random = Random(seed)
    webhooks = lives(250)
    async with (
        Replicas(tmp_path, postgres_url, bound_url, BRIDGE_HTTP__DRAIN_DELAY_S="1") as replicas,
        Balancer(replicas.all) as balancer,
    ):
        sender, books, codes = Sender(balancer.urls, random), Books(postgres_url), []
        sending = asyncio.create_task(sender.send(shuffled(webhooks, 500, random), ROLLING_S))
        for one in replicas.all:
            codes.append(await one.terminate())
            await one.start()
            await until(partial(operator.contains, balancer.urls, one.webhook_url))
        assert not sending.done(), "the load outlived the restarts"
        await sending
        await until(books.all_is_done, SETTLE_S)
        events = await consumed(bound_url)
        check_database(books, sender, webhooks)
        check_consumer(books, events, webhooks)
    assert (codes, dict(sender.failures)) == ([0, 0, 0], {})
    assert len(events) == len({event["id"] for event in events}), "who ends in order repeats nothing"


async def _partitions(books: Books) -> list[int]:
    """Count what each relay holds."""
    held = books.rows("SELECT holder, count(*) FROM leases WHERE name LIKE 'relay/%' GROUP BY holder")
    return sorted(number for _, number in held)


def _killed(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def _frozen(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)


@pytest.mark.parametrize("end", [_killed, _frozen])
async def test_what_a_dead_or_frozen_replica_held_is_published_by_another_within_ten_seconds(
    end: Callable[[int], None], tmp_path: Path, bound_url: str, postgres_url: str, another_postgres_url: str
) -> None:
    """Each parcel gets one more word afterwards: sending many would take a slow machine longer than the take-over."""
    first, second = ([one for one in lives(128) if one.word == word] for word in LIFE[:2])
    async with Replicas(tmp_path, postgres_url, bound_url, number=2) as replicas:
        dies, lives_on = replicas.all
        books, sender = Books(postgres_url), Sender((lives_on.webhook_url,), Random(0))
        await until(lambda: _is_shared(books), 15)
        await sender.send(first, 0)
        await until(books.all_is_done)
        async with Delays(another_postgres_url, bound_url) as delays:
            began = time.monotonic()
            end(dies.pid)
            await sender.send(second, 0)
            await until(books.all_is_done, 2 * TAKEOVER_S)
            took = time.monotonic() - began
        if dies.running:
            os.kill(dies.pid, signal.SIGCONT)
            await until(lambda: _is_shared(books), 15)
        events = await consumed(bound_url)
        check_database(books, sender, first + second)
        check_consumer(books, events, first + second)
    print(f"taken over and published {took:.1f} s after the end of the other, {delays.seconds:.1f} s of it delays")
    assert took < TAKEOVER_S + delays.seconds


async def _is_shared(books: Books) -> bool:
    return await _partitions(books) == [32, 32]


async def test_roles_in_processes_of_their_own_wake_each_other(
    tmp_path: Path, bound_url: str, postgres_url: str
) -> None:
    """A webhook reaches the consumer through three processes sooner than any of them would have looked by itself."""
    webhooks = lives(20)
    async with (
        Replicas(tmp_path, postgres_url, bound_url, 1, BRIDGE_ROLES="receiver") as receivers,
        Replicas(tmp_path, postgres_url, bound_url, 1, BRIDGE_ROLES="worker"),
        Replicas(tmp_path, postgres_url, bound_url, 1, BRIDGE_ROLES="relay"),
    ):
        sender, books = Sender(receivers.webhook_urls, Random(0)), Books(postgres_url)
        waits: list[float] = []
        for webhook in webhooks[:20]:
            began = time.monotonic()
            await sender.send([webhook], 0)
            await until(books.all_is_done)
            waits.append(time.monotonic() - began)
        await sender.send(webhooks[20:], 0)
        await until(books.all_is_done)
        events = await consumed(bound_url)
        check_database(books, sender, webhooks)
        check_consumer(books, events, webhooks)
    assert sorted(waits)[10] < 0.5, "looking by themselves, two loops of a second each would take about one"
