"""The stream: the library reads what is its own, and is kept from taking a busy connection for a dead one."""

from __future__ import annotations

import asyncio

import pytest
from aio_pika.connection import make_url
from aio_pika.exceptions import AMQPError
from pamqp import frame
from pamqp.commands import Basic, Channel
from pamqp.heartbeat import Heartbeat

from bridge.broker.frames import Frame
from bridge.broker.stream import Stream, TappedConnection, Transport
from bridge.errors import BrokerUnavailable

ACK = frame.marshal(Basic.Ack(delivery_tag=1), 1)
OPEN_OK = frame.marshal(Channel.OpenOk(), 1)


async def everything(reader: asyncio.StreamReader) -> bytes:
    """Read what the library would have read by now."""
    reader.feed_eof()
    return await reader.read()


async def test_the_library_reads_everything_until_a_channel_is_diverted() -> None:
    reader = asyncio.StreamReader()
    stream = Stream(reader)
    stream.data_received(ACK + OPEN_OK)
    assert await everything(reader) == ACK + OPEN_OK


async def test_what_came_at_once_is_taken_at_once_and_the_library_sees_that_the_broker_lives() -> None:
    reader, taken = asyncio.StreamReader(), list[list[Frame]]()
    stream = Stream(reader)
    stream.divert(1, taken.append)
    stream.data_received(ACK + OPEN_OK + ACK)
    stream.data_received(ACK)
    assert [len(frames) for frames in taken] == [2, 1]
    assert await everything(reader) == OPEN_OK + Heartbeat().marshal(), "one heartbeat a second is enough"


async def test_the_library_opens_its_connection_over_our_transport() -> None:
    """What all of this rests on: aio-pika hands `transport_factory` down, and aiormq asks it for reader and writer."""
    greetings = asyncio.Queue[bytes]()

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greetings.put_nowait(await reader.readexactly(8))
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1") as server:
        url = make_url("amqp://127.0.0.1/").with_port(server.sockets[0].getsockname()[1])
        transport = Transport()
        connection = TappedConnection(url, transport_factory=transport)
        with pytest.raises(AMQPError):
            await connection.connect(timeout=5)
        await connection.close()
    assert await greetings.get() == b"AMQP\x00\x00\x09\x01"
    transport.divert(1, lambda _frames: None)
    with pytest.raises(BrokerUnavailable, match="closes"):
        transport.write(b"")


def test_a_transport_that_the_library_does_not_use_says_so() -> None:
    with pytest.raises(AssertionError, match="a transport of its own"):
        Transport().write(b"")
    with pytest.raises(AssertionError, match="a transport of its own"):
        Transport().divert(1, lambda _frames: None)
