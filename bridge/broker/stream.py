"""The bytes between the broker and us: the library's, but for what the broker answers on the publishing channel.

aiormq (the layer below aio-pika) takes whoever opens its transport as an argument. So the connection stays the
library's in everything (TLS, login, heartbeat, channels, closing), and what is sent and answered by the thousand goes
past it: see `docs/decisions/0007-publishing-past-the-library.md`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from aio_pika import Connection
from aio_pika.abc import ConnectionParameter
from aio_pika.exceptions import AMQPConnectionError
from aiormq.connection import TransportFactory
from yarl import URL

from bridge.broker.frames import ALIVE, Frame, Sieve
from bridge.errors import BrokerUnavailable

Take = Callable[[list[Frame]], None]
_ALIVE_EVERY_S: Final = 1.0


class Stream(asyncio.StreamReaderProtocol):
    """Feeds the library's reader. The frames of messages on one channel go to us, once `divert` was called."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        super().__init__(reader)
        self._sieve = Sieve()
        self._take: Take = _nothing
        self._alive_at = 0.0

    def divert(self, channel: int, take: Take) -> None:
        """Give confirms, refusals and what comes back on this channel to `take`, all that came at once together."""
        self._sieve.channel, self._take = channel, take

    def data_received(self, data: bytes) -> None:
        """Take what came from the broker."""
        passed, taken = self._sieve.sift(data)
        if taken and (now := asyncio.get_running_loop().time()) >= self._alive_at:
            self._alive_at = now + _ALIVE_EVERY_S
            passed += ALIVE  # the library gives up a connection on which it sees nothing for a while
        if passed:
            super().data_received(passed)
        if taken:
            self._take(taken)


class Transport(TransportFactory):
    """Opens one connection as the library would, with a stream of ours on it."""

    def __init__(self) -> None:
        self._stream: Stream | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def create(self, url: URL, **kwargs: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect. Raises AMQPConnectionError."""
        contexts = kwargs.pop("ssl_context_provider")
        tls = await contexts.get_context() if url.scheme == "amqps" else None
        loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
        stream = self._stream = Stream(reader)
        try:
            transport, _ = await loop.create_connection(lambda: stream, str(url.host), url.port or 0, ssl=tls, **kwargs)
        except OSError as error:
            raise AMQPConnectionError(*error.args) from error
        self._writer = asyncio.StreamWriter(transport, stream, reader, loop)
        return reader, self._writer

    def divert(self, channel: int, take: Take) -> None:
        """See `Stream.divert`."""
        assert self._stream is not None, "the library has opened a transport of its own"
        self._stream.divert(channel, take)

    def write(self, data: bytes) -> None:
        """Send whole frames, between those that the library sends. Raises BrokerUnavailable; nothing was sent then."""
        assert self._writer is not None, "the library has opened a transport of its own"
        if self._writer.is_closing():  # the library takes a moment to notice, and writing would be an error of its own
            raise BrokerUnavailable("the connection closes")
        self._writer.write(data)


class TappedConnection(Connection):
    """aio-pika's connection with one parameter more, handed down to aiormq."""

    PARAMETERS = (*Connection.PARAMETERS, ConnectionParameter("transport_factory", parser=lambda it: it, is_kwarg=True))


def _nothing(_frames: list[Frame]) -> None:
    """Take nothing."""
