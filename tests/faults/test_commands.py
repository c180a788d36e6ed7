"""A replica that is killed in the middle of a command: another one takes it over, and the verb sees its end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aio_pika
from pydantic import BaseModel

from bridge.events.cloudevents import Envelope
from bridge.model import Fact, OrganizationId, ShipmentId, Subject
from bridge.settings import load
from bridge.store.database import ManagedDatabase, Transaction
from bridge.store.facts import Recorder
from bridge.store.feed import STRETCH
from bridge.store.opening import existing
from tests.support.bridge import BridgeProcess, until
from tests.support.verbs import begun, ended

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SUBJECTS = 8
EVENTS = 6 * STRETCH
TAKEOVER_S = 10.0


class Note(BaseModel):
    """What the events of this test carry."""

    number: int


@asynccontextmanager
async def opened(environ: dict[str, str]) -> AsyncIterator[ManagedDatabase]:
    database = existing(load(environ).database)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def record(database: ManagedDatabase, number: int) -> None:
    """Store so many events of a few shipments."""
    facts = [
        Fact(
            Subject.shipment(OrganizationId(1), ShipmentId(one % SUBJECTS + 1)),
            "shipment.status_changed",
            str(one),
            NOW,
            Note(number=one),
        )
        for one in range(number)
    ]
    recorder = Recorder(Envelope("demo"))

    def write(transaction: Transaction) -> None:
        ledgers = recorder.lock(transaction, {fact.subject for fact in facts})
        recorder.record(transaction, ledgers, facts, NOW)
        recorder.save(transaction, ledgers.values())

    await database.rebuild(write)


async def holder(database: ManagedDatabase) -> tuple[int, int] | None:
    """Give who has the command in hand (its process id), and how far it has come."""
    sql = "SELECT holder, progress FROM commands WHERE state = 'running'"
    rows = await database.read(lambda transaction: transaction.run(sql))
    if not rows or rows[0][1] is None:
        return None
    return int(rows[0][0].split("-")[-2]), json.loads(rows[0][1])["done"]


def as_a_consumer_sees_it(bodies: Sequence[bytes]) -> dict[str, list[int]]:
    """Give the sequences by subject, without the repeats that a consumer drops by their id."""
    seen, found = set[str](), defaultdict[str, list[int]](list)
    for body in bodies:
        document: dict[str, Any] = json.loads(body)
        if document["id"] not in seen:
            seen.add(document["id"])
            found[document["subject"]].append(int(document["sequence"]))
    return dict(found)


async def take(url: str, queue: str) -> list[bytes]:
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        source = await channel.get_queue(queue)
        total = source.declaration_result.message_count or 0
        bodies: list[bytes] = []
        async with source.iterator(no_ack=True) as messages:
            async for message in messages:
                bodies.append(message.body)
                if len(bodies) == total:
                    break
    return bodies


async def test_a_killed_replicas_command_is_taken_over_and_nothing_is_left_out(
    tmp_path: Path, postgres_url: str, amqp_url: str
) -> None:
    shared = {"BRIDGE_DATABASE_URL": postgres_url, "BRIDGE_MIGRATE": "true", "BRIDGE_ROLES": "commands"}
    replicas = [BridgeProcess(tmp_path, amqp_url=amqp_url, **shared) for _ in range(2)]
    async with AsyncExitStack() as stack:
        for replica in replicas:
            await stack.enter_async_context(replica)
        database = await stack.enter_async_context(opened(replicas[0].environ))
        await record(database, EVENTS)
        async with await aio_pika.connect(amqp_url) as connection, connection.channel() as channel:
            await channel.declare_queue("warehouse", durable=True)

        process = await begun(replicas[0].environ, "events", "replay", "--to-queue", "warehouse", "--json")
        pid, _ = await until(lambda: holder(database), 30)
        os.kill(pid, signal.SIGKILL)
        killed_at, dead = time.monotonic(), pid

        async def taken_over() -> float | None:
            found = await holder(database)
            assert found is not None
            return time.monotonic() - killed_at if found[0] != dead else None

        took = await until(taken_over, 20)
        assert took <= TAKEOVER_S
        ran = await asyncio.wait_for(ended(process), 60)
        assert (ran.code, ran.json["outcome"], ran.json["result"]["events"]) == (0, "done", EVENTS), ran.err
        found = as_a_consumer_sees_it(await take(amqp_url, "warehouse"))
        assert found == {f"shipment/{one + 1}": list(range(1, EVENTS // SUBJECTS + 1)) for one in range(SUBJECTS)}
