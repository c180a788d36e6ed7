"""Give a command over RabbitMQ and print the answer: `python command.py shipment.hold '{"command_id": "…", …}'`."""

import asyncio
import os
import sys
from uuid import uuid4

import aio_pika

PATIENCE_S = 15


async def main(name: str, body: str) -> None:
    """Send it once; who gets no answer in time sends the same `command_id` again."""
    async with await aio_pika.connect(os.environ["AMQP_URL"]) as connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        answers: asyncio.Queue[aio_pika.abc.AbstractIncomingMessage] = asyncio.Queue()
        reply_to = await channel.declare_queue("amq.rabbitmq.reply-to", passive=True)
        await reply_to.consume(answers.put, no_ack=True)
        message = aio_pika.Message(
            body.encode(),
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            correlation_id=str(uuid4()),
            reply_to=reply_to.name,
        )
        exchange = await channel.get_exchange("bridge.commands", ensure=False)
        await exchange.publish(message, routing_key=name, mandatory=True)  # confirmed: it is kept
        answer = await asyncio.wait_for(answers.get(), PATIENCE_S)
        print(answer.body.decode())


asyncio.run(main(*sys.argv[1:]))
