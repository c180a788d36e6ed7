"""Who takes part: broker, database server, carrier, bridges; and what the bridges are told."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from pydantic import SecretStr

from bridge.app.answering import described
from bridge.broker.rabbit import apply_topology
from bridge.ingress.receiver import PREFIX
from bridge.nodes.node import Node
from bridge.nodes.postgres import PostgresNode
from bridge.nodes.rabbitmq import RabbitNode
from tests.faults.books import Books, bind_consumer
from tests.soak.bodies import MARK
from tests.soak.carrier import MERCHANT, MERCHANT_TOKEN, Carrier
from tests.soak.fleet import Replica
from tests.soak.logs import Reading
from tests.soak.options import Options
from tests.soak.script import BROKER, DATABASE
from tests.soak.sent import Targets
from tests.support.bridge import ORGANIZATION, SECRET, TOKEN

STRANGERS: Final = ORGANIZATION + 1
"""The organization whose secret strangers have found, so that their shipments are nobody else's."""
STRANGERS_SECRET: Final = "6" * 40
MERCHANT_SECRET: Final = "7" * 40
SOURCE: Final = f"/shipx/{ORGANIZATION}"
MERCHANT_SOURCE: Final = f"/shipx/{MERCHANT}"

BUYING: Final = {
    "BRIDGE_SHIPX__REQUESTS_PER_MINUTE": "600",
    "BRIDGE_SHIPX__MAX_IN_FLIGHT": "4",
    "BRIDGE_SHIPX__TIMEOUT_S": "3",
    "BRIDGE_PURCHASING__SETTLE_S": "10",
    "BRIDGE_PURCHASING__MAX_PER_DAY": "1000000",
    "BRIDGE_PURCHASING__MAX_SPEND_PER_DAY": "10000000",
}
"""Little enough for many to be bought by one call, and patient enough for what carrier.toml does to purchases."""


@dataclass(frozen=True, slots=True)
class Cast:
    """All of them, up and ready."""

    replicas: list[Replica]
    nodes: Mapping[str, Node]
    carrier: Carrier
    amqp_url: str
    books: Books
    settings: Mapping[str, str]
    reading: Reading

    @property
    def urls(self) -> tuple[str, ...]:
        return tuple(one.bridge.webhook_url for one in self.replicas)

    @property
    def merchant_urls(self) -> tuple[str, ...]:
        """Where the carrier's webhooks may go."""
        return tuple(f"{one.bridge.url}/webhooks/shipx/{MERCHANT_SECRET}" for one in self.replicas)

    @property
    def ports(self) -> list[int]:
        return [one.bridge.port for one in self.replicas]


@asynccontextmanager
async def assembled(options: Options, folder: Path) -> AsyncIterator[Cast]:
    """Start everybody, and end them whatever happens."""
    async with AsyncExitStack() as stack:
        broker = await asyncio.to_thread(stack.enter_context, RabbitNode())
        nodes: dict[str, Node] = {BROKER: broker}
        database_url = f"sqlite:///{folder}/bridge.db"
        if not options.on_sqlite:
            server = await asyncio.to_thread(stack.enter_context, PostgresNode(memory="128MB"))
            nodes[DATABASE] = server
            database_url = await asyncio.to_thread(server.create_database, "soak")
        await apply_topology(SecretStr(broker.url))
        await bind_consumer(broker.url)
        await asyncio.to_thread(broker.restart)  # a queue younger than a second would not survive a kill
        carrier = Carrier(folder, options.seed)
        stack.push_async_callback(carrier.close)
        await carrier.up()
        settings = _settings(folder, database_url, carrier.url, options.seed)
        reading = Reading([SECRET, STRANGERS_SECRET, MERCHANT_SECRET, MERCHANT_TOKEN, TOKEN, MARK])
        replicas = [Replica(name, folder, broker.url, settings, reading) for name in options.bridges]
        for replica in replicas:
            stack.callback(replica.close)
        yield Cast(replicas, nodes, carrier, broker.url, Books(database_url), settings, reading)


_METHODS: Final = {"GET": ("GET", "HEAD")}
"""What is answered beside what is described."""


def targets() -> Targets:
    """Give what strangers know."""
    known = [one for one in described() if not one.path.startswith(PREFIX)]
    routes = [(method, one.path) for one in known for method in _METHODS.get(one.method, (one.method,))]
    return Targets(STRANGERS_SECRET, STRANGERS, TOKEN, routes)


def _settings(folder: Path, database_url: str, carrier_url: str, seed: int) -> dict[str, str]:
    config = folder / "bridge.toml"
    config.write_text(
        f'[[shipx.organizations]]\nid = {STRANGERS}\nwebhook_secrets = ["{STRANGERS_SECRET}"]\n'
        f'[[shipx.organizations]]\nid = {MERCHANT}\nwebhook_secrets = ["{MERCHANT_SECRET}"]\n'
        f'token = "{MERCHANT_TOKEN}"\n'
    )
    return {
        "BRIDGE_CONFIG": str(config),
        "BRIDGE_DATABASE_URL": database_url,
        "BRIDGE_MIGRATE": "true",
        "BRIDGE_PERSONAL_DATA__KEYS": b64encode(Random(seed).randbytes(32)).decode(),
        "BRIDGE_SHIPX__BASE_URL": carrier_url,
        **BUYING,
    }
