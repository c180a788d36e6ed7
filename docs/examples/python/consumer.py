"""Keep the last status of every shipment, from a queue of RabbitMQ: `pip install aio-pika`."""

import asyncio
import json
import os

import aio_pika
from state import State

QUORUM = {"x-queue-type": "quorum"}
NAME = os.environ.get("QUEUE", "warehouse.statuses")
DEAD = f"{NAME}.dead"
"""Where messages go that nobody can read, or that were given back ten times: look there."""


async def declare(channel: aio_pika.abc.AbstractChannel) -> aio_pika.abc.AbstractQueue:
    """Make the queue and the one of its dead letters, where they are not there yet."""
    dead = await channel.declare_queue(DEAD, durable=True, arguments=QUORUM)
    await dead.bind(await channel.declare_exchange(DEAD, aio_pika.ExchangeType.FANOUT, durable=True))
    arguments = {**QUORUM, "x-dead-letter-exchange": DEAD, "x-delivery-limit": 10}
    queue = await channel.declare_queue(NAME, durable=True, arguments=arguments)
    await queue.bind("bridge.events", "shipx.shipment.status_changed.*")
    return queue


async def take(state: State, message: aio_pika.abc.AbstractIncomingMessage) -> None:
    """Take a message in: acknowledged only after the commit, and given back where that fails."""
    try:
        event = json.loads(message.body)
    except ValueError:
        await message.reject()
        return
    async with message.process(requeue=True):
        if state.take(event):
            print(event["subject"], event["data"]["tracking_status"], flush=True)


async def main() -> None:
    """Take messages until the program is ended; whoever supervises it starts it again where it cannot go on."""
    state = State(os.environ.get("STATE", "consumer.db"))
    async with await aio_pika.connect_robust(os.environ["AMQP_URL"]) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=100)
        queue = await declare(channel)
        print("bound", flush=True)
        async with queue.iterator() as messages:
            async for message in messages:
                await take(state, message)


asyncio.run(main())
