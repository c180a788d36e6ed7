"""The queue of commands: taken a bounded number at a time, acknowledged one by one, answered, or put among the dead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, cast

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import AMQPError
from aiormq.abc import AbstractChannel as Channel
from pydantic import SecretStr

from bridge.broker.confirming import in_our_words
from bridge.broker.letters import buried
from bridge.broker.rabbit import connect
from bridge.broker.topology import COMMANDS, DEAD, declare
from bridge.broker.trouble import trouble
from bridge.errors import BrokerError, BrokerUnavailable, QueueMissing, TopologyMissing
from bridge.lifecycle import Clock
from bridge.model import CommandMessage

AT_ONCE: Final = 64
"""Messages in hand; the broker keeps the others."""
_OPEN_S: Final = 10
_ANSWER_S: Final = 30
_CLOSE_S: Final = 1
_JSON: Final = "application/json"


class RabbitCommands:
    """Commands from `bridge.commands`, over a connection of its own."""

    def __init__(self, url: SecretStr, *, declares: bool, clock: Clock, at_once: int = AT_ONCE) -> None:
        self._url = url
        self._declares = declares
        self._clock = clock
        self._at_once = at_once
        self._connection: AbstractConnection | None = None
        self._queue: AbstractQueue | None = None
        self._in: Channel | None = None
        self._out: AbstractChannel | None = None  # its own: the broker closes it where there is no such exchange
        self._opening_out = asyncio.Lock()
        self._tag: str | None = None
        self._is_gone = False

    @property
    def is_open(self) -> bool:
        return self._in is not None and not self._in.is_closed and not self._is_gone

    async def open(self) -> None:
        await self.close()
        try:
            async with asyncio.timeout(_OPEN_S):
                self._connection = await connect(self._url)
                channel = await self._connection.channel(publisher_confirms=False)
                if self._declares:
                    await declare(channel)
                await channel.set_qos(prefetch_count=self._at_once)
                self._queue = await channel.declare_queue(COMMANDS, passive=True)
                self._in, self._is_gone = await channel.get_underlay_channel(), False
                self._in.on_consumer_cancel_callbacks.add(self._cancelled)
        except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
            await self.close()
            raise BrokerUnavailable(str(trouble(error))) from error

    async def begin(self, take: Callable[[CommandMessage], None]) -> None:
        if self._queue is None:
            raise BrokerUnavailable("not connected")

        async def came(message: AbstractIncomingMessage) -> None:
            take(_read(message))

        async with _answered(_gone()):
            self._tag = await self._queue.consume(came)

    async def pause(self) -> None:
        tag, self._tag = self._tag, None
        if tag is not None and self._queue is not None and self.is_open:
            with suppress(BrokerError, TimeoutError):
                async with asyncio.timeout(_CLOSE_S), _answered(_gone()):
                    await self._queue.cancel(tag)

    async def acknowledge(self, message: CommandMessage) -> None:
        async with _answered(_gone()):
            await _came(message).ack()

    async def put_back(self, message: CommandMessage) -> None:
        async with _answered(_gone()):
            await _came(message).nack(requeue=True)

    async def bury(self, message: CommandMessage, reason: str) -> None:
        dead = buried(_came(message), reason, COMMANDS, self._clock())
        missing = TopologyMissing(f"the queue {DEAD} is missing: bridge topology apply")
        async with _answered(missing):
            exchange = await (await self._outward()).get_exchange(DEAD, ensure=False)
            await exchange.publish(dead, routing_key=message.name, mandatory=True)
        await self.acknowledge(message)

    async def reply(self, message: CommandMessage, body: bytes) -> None:
        answer = Message(
            body,
            content_type=_JSON,
            correlation_id=message.correlation_id,
            delivery_mode=DeliveryMode.PERSISTENT,
            timestamp=self._clock(),
        )
        async with _answered(QueueMissing("the queue that the answer was to go to is not there")):
            out = await self._outward()
            # The sender's own connection is no queue to the broker: a mandatory answer would always come back.
            mandatory = not message.is_answered_directly
            await out.default_exchange.publish(answer, routing_key=message.reply_to or "", mandatory=mandatory)

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        self._queue, self._in, self._out, self._tag = None, None, None, None
        if connection is not None:
            with suppress(AMQPError, OSError, TimeoutError, RuntimeError):
                async with asyncio.timeout(_CLOSE_S):
                    await connection.close()

    async def _outward(self) -> AbstractChannel:
        """Give the channel to publish on, a new one where the broker closed it."""
        async with self._opening_out:
            if self._connection is None:
                raise BrokerUnavailable("not connected")
            if self._out is None or self._out.is_closed:
                self._out = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
            return self._out

    def _cancelled(self, _frame: object) -> None:
        """Note that the broker gives nothing more: the queue was deleted, or moved."""
        self._is_gone = True


def _read(message: AbstractIncomingMessage) -> CommandMessage:
    return CommandMessage(
        name=message.routing_key or "",
        body=message.body,
        reply_to=message.reply_to,
        correlation_id=message.correlation_id,
        user=message.user_id,
        tag=message,
    )


def _came(message: CommandMessage) -> AbstractIncomingMessage:
    return cast(AbstractIncomingMessage, message.tag)


def _gone() -> QueueMissing:
    return QueueMissing(f"the queue {COMMANDS} is missing: bridge topology apply")


@asynccontextmanager
async def _answered(returned: BrokerError) -> AsyncIterator[None]:
    with in_our_words(returned=returned):
        async with asyncio.timeout(_ANSWER_S):
            yield
