"""A consumer's queue on a virtual host of its own, and when so many messages are in it."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import aio_pika

from bridge.broker.topology import EVENTS, declare
from tests.bench.errors import Failed

QUEUE: Final = "consumer"
_POLL_S: Final = 0.01


async def add_queue(amqp_url: str) -> None:
    """Declare the bridge's topology, and a quorum queue that takes every event."""
    async with await aio_pika.connect(amqp_url) as connection, connection.channel() as channel:
        await declare(channel)
        queue = await channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        await queue.bind(EVENTS, "#")


async def drop_queue(amqp_url: str) -> None:
    """Remove the queue with what is in it."""
    async with await aio_pika.connect(amqp_url) as connection, connection.channel() as channel:
        await channel.queue_delete(QUEUE)


async def filled(amqp_url: str, expected: int, seconds: float = 300) -> float:
    """Wait until so many messages are in the queue, and give when they were (monotonic). Raises Failed."""
    async with await aio_pika.connect(amqp_url) as connection, connection.channel() as channel:
        end, found = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            queue = await channel.declare_queue(QUEUE, passive=True)
            found = queue.declaration_result.message_count or 0
            if found >= expected:
                return time.monotonic()
            await asyncio.sleep(_POLL_S)
    raise Failed(f"the queue has {found} of {expected} messages after {seconds:g} s")
