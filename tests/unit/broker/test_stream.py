"""The stream: the library reads what is its own, and is kept from taking a busy connection for a dead one."""

from __future__ import annotations

import asyncio

from pamqp import frame
from pamqp.commands import Basic, Channel
from pamqp.heartbeat import Heartbeat

from bridge.broker.frames import Frame
from bridge.broker.stream import Stream

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
