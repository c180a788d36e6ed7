"""The broker: can it be reached, is the topology there, and does anything lie where somebody should look."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import AMQPError, ChannelClosed
from aiormq.exceptions import ChannelAccessRefused

from bridge.broker.rabbit import connect
from bridge.broker.topology import DEAD, EVENTS, EXCHANGES, QUEUES, UNROUTED, Counts, count
from bridge.broker.trouble import trouble
from bridge.doctor.report import Check
from bridge.settings import Settings

_NAME: Final = "broker"
_TOPOLOGY: Final = "broker/topology"
_Ask = Callable[[AbstractChannel], Awaitable[None]]
_CLOSE_S: Final = 2.0
_APPLY: Final = "run `bridge topology apply`"


async def examine(settings: Settings) -> Sequence[Check]:
    """Look at the broker, declaring nothing."""
    if settings.amqp_url is None:
        told = "BRIDGE_AMQP_URL is not set: events stay in the embedded feed"
        return [Check(name=_NAME, state="skipped", told=told)]
    try:
        connection = await connect(settings.amqp_url)
    except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
        return [_unreachable(error)]
    try:
        return [Check(name=_NAME, state="ok", told="takes our connection"), *await _inside(connection, settings)]
    except (AMQPError, OSError, RuntimeError) as error:
        return [_unreachable(error)]
    finally:
        with suppress(AMQPError, OSError, TimeoutError, RuntimeError):
            async with asyncio.timeout(_CLOSE_S):
                await connection.close()


async def _inside(connection: AbstractConnection, settings: Settings) -> list[Check]:
    try:
        missing = await _missing(connection)
    except ChannelAccessRefused as error:
        found = trouble(error)
        return [Check(name=_TOPOLOGY, state="failed", told=found.told, do=found.do)]
    if missing:
        return [_incomplete(missing, declares=settings.amqp.declare)]
    channel = await connection.channel()
    return [Check(name=_TOPOLOGY, state="ok", told="every exchange and queue is there"), *_lying(await count(channel))]


async def _missing(connection: AbstractConnection) -> list[str]:
    """Name what is not there. The broker closes a channel that asks for what is missing, so each has its own."""
    asked: list[tuple[str, _Ask]] = [
        *((f"exchange {one.name}", partial(_exchange, one.name)) for one in EXCHANGES),
        *((f"queue {one.name}", partial(_queue, one.name)) for one in QUEUES),
    ]
    return [told for told, ask in asked if not await _exists(connection, ask)]


async def _exchange(name: str, channel: AbstractChannel) -> None:
    await channel.get_exchange(name, ensure=True)


async def _queue(name: str, channel: AbstractChannel) -> None:
    await channel.declare_queue(name, passive=True)


async def _exists(connection: AbstractConnection, ask: _Ask) -> bool:
    channel = await connection.channel()
    try:
        await ask(channel)
    except ChannelAccessRefused:
        raise
    except ChannelClosed:
        return False
    await channel.close()
    return True


def _incomplete(missing: Sequence[str], *, declares: bool) -> Check:
    told = f"missing: {', '.join(missing)}"
    if declares and f"exchange {EVENTS}" not in missing:
        told = f"{told}"
        return Check(name=_TOPOLOGY, state="failed", told=told, do=f"somebody deleted it: {_APPLY}")
    if declares:
        return Check(
            name=_TOPOLOGY, state="warning", told=told, do=f"start `bridge serve`, which declares it, or {_APPLY}"
        )
    return Check(
        name=_TOPOLOGY, state="failed", told=told, do=f"{_APPLY} with a user that may (BRIDGE_AMQP__DECLARE is false)"
    )


def _lying(counts: Counts) -> list[Check]:
    return [
        _holding(UNROUTED, counts.unrouted, "events that no consumer was bound for", "bind a queue to bridge.events"),
        _holding(DEAD, counts.dead, "commands that could not be carried out", "look at their headers for the reason"),
    ]


def _holding(name: str, messages: int, what: str, advice: str) -> Check:
    if messages == 0:
        return Check(name=f"broker/{name}", state="ok", told="is empty")
    return Check(name=f"broker/{name}", state="warning", told=f"holds {messages} {what}", do=advice)


def _unreachable(error: BaseException) -> Check:
    found = trouble(error)
    return Check(name=_NAME, state="failed", told=found.told, do=found.do)
