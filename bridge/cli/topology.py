"""`bridge topology`: the exchanges and queues on RabbitMQ."""

from __future__ import annotations

import json
import sys

from bridge.cli import running
from bridge.cli.running import Json
from bridge.errors import SettingsError

verbs = running.group("The exchanges and queues on RabbitMQ.")


@verbs.command("apply")
def apply(as_json: Json = False) -> None:
    """Declare the exchanges, queues and bindings on the broker named by BRIDGE_AMQP_URL.

    With --json it prints what it declared.
    """
    from bridge.broker.rabbit import apply_topology
    from bridge.broker.topology import describe
    from bridge.observability import configure_logging

    settings = running.settings()
    configure_logging(sys.stderr.buffer)
    if settings.amqp_url is None:
        raise SettingsError([("BRIDGE_AMQP_URL", "is not set, so there is no broker to prepare")])

    async def work() -> int:
        await apply_topology(settings.amqp_url)
        print(json.dumps(describe(), indent=2) if as_json else "The topology is in place.")
        return 0

    running.run(work())


@verbs.command("show")
def show(_as_json: Json = False) -> None:
    """Print the topology as JSON, asked for or not: what `apply` declares, for whoever declares it by other means."""
    from bridge.broker.topology import describe

    print(json.dumps(describe(), indent=2))
