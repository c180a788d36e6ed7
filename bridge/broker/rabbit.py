"""RabbitMQ: the topology of the contract, and a connection to publish on that says what became of each event.

Publisher confirms and returns: https://www.rabbitmq.com/docs/confirms. A refused message is a `basic.nack`; a mandatory
one that no queue takes comes back, which with an alternate exchange means that the topology itself is missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import aio_pika
import structlog
from aio_pika.abc import AbstractConnection
from aio_pika.connection import make_url
from aio_pika.exceptions import AMQPError, ChannelClosed
from aiormq.abc import AbstractChannel as Channel
from pydantic import SecretStr

from bridge.broker.confirms import Confirms
from bridge.broker.frames import EventFrames
from bridge.broker.stream import TappedConnection, Transport
from bridge.broker.topology import EVENTS, UNROUTED, Counts, count, declare
from bridge.broker.trouble import trouble
from bridge.errors import BrokerUnavailable
from bridge.model import Event
from bridge.ports import Answered

log = structlog.get_logger()

_CONNECT_S: Final = 10
_CLOSE_S: Final = 1
"""Everything worth waiting for is confirmed by then; a broker that does not answer must not hold up the end."""
_COUNT_S: Final = 2
"""Less than a scrape may take, so that a broker that does not answer does not take the other metrics with it."""
_HEARTBEAT_S: Final = 10
_REPAIR_S: Final = 2
_REPAIR_EVERY_S: Final = 30
"""A queue that somebody deletes again and again must not have us declare all the time."""


class RabbitPublisher:
    """Publishes events to `bridge.events`, on a channel of its own."""

    def __init__(self, url: SecretStr, *, declares: bool, environment: str) -> None:
        self._url = url
        self._declares = declares
        self._environment = environment
        self._connection: AbstractConnection | None = None
        self._confirms: Confirms | None = None
        self._repairing: asyncio.Task[None] | None = None
        self._may_repair_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the connection and its channel stand."""
        return self._confirms is not None

    async def connect(self, answered: Answered) -> None:
        """Connect, declare the topology where that is ours to do, and find the exchange. Raises BrokerUnavailable."""
        await self.close()
        try:
            async with asyncio.timeout(_CONNECT_S):
                transport = Transport()
                self._connection = await _tapped(self._url, transport)
                channel = await self._connection.channel(publisher_confirms=True)
                if self._declares:
                    await declare(channel)
                await channel.get_exchange(EVENTS, ensure=True)
                self._open(transport, await channel.get_underlay_channel(), answered)
        except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
            await self.close()
            raise BrokerUnavailable(str(trouble(error))) from error

    def _open(self, transport: Transport, channel: Channel, answered: Answered) -> None:
        """Begin to publish on a channel."""
        frames = EventFrames(channel.number, channel.connection.connection_tune.frame_max, self._environment)
        confirms = Confirms(frames, write=transport.write, answered=answered, on_return=self._repair_soon)

        def closed(closing: asyncio.Future[Any]) -> None:
            if self._confirms is confirms:
                self._confirms = None
            confirms.lose(_broken(closing))

        transport.divert(channel.number, confirms.take)
        channel.closing.add_done_callback(closed)
        self._confirms = confirms

    def publish(self, events: Sequence[Event]) -> None:
        if self._confirms is None:
            raise BrokerUnavailable("not connected")
        self._confirms.publish(events)

    async def counts(self) -> Counts | None:
        """Count what lies in the unrouted and dead queues; None while the broker is away."""
        if self._connection is None or self._connection.is_closed:
            return None
        with suppress(AMQPError, OSError, TimeoutError, RuntimeError):
            async with asyncio.timeout(_COUNT_S), self._connection.channel() as channel:
                return await count(channel)
        return None

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        confirms, self._confirms = self._confirms, None
        if confirms is not None:
            confirms.lose("the connection was closed")
        if self._repairing is not None:
            self._repairing.cancel()
        if connection is not None:
            with suppress(AMQPError, OSError, TimeoutError, RuntimeError):
                async with asyncio.timeout(_CLOSE_S):
                    await connection.close()

    def _repair_soon(self) -> None:
        """Declare the topology again, where that is ours to do: somebody deleted a part of it under us."""
        now, connection = asyncio.get_running_loop().time(), self._connection
        if self._declares and connection is not None and now >= self._may_repair_at:
            self._may_repair_at = now + _REPAIR_EVERY_S
            self._repairing = asyncio.create_task(self._repair(connection))

    async def _repair(self, connection: AbstractConnection) -> None:
        try:
            async with asyncio.timeout(_REPAIR_S), connection.channel() as channel:
                await declare(channel)
        except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
            log.warning("broker.topology_not_repaired", reason=str(trouble(error)))
        else:
            log.warning("broker.topology_repaired", told=f"a part of the topology was missing, such as {UNROUTED}")


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


async def _tapped(url: SecretStr, transport: Transport) -> AbstractConnection:
    """Open the same over a transport of ours."""
    address = make_url(url.get_secret_value(), heartbeat=_HEARTBEAT_S)
    connection = TappedConnection(address, transport_factory=transport)
    try:
        await connection.connect(timeout=_CONNECT_S)
    except BaseException:
        await connection.close()  # or it would try to when it is collected, with nobody to wait for it
        raise
    return connection


def _broken(closing: asyncio.Future[Any]) -> str:
    """Say why a channel ended."""
    error = asyncio.CancelledError() if closing.cancelled() else closing.exception()
    return str(trouble(error)) if isinstance(error, ChannelClosed) else f"the connection broke ({type(error).__name__})"
