"""What compose.yaml starts, started without containers: the bridge buys at the simulator, and tells RabbitMQ so."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import httpx
from aio_pika.abc import AbstractIncomingMessage

from bridge.nodes.guard import Guard, free_ports
from tests.deploy import compose, dockerfile
from tests.deploy.__main__ import made_secrets
from tests.deploy.rendering import ROOT
from tests.support.bridge import BridgeProcess, until
from tests.support.consumer import Consumer
from tests.support.http import NO_TLS
from tests.support.verbs import verb

SHIPMENT = {
    "receiver": {"phone": "500100200", "email": "jan@example.com"},
    "parcels": [{"template": "small"}],
    "custom_attributes": {"target_point": "KRA010"},
    "reference": "ORDER-17",
}


class Project:
    """The services' commands and environments, with paths, ports and addresses of this machine."""

    def __init__(self, folder: Path, database_url: str, amqp_url: str) -> None:
        self._services: dict[str, Any] = compose.committed()["services"]
        self.secrets = {**made_secrets(folder), "database_url": database_url, "amqp_url": amqp_url}
        self._folder = folder / "secrets" / "compose"
        for name, text in self.secrets.items():
            (self._folder / name).write_text(text, encoding="utf-8")
        self.public, self.internal, self.carrier = free_ports(3)

    def environ(self, service: str) -> dict[str, str]:
        found = {**dockerfile.environment(), **self._services[service]["environment"]}
        return {
            **{name: self._here(value) for name, value in found.items()},
            "BRIDGE_CONFIG": str(ROOT / "config/image.toml"),
            "BRIDGE_POLICY": str(ROOT / "config/policy.toml"),
            "BRIDGE_HTTP__HOST": "127.0.0.1",
            "BRIDGE_HTTP__PORT": str(self.public),
        }

    def bridge(self, folder: Path) -> BridgeProcess:
        """Make the process; its `url` is the internal port."""
        made = BridgeProcess(folder)
        self.internal = made.port
        made.environ = self.environ("bridge")
        return made

    @property
    def simulator(self) -> list[str]:
        [line] = self._services["simulator"]["command"]
        here = self._here(line).replace("$$", "$").replace("simulate", f"simulate --port {self.carrier}")
        return [*self._services["simulator"]["entrypoint"], here]

    def _here(self, value: str) -> str:
        ports = {"8080": self.public, "8081": self.internal, "8090": self.carrier}
        for port, here in ports.items():
            value = value.replace(f":{port}", f":{here}") if ":" in value else value.replace(port, str(here))
        return value.replace("/run/secrets", str(self._folder))


async def test_a_shipment_is_bought_and_told(postgres_url: str, amqp_url: str, tmp_path: Path) -> None:
    project = Project(tmp_path, postgres_url, amqp_url)
    assert (await verb(project.environ("migrate"), "migrate")).code == 0
    beside = Guard("bridge-test-")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    beside.spawn(project.simulator, env={**os.environ, "PATH": path}, log=tmp_path / "simulator.log")
    try:
        async with (
            project.bridge(tmp_path) as bridge,
            Consumer(amqp_url, "shipx.shipment.purchase_succeeded") as events,
            httpx.AsyncClient(base_url=bridge.url, trust_env=False, verify=NO_TLS, timeout=15) as http,
        ):
            token = project.secrets["api_token"].strip()
            http.headers.update({"authorization": f"Bearer {token}", "idempotency-key": "order-17"})
            made = await until(lambda: ordered(http), 30)
            told: AbstractIncomingMessage = await events.next(30)
            assert json.loads(told.body)["subject"] == f"shipment/{made['shipment_id']}"
            assert "webhook.received" in bridge.log
    finally:
        beside.close()


async def ordered(http: httpx.AsyncClient) -> dict[str, Any] | None:
    """Make the shipment; None while the simulator is not up yet, which uses no key up."""
    answer = await http.post("/v1/shipments", json=SHIPMENT)
    found: dict[str, Any] = answer.json()
    return found if answer.status_code in (200, 201) else None
