"""The consumer: a durable queue, read without an end, whatever happens to the broker."""

from __future__ import annotations

import asyncio
from typing import Final

import aio_pika
from aio_pika.exceptions import AMQPError

from tests.faults.books import QUEUE
from tests.soak.follower import Follower
from tests.soak.receipts import Receipts

_AT_ONCE: Final = 500
_AGAIN_S: Final = 0.3
_SILENCE_S: Final = 5.0
"""After so long without a message it may be the connection that is dead, or its end that hangs."""


class Consumer:
    """Feeds a follower, and receipts with what is no repeat, until cancelled."""

    def __init__(self, amqp_url: str, follower: Follower, receipts: Receipts) -> None:
        self._amqp_url = amqp_url
        self._follower = follower
        self._receipts = receipts

    async def consume(self) -> None:
        """Take and acknowledge; come back after every loss, when what was not acknowledged comes again."""
        while True:
            try:
                async with asyncio.timeout(_SILENCE_S) as patience:
                    await self._consume(patience)
            except (AMQPError, OSError, RuntimeError):  # RuntimeError: aio-pika's, of a channel that closed under it
                await asyncio.sleep(_AGAIN_S)
            except ExceptionGroup as several:  # what it could not give back, one by one, when its connection broke
                if several.split((AMQPError, OSError, RuntimeError))[1] is not None:
                    raise
                await asyncio.sleep(_AGAIN_S)

    async def _consume(self, patience: asyncio.Timeout) -> None:
        loop = asyncio.get_running_loop()
        async with await aio_pika.connect(self._amqp_url) as connection, connection.channel() as channel:
            await channel.set_qos(_AT_ONCE)
            queue = await channel.declare_queue(QUEUE, passive=True)
            async with queue.iterator() as messages:
                async for message in messages:
                    patience.reschedule(loop.time() + _SILENCE_S)
                    event = self._follower.take(message.body, redelivered=bool(message.redelivered))
                    if event is not None:
                        self._receipts.note(event)
                    await message.ack()
