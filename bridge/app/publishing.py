"""Publishing: committed events, from the outbox to the broker."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass

from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.broker.rabbit import RabbitPublisher
from bridge.egress.relay import Relay
from bridge.store.leases import SqlLeases
from bridge.store.outbox import SqlOutbox


@dataclass(frozen=True, slots=True)
class Publishing:
    """The relay, and the broker's end of it."""

    relay: Relay
    publisher: RabbitPublisher


async def open_relay(stack: AsyncExitStack, shared: Shared, stores: Stores) -> Publishing | None:
    """Start the relay; None where no broker is named."""
    settings = shared.settings
    if settings.amqp_url is None:
        return None
    publisher = RabbitPublisher(settings.amqp_url, declares=settings.amqp.declare, environment=settings.environment)
    outbox = SqlOutbox(stores.database, shared.holder)
    relay = Relay(
        outbox=outbox,
        leases=SqlLeases(stores.database, shared.holder),
        publisher=publisher,
        start=await outbox.begin(settings.amqp.start),
        metrics=shared.metrics,
        clock=shared.clock,
        stop=shared.stop,
    )
    stack.push_async_callback(relay.close)
    for name, loop in (("renew", relay.renew), ("publish", relay.publish), ("mark", relay.mark)):
        shared.loops.start(f"relay.{name}", loop)
    shared.bells.hang("events", relay.bell.ring)
    return Publishing(relay, publisher)
