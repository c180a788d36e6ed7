"""RabbitMQ: the topology of the contract, and publishes that return when the broker has confirmed.

Publisher confirms and returns: https://www.rabbitmq.com/docs/confirms. A refused message is a `basic.nack`; a mandatory
one that no queue takes comes back, which with an alternate exchange means that the topology itself is missing.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import aio_pika
import structlog
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPError, ChannelClosed, DeliveryError, PublishError
from aiormq.abc import AbstractChannel as Channel
from pamqp.commands import Basic
from pydantic import SecretStr

from bridge.broker.topology import EVENTS, UNROUTED, Counts, count, declare
from bridge.broker.trouble import trouble
from bridge.errors import BrokerUnavailable, PublishRefused, TopologyMissing
from bridge.events.catalogue import versioned
from bridge.events.cloudevents import CONTENT_TYPE
from bridge.model import Event

log = structlog.get_logger()

_CONNECT_S: Final = 10
_CLOSE_S: Final = 1
"""Everything worth waiting for is confirmed by then; a broker that does not answer must not hold up the end."""
_COUNT_S: Final = 2
"""Less than a scrape may take, so that a broker that does not answer does not take the other metrics with it."""
_HEARTBEAT_S: Final = 10
_PERSISTENT: Final = 2
_REPAIR_S: Final = 2
_REPAIR_EVERY_S: Final = 30
"""A queue that somebody deletes again and again must not have us declare all the time."""


class RabbitPublisher:
    """Publishes events to `bridge.events`.

    Publishes go to aio-pika's own lower layer, aiormq: building a message object for each costs as much as sending it.
    """

    def __init__(self, url: SecretStr, *, declares: bool, environment: str) -> None:
        self._url = url
        self._declares = declares
        self._environment = environment
        self._connection: AbstractConnection | None = None
        self._channel: Channel | None = None
        self._may_repair_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the connection and its channel stand."""
        return self._channel is not None and not self._channel.is_closed

    async def connect(self) -> None:
        """Connect, declare the topology where that is ours to do, and find the exchange. Raises BrokerUnavailable."""
        await self.close()
        try:
            async with asyncio.timeout(_CONNECT_S):
                self._connection = await connect(self._url)
                channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
                if self._declares:
                    await declare(channel)
                await channel.get_exchange(EVENTS, ensure=True)
                self._channel = await channel.get_underlay_channel()
        except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
            await self.close()
            raise BrokerUnavailable(str(trouble(error))) from error

    async def publish(self, event: Event) -> None:
        channel = self._channel
        if channel is None:
            raise BrokerUnavailable("not connected")
        try:
            await channel.basic_publish(
                event.body,
                exchange=EVENTS,
                routing_key=event.routing_key,
                properties=self._properties(event),
                mandatory=True,
            )
        except PublishError as error:
            await self._repair()
            raise TopologyMissing("no queue takes what nobody is bound for") from error
        except DeliveryError as error:
            raise PublishRefused("the broker refused the message") from error
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            raise BrokerUnavailable("the connection broke") from None
        except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
            raise BrokerUnavailable(_broken(error)) from error

    async def counts(self) -> Counts | None:
        """Count what lies in the unrouted and dead queues; None while the broker is away."""
        if self._connection is None or self._connection.is_closed:
            return None
        with suppress(AMQPError, OSError, TimeoutError, RuntimeError):
            async with asyncio.timeout(_COUNT_S), self._connection.channel() as channel:
                return await count(channel)
        return None

    async def close(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            with suppress(AMQPError, OSError, TimeoutError, RuntimeError):
                async with asyncio.timeout(_CLOSE_S):
                    await connection.close()

    async def _repair(self) -> None:
        """Declare the topology again, where that is ours to do: somebody deleted a part of it under us."""
        now, connection = asyncio.get_running_loop().time(), self._connection
        if not self._declares or connection is None or now < self._may_repair_at:
            return
        self._may_repair_at = now + _REPAIR_EVERY_S
        try:
            async with asyncio.timeout(_REPAIR_S), connection.channel() as channel:
                await declare(channel)
        except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
            log.warning("broker.topology_not_repaired", reason=str(trouble(error)))
        else:
            log.warning("broker.topology_repaired", told=f"a part of the topology was missing, such as {UNROUTED}")

    def _properties(self, event: Event) -> Basic.Properties:
        return Basic.Properties(
            content_type=CONTENT_TYPE,
            headers={"organization": event.organization, "environment": self._environment},
            delivery_mode=_PERSISTENT,
            message_id=event.id,
            timestamp=event.recorded_at,
            message_type=versioned(event.type),
        )


async def apply_topology(url: SecretStr) -> None:
    """Declare the topology and leave. Raises BrokerUnavailable, also where what exists differs."""
    try:
        async with asyncio.timeout(_CONNECT_S), await connect(url) as connection, connection.channel() as channel:
            await declare(channel)
    except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
        raise BrokerUnavailable(f"the topology could not be declared: {trouble(error)}") from error


async def connect(url: SecretStr) -> AbstractConnection:
    """Open a plain connection: coming back after a loss is the relay's work, which knows what was not confirmed."""
    return await aio_pika.connect(url.get_secret_value(), heartbeat=_HEARTBEAT_S, timeout=_CONNECT_S)


def _broken(error: BaseException) -> str:
    """Say why a publish ended without an answer."""
    return str(trouble(error)) if isinstance(error, ChannelClosed) else f"the connection broke ({type(error).__name__})"
