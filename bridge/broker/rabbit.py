"""RabbitMQ: the topology of the contract, and publishes that return when the broker has confirmed.

Publisher confirms and returns: https://www.rabbitmq.com/docs/confirms. A refused message is a `basic.nack`; a mandatory
one that no queue takes comes back, which with an alternate exchange means that the topology itself is missing.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import aio_pika
from aio_pika.abc import AbstractConnection, AbstractExchange
from aio_pika.exceptions import (
    AMQPError,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
    DeliveryError,
    PublishError,
)
from pydantic import SecretStr

from bridge.broker.topology import EVENTS, Counts, count, declare
from bridge.errors import BrokerUnavailable, PublishRefused, TopologyMissing
from bridge.events.catalogue import versioned
from bridge.events.cloudevents import CONTENT_TYPE
from bridge.model import Event

_CONNECT_S: Final = 10
_CLOSE_S: Final = 1
"""Everything worth waiting for is confirmed by then; a broker that does not answer must not hold up the end."""
_COUNT_S: Final = 2
"""Less than a scrape may take, so that a broker that does not answer does not take the other metrics with it."""
_HEARTBEAT_S: Final = 10


class RabbitPublisher:
    """Publishes events to `bridge.events`."""

    def __init__(self, url: SecretStr, *, declares: bool, environment: str) -> None:
        self._url = url
        self._declares = declares
        self._environment = environment
        self._connection: AbstractConnection | None = None
        self._exchange: AbstractExchange | None = None

    async def connect(self) -> None:
        """Connect, declare the topology where that is ours to do, and find the exchange. Raises BrokerUnavailable."""
        await self.close()
        try:
            async with asyncio.timeout(_CONNECT_S):
                self._connection = await connect(self._url)
                channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
                if self._declares:
                    await declare(channel)
                self._exchange = await channel.get_exchange(EVENTS, ensure=True)
        except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
            await self.close()
            raise BrokerUnavailable(_reason(error)) from error

    async def publish(self, event: Event) -> None:
        exchange = self._exchange
        if exchange is None:
            raise BrokerUnavailable("not connected")
        try:
            await exchange.publish(self._message(event), event.routing_key, mandatory=True)
        except PublishError as error:
            raise TopologyMissing("no queue takes what nobody is bound for") from error
        except DeliveryError as error:
            raise PublishRefused("the broker refused the message") from error
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            raise BrokerUnavailable("the connection broke") from None
        except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
            raise BrokerUnavailable(_reason(error)) from error

    async def counts(self) -> Counts | None:
        """Count what lies in the unrouted and dead queues; None while the broker is away."""
        if self._connection is None or self._connection.is_closed:
            return None
        with suppress(AMQPError, OSError, TimeoutError, RuntimeError):
            async with asyncio.timeout(_COUNT_S), self._connection.channel() as channel:
                return await count(channel)
        return None

    async def close(self) -> None:
        connection, self._connection, self._exchange = self._connection, None, None
        if connection is not None:
            with suppress(AMQPError, OSError, TimeoutError, RuntimeError):
                async with asyncio.timeout(_CLOSE_S):
                    await connection.close()

    def _message(self, event: Event) -> aio_pika.Message:
        return aio_pika.Message(
            event.body,
            headers={"organization": event.organization, "environment": self._environment},
            content_type=CONTENT_TYPE,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=event.id,
            type=versioned(event.type),
            timestamp=event.recorded_at,
        )


async def apply_topology(url: SecretStr) -> None:
    """Declare the topology and leave. Raises BrokerUnavailable, also where what exists differs."""
    try:
        async with asyncio.timeout(_CONNECT_S), await connect(url) as connection, connection.channel() as channel:
            await declare(channel)
    except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
        raise BrokerUnavailable(f"the topology could not be declared: {_reason(error)}") from error


async def connect(url: SecretStr) -> AbstractConnection:
    """Open a plain connection: coming back after a loss is the relay's work, which knows what was not confirmed."""
    return await aio_pika.connect(url.get_secret_value(), heartbeat=_HEARTBEAT_S, timeout=_CONNECT_S)


def _reason(error: BaseException) -> str:
    """Say what went wrong without the address, which may hold a password.

    Only where something is missing or differs, the broker's own words are told: they name it, and nobody's login.
    """
    if isinstance(error, ChannelPreconditionFailed | ChannelNotFoundEntity):
        return str(error)
    return type(error).__name__
