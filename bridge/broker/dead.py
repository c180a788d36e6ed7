"""What lies in `bridge.dead`: look at it without using it up, and send it back where it came from.

A quorum queue counts how often a message is returned, and RabbitMQ 4.x drops one that is returned more often than its
limit, 20 by default: merely looking would destroy it. So a message that was returned before is not returned for ever:
it is put into the queue anew, which is confirmed before the old one is acknowledged (docs/decisions/0012).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from aio_pika import Message
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import AMQPError
from pydantic import SecretStr

from bridge.broker.confirming import in_our_words
from bridge.broker.letters import DeadLetter, anew, described, origin, returns, revived
from bridge.broker.rabbit import connect
from bridge.broker.topology import DEAD
from bridge.broker.trouble import trouble
from bridge.errors import BrokerUnavailable, PublishRefused, QueueMissing
from bridge.lifecycle import Clock
from bridge.model import Redriven

MOST_RETURNS: Final = 2
"""So often a message is returned before it is put in anew: fewer times than any limit that somebody sets on purpose."""
MOST_KEPT: Final = 1000
"""What cannot go back is held in memory until the end, so that it is not met again; beyond this the end is now."""
_OPEN_S: Final = 10
_ANSWER_S: Final = 30
_CLOSE_S: Final = 5


class RabbitDead:
    """The queue of the dead, over a connection of its own."""

    def __init__(self, url: SecretStr, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._connection: AbstractConnection | None = None
        self._queue: AbstractQueue | None = None
        self._out: AbstractChannel | None = None  # its own: the broker closes it where there is no such exchange
        self._kept: list[AbstractIncomingMessage] = []

    async def open(self) -> int:
        try:
            async with asyncio.timeout(_OPEN_S):
                self._connection = await connect(self._url)
                self._queue = await (await self._connection.channel()).declare_queue(DEAD, passive=True)
        except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
            await self._disconnect()
            raise BrokerUnavailable(str(trouble(error))) from error
        return self._queue.declaration_result.message_count or 0

    async def look(self, most: int) -> list[DeadLetter]:
        """Describe the oldest messages, and keep them until `close` puts them back."""
        found: list[DeadLetter] = []
        while len(found) < most and (message := await self._next()) is not None:
            self._kept.append(message)
            found.append(described(message))
        return found

    async def redrive(self) -> Redriven | None:
        if len(self._kept) >= MOST_KEPT or (message := await self._next()) is None:
            return None
        outcome = await self._send_back(message)
        if outcome is not Redriven.redriven:
            self._kept.append(message)
        return outcome

    async def close(self) -> None:
        """Put back what was kept, and leave; what cannot be put back now returns by itself, as the connection ends."""
        kept, self._kept = self._kept, []
        with suppress(BrokerUnavailable, PublishRefused, QueueMissing):
            for message in kept:
                await self._put_back(message)
        await self._disconnect()

    async def _next(self) -> AbstractIncomingMessage | None:
        async with _answered(_gone()):
            assert self._queue is not None, "open first"
            return await self._queue.get(fail=False)
        raise AssertionError("it returns or raises")

    async def _send_back(self, message: AbstractIncomingMessage) -> Redriven:
        exchange = origin(message)
        if exchange is None:
            return Redriven.no_origin
        letter = described(message)
        try:
            await self._publish(exchange, letter.routing_key, revived(message))
        except QueueMissing:
            return Redriven.unroutable
        except PublishRefused:
            return Redriven.refused
        await self._acknowledge(message)
        return Redriven.redriven

    async def _put_back(self, message: AbstractIncomingMessage) -> None:
        """Return a message, or put it in anew where it was returned before."""
        if returns(message) < MOST_RETURNS:
            async with _answered(_gone()):
                await message.nack(requeue=True)  # from 4.3 on this does not count, as `reject` and leaving do
            return
        await self._publish(DEAD, message.routing_key or "", anew(message, self._clock()))
        await self._acknowledge(message)

    async def _publish(self, exchange: str, routing_key: str, message: Message) -> None:
        """Publish, and wait for the confirm. Raises QueueMissing where nothing took it."""
        async with _answered(QueueMissing(f"nothing takes it at {exchange}")):
            target = await (await self._outward()).get_exchange(exchange, ensure=False)
            await target.publish(message, routing_key=routing_key, mandatory=True)

    async def _outward(self) -> AbstractChannel:
        """Give the channel to publish on, a new one where the broker closed it."""
        assert self._connection is not None, "open first"
        if self._out is None or self._out.is_closed:
            self._out = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
        return self._out

    async def _acknowledge(self, message: AbstractIncomingMessage) -> None:
        async with _answered(_gone()):
            await message.ack()

    async def _disconnect(self) -> None:
        connection, self._connection, self._queue, self._out = self._connection, None, None, None
        if connection is not None:
            with suppress(AMQPError, OSError, TimeoutError, RuntimeError):
                async with asyncio.timeout(_CLOSE_S):
                    await connection.close()


def _gone() -> QueueMissing:
    return QueueMissing(f"the queue {DEAD} is missing: bridge topology apply")


@asynccontextmanager
async def _answered(returned: QueueMissing) -> AsyncIterator[None]:
    with in_our_words(returned=returned):
        async with asyncio.timeout(_ANSWER_S):
            yield
