"""A consumer of the events, as another team would write one: a durable queue of its own, read message by message."""

from __future__ import annotations

from types import TracebackType
from typing import Final, Self

import aio_pika
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage, AbstractQueue

from tests.support.bridge import until

EXCHANGE: Final = "bridge.events"


class Consumer:
    """One queue bound to the exchange of the events. The bridge declares the exchange; this waits for it."""

    def __init__(self, amqp_url: str, binding: str, *, name: str = "warehouse") -> None:
        self._amqp_url = amqp_url
        self._binding = binding
        self._name = name
        self._connection: AbstractConnection | None = None
        self._queue: AbstractQueue | None = None

    async def __aenter__(self) -> Self:
        self._connection = await aio_pika.connect(self._amqp_url)
        await until(self._exchange_is_there)
        channel = await self._connection.channel()
        self._queue = await channel.declare_queue(self._name, durable=True, arguments={"x-queue-type": "quorum"})
        await self._queue.bind(EXCHANGE, self._binding)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._connection is not None
        await self._connection.close()

    async def next(self, seconds: float = 10) -> AbstractIncomingMessage:
        """Take the next message and acknowledge it."""
        message = await until(self._get, seconds)
        await message.ack()
        return message

    async def _get(self) -> AbstractIncomingMessage | None:
        assert self._queue is not None
        return await self._queue.get(fail=False)

    async def _exchange_is_there(self) -> bool:
        """Look in a channel of its own: the broker closes the one that asks for what is missing."""
        assert self._connection is not None
        async with self._connection.channel() as channel:
            try:
                await channel.get_exchange(EXCHANGE, ensure=True)
            except aio_pika.exceptions.ChannelNotFoundEntity:
                return False
        return True
