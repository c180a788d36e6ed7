"""docs/reference/topology.md: the exchanges and queues, read off what `bridge topology apply` declares."""

from __future__ import annotations

import json
from collections.abc import Mapping

from bridge.broker.headers import MEANINGS
from bridge.broker.topology import describe
from tests.reference.markdown import code, table

_INTRODUCTION = """\
# Topology

<!-- Written by `python -m tests.drift --write`; change bridge/broker/topology.py instead. -->

What `serve` declares on RabbitMQ at its start, and `bridge topology apply` by itself; with
`BRIDGE_AMQP__DECLARE=false` somebody else does (`bridge topology show` prints it as JSON). Everything is durable. What
is published, under which routing keys: docs/reference/events.md.
"""
_HEADERS = "Every event has `organization` and `environment`. Others are on some messages:\n"


def page() -> str:
    """Write the page."""
    found = describe()
    exchanges = [(code(one["name"]), one["type"], _arguments(one["arguments"])) for one in found["exchanges"]]
    queues = [(code(one["name"]), _arguments(one["arguments"])) for one in found["queues"]]
    bindings = [(code(one["exchange"]), code(one["queue"]), code(one["routing_key"])) for one in found["bindings"]]
    headers = [(code(name), meaning) for name, meaning in MEANINGS.items()]
    return (
        f"{_INTRODUCTION}\n## Exchanges\n\n{table(('exchange', 'type', 'arguments'), exchanges)}"
        f"\n## Queues\n\n{table(('queue', 'arguments'), queues)}"
        f"\n## Bindings\n\n{table(('from exchange', 'to queue', 'routing key'), bindings)}"
        f"\n## Headers\n\n{_HEADERS}\n{table(('header', 'on'), headers)}"
    )


def _arguments(arguments: Mapping[str, object]) -> str:
    return " ".join(
        code(f"{name}={value if isinstance(value, str) else json.dumps(value)}") for name, value in arguments.items()
    )
