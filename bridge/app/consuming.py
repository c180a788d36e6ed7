"""Consuming: commands from the broker, stored for whoever carries them out."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from typing import Final

from bridge.app.bus import ON_THE_BUS
from bridge.app.commanding import Commanding
from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.broker.commands import RabbitCommands
from bridge.commands.consumer import Consumer, Rules
from bridge.store.database import ManagedDatabase

_PROBE_S: Final = 1.0


def open_consumer(stack: AsyncExitStack, shared: Shared, stores: Stores, commanding: Commanding) -> Consumer | None:
    """Start taking commands from the broker; None where none is named."""
    settings = shared.settings
    if settings.amqp_url is None:
        return None
    consumer = Consumer(
        RabbitCommands(settings.amqp_url, declares=settings.amqp.declare, clock=shared.clock),
        commanding.commands,
        Rules(ON_THE_BUS, settings.amqp.allows, settings.amqp.reply_queues),
        is_writable=partial(_is_writable, stores.database),
        on_stored=partial(shared.bells.ring, "commands"),
        clock=shared.clock,
        stop=shared.stop,
    )
    stack.push_async_callback(consumer.close)
    shared.loops.start("commands.consume", consumer.run)
    return consumer


async def _is_writable(database: ManagedDatabase) -> bool:
    return await database.probe(_PROBE_S) is None
