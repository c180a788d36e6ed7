"""The consumer: a durable queue, read without an end, whatever happens to the broker."""

from __future__ import annotations

import asyncio
from typing import Final

import aio_pika
from aio_pika.exceptions import AMQPError

from tests.faults.books import QUEUE
from tests.soak.follower import Follower

_AT_ONCE: Final = 500
_AGAIN_S: Final = 0.3
_SILENCE_S: Final = 5.0
"""After so long without a message it may be the connection that is dead."""


class Consumer:
    """Feeds a follower until cancelled."""

    def __init__(self, amqp_url: str, follower: Follower) -> None:
        self._amqp_url = amqp_url
        self._follower = follower

    async def consume(self) -> None:
        """Take and acknowledge; come back after every loss, when what was not acknowledged comes again."""
        while True:
            try:
                await self._consume()
            except (AMQPError, OSError, RuntimeError):  # RuntimeError: aio-pika's, of a channel that closed under it
                await asyncio.sleep(_AGAIN_S)

    async def _consume(self) -> None:
        async with await aio_pika.connect(self._amqp_url, timeout=10) as connection, connection.channel() as channel:
            await channel.set_qos(_AT_ONCE)
            queue = await channel.declare_queue(QUEUE, passive=True)
            async with queue.iterator(timeout=_SILENCE_S) as messages:
                async for message in messages:
                    self._follower.take(message.body)
                    await message.ack()
