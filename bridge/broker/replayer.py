"""Stored events once more: the same bytes under the same id, marked, to everybody or to one consumer's queue.

It has a connection of its own, so that what it waits for holds up nothing else.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange
from aio_pika.exceptions import AMQPError, ChannelNotFoundEntity
from aiormq.abc import AbstractChannel as Channel
from pydantic import SecretStr

from bridge.broker.confirming import in_our_words
from bridge.broker.headers import REPLAY
from bridge.broker.rabbit import connect
from bridge.broker.topology import EVENTS
from bridge.broker.trouble import trouble
from bridge.errors import BrokerUnavailable, QueueMissing, TopologyMissing
from bridge.events.catalogue import versioned
from bridge.events.cloudevents import CONTENT_TYPE
from bridge.model import Event

_OPEN_S: Final = 10
_CONFIRM_S: Final = 30
_CLOSE_S: Final = 1


class RabbitReplayer:
    """Sends events once more, over a connection that is opened for one replay."""

    def __init__(self, url: SecretStr, *, environment: str) -> None:
        self._url = url
        self._environment = environment
        self._queue: str | None = None
        self._connection: AbstractConnection | None = None
        self._channel: Channel | None = None
        self._exchange: AbstractExchange | None = None

    @property
    def is_open(self) -> bool:
        """Whether the connection and its channel stand."""
        return self._channel is not None and not self._channel.is_closed

    async def open(self, queue: str | None) -> None:
        await self.close()
        self._queue = queue
        try:
            async with asyncio.timeout(_OPEN_S):
                self._connection = await connect(self._url)
                channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
                self._exchange = await _destination(channel, queue)
                self._channel = await channel.get_underlay_channel()
        except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
            await self.close()
            raise BrokerUnavailable(str(trouble(error))) from error
        except BaseException:
            await self.close()
            raise

    async def resend(self, event: Event, replay: str) -> None:
        if self._exchange is None:
            raise BrokerUnavailable("not connected")
        lost = TopologyMissing("no queue takes what nobody is bound for: bridge topology apply")
        gone = _missing(self._queue) if self._queue else lost
        with in_our_words(returned=gone):
            async with asyncio.timeout(_CONFIRM_S):
                await self._exchange.publish(
                    self._message(event, replay), routing_key=self._queue or event.routing_key, mandatory=True
                )

    async def close(self) -> None:
        connection, self._connection, self._channel, self._exchange = self._connection, None, None, None
        if connection is not None:
            with suppress(AMQPError, OSError, TimeoutError, RuntimeError):
                async with asyncio.timeout(_CLOSE_S):
                    await connection.close()

    def _message(self, event: Event, replay: str) -> Message:
        return Message(
            event.body,
            headers={"organization": event.organization, "environment": self._environment, REPLAY: replay},
            content_type=CONTENT_TYPE,
            delivery_mode=DeliveryMode.PERSISTENT,
            message_id=event.id,
            timestamp=event.recorded_at,
            type=versioned(event.type),
        )


async def _destination(channel: AbstractChannel, queue: str | None) -> AbstractExchange:
    """Find where it goes: the events' exchange, or the default one, which knows every queue by its name."""
    if queue is None:
        return await channel.get_exchange(EVENTS, ensure=True)
    try:
        await channel.declare_queue(queue, passive=True)
    except ChannelNotFoundEntity as error:
        raise _missing(queue) from error
    return channel.default_exchange


def _missing(queue: str) -> QueueMissing:
    return QueueMissing(f"there is no queue {queue} in the virtual host of BRIDGE_AMQP_URL")
