"""The exchanges and queues of the contract, as data, and what it takes to declare and compare them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel

EVENTS: Final = "bridge.events"
UNROUTED: Final = "bridge.unrouted"
COMMANDS: Final = "bridge.commands"
DEAD: Final = "bridge.dead"
DEAD_FOR: Final = timedelta(days=7)
"""How long a dead message is kept."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A durable exchange."""

    name: str
    type: ExchangeType
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Queue:
    """A quorum queue, bound to the exchange of the same name with `binding`."""

    name: str
    binding: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


EXCHANGES: Final = (
    Exchange(UNROUTED, ExchangeType.FANOUT),
    Exchange(DEAD, ExchangeType.TOPIC),
    Exchange(EVENTS, ExchangeType.TOPIC, {"alternate-exchange": UNROUTED}),
    Exchange(COMMANDS, ExchangeType.TOPIC),
)
QUEUES: Final = (
    Queue(UNROUTED, "", {"x-queue-type": "quorum", "x-max-length": 100_000, "x-overflow": "drop-head"}),
    Queue(DEAD, "#", {"x-queue-type": "quorum", "x-message-ttl": round(DEAD_FOR.total_seconds() * 1000)}),
    Queue(
        COMMANDS,
        "#",
        {
            "x-queue-type": "quorum",
            "x-delivery-limit": 10,
            "x-dead-letter-exchange": DEAD,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    ),
)
"""At-least-once dead lettering needs `reject-publish`: https://www.rabbitmq.com/docs/quorum-queues#dead-lettering"""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many messages lie where somebody should look."""

    unrouted: int
    dead: int


async def declare(channel: AbstractChannel) -> None:
    """Declare everything; what is there already with the same properties stays as it is."""
    for exchange in EXCHANGES:
        await channel.declare_exchange(exchange.name, exchange.type, durable=True, arguments=dict(exchange.arguments))
    for queue in QUEUES:
        declared = await channel.declare_queue(queue.name, durable=True, arguments=dict(queue.arguments))
        await declared.bind(queue.name, queue.binding)


async def count(channel: AbstractChannel) -> Counts:
    """Count what lies in the queues that people should look at."""
    found = {}
    for name in (UNROUTED, DEAD):
        queue = await channel.declare_queue(name, passive=True)
        found[name] = queue.declaration_result.message_count or 0
    return Counts(unrouted=found[UNROUTED], dead=found[DEAD])


def describe() -> dict[str, Any]:
    """Give the topology for people and programs."""
    return {
        "exchanges": [
            {"name": one.name, "type": one.type.value, "durable": True, "arguments": dict(one.arguments)}
            for one in EXCHANGES
        ],
        "queues": [{"name": one.name, "durable": True, "arguments": dict(one.arguments)} for one in QUEUES],
        "bindings": [{"exchange": one.name, "queue": one.name, "routing_key": one.binding} for one in QUEUES],
    }
