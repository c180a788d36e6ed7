"""One shipment on an idle system: from the webhook that tells of offers to the request that buys one, in real time."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any, Final

from bridge.nodes.guard import free_ports
from tests.bench.databases import Databases
from tests.bench.errors import Failed
from tests.bench.goal import at_most
from tests.bench.row import Row
from tests.bench.server import TOKEN, running
from tests.bench.stage import Stage
from tests.bench.webhooks import ORGANIZATION, SECRET

SCENARIO: Final = Path(__file__).parents[1] / "buying.toml"
SHIPMENTS: Final = 20
"""In a round, each when the one before is bought."""
DRAFT: Final[Mapping[str, Any]] = {
    "receiver": {"email": "anna@example.com", "phone": "888000000"},
    "parcels": [{"template": "small"}],
    "custom_attributes": {"target_point": "KRA010"},
}
_PATIENCE_S: Final = 20.0


class Carrier:
    """The stand-in carrier, in a process of its own."""

    def __init__(self, port: int) -> None:
        self._port = port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask something, as the merchant. Raises Failed."""
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE_S)) as connection:
            headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            found = answer.read()
            if answer.status >= 300:
                raise Failed(f"the carrier answered {answer.status} to {method} {path}")
            return json.loads(found) if found else None

    def buy_one(self) -> None:
        """Create a shipment, and wait until it is bought."""
        before = len(self.ask("GET", "/_control/charges")["items"])
        self.ask("POST", f"/v1/organizations/{ORGANIZATION}/shipments", DRAFT)
        end = time.monotonic() + _PATIENCE_S
        while len(self.ask("GET", "/_control/charges")["items"]) == before:
            if time.monotonic() > end:
                raise Failed("a shipment was not bought")
            time.sleep(0.05)

    def waits_ms(self) -> list[float]:
        """Say for every shipment how long after its webhook was sent it was asked to be bought."""
        bought: dict[str, datetime] = {}
        for call in self.ask("GET", "/_control/calls")["items"]:
            if call["path"].endswith("/buy"):
                bought.setdefault(call["path"].split("/")[-2], datetime.fromisoformat(call["at"]))
        told = {
            str(one["shipment_id"]): datetime.fromisoformat(one["sent_at"])
            for one in self.ask("GET", "/_control/webhooks")["items"]
            if one["event"] == "offers_prepared" and not one["repeat"]
        }
        return [(bought[shipment] - at).total_seconds() * 1000 for shipment, at in told.items()]


def measure(stage: Stage) -> list[Row]:
    """Buy one shipment after the other."""
    rows = {
        one.name: Row(f"webhook to the request to buy, idle, {one.name}", "ms", goal=at_most(20, "ms"))
        for one in stage.databases
    }
    for _ in stage.rounds("buying", list(rows.values())):
        for database in stage.databases:
            rows[database.name].add(_median_wait(stage, database))
    return list(rows.values())


def _median_wait(stage: Stage, database: Databases) -> float:
    with database.fresh() as url, _carrier(stage) as carrier:
        told = {
            "BRIDGE_SHIPX__BASE_URL": carrier.url,
            "BRIDGE_SHIPX__TOKEN": TOKEN,
            "BRIDGE_SHIPX__REQUESTS_PER_MINUTE": "6000",  # one purchase is not to wait for the reads of the one before
        }
        with stage.bridge(url, told=told) as server:
            webhooks = {"url": f"http://127.0.0.1:{server.port}/webhooks/shipx/{SECRET}"}
            carrier.ask("PUT", f"/_control/organizations/{ORGANIZATION}/webhook", webhooks)
            for _ in range(SHIPMENTS):
                carrier.buy_one()
            return median(carrier.waits_ms())


@contextmanager
def _carrier(stage: Stage) -> Iterator[Carrier]:
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "bridge.cli", "simulate", "--port", str(port), "--scenario", str(SCENARIO)]
    with running(command, port, stage.cores.others):
        yield Carrier(port)
