"""Keep the last status of every shipment, from a queue of RabbitMQ: `pip install aio-pika`."""

import asyncio
import json
import os

import aio_pika
from state import State


async def main() -> None:
    """Take messages until the program is ended."""
    state = State(os.environ.get("STATE", "consumer.db"))
    connection = await aio_pika.connect_robust(os.environ["AMQP_URL"])
    channel = await connection.channel()
    await channel.set_qos(prefetch_count=100)
    name = os.environ.get("QUEUE", "shop.statuses")
    queue = await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum"})
    await queue.bind("bridge.events", "shipx.shipment.status_changed.*")
    print("bound", flush=True)
    async with queue.iterator() as messages:
        async for message in messages:
            async with message.process(requeue=True):  # acknowledged only after the commit
                event = json.loads(message.body)
                if state.take(event):
                    print(event["subject"], event["data"]["tracking_status"], flush=True)


asyncio.run(main())
