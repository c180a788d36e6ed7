"""The production overlay's pods as processes: receivers that know next to nothing, workers that do all the rest."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml
from pydantic import SecretStr

from bridge.broker.topology import describe
from bridge.nodes.guard import free_ports
from bridge.store.polled import PATIENCE
from bridge.store.postgres import PostgresDatabase
from tests.deploy.configuration import SECRETS
from tests.deploy.pods import told
from tests.deploy.rendering import ROOT
from tests.support.bridge import BridgeProcess, until
from tests.support.carrier import CARRIER_TOKEN, SlowCarrier
from tests.support.consumer import Consumer
from tests.support.http import NO_TLS
from tests.support.verbs import verb

SAMPLE = (ROOT / "tests/samples/shipx/webhook_shipment_confirmed.json").read_bytes()
THE_CARRIER = {"x-forwarded-for": "91.216.25.10", "content-type": "application/json"}
_FILLED = {"BRIDGE_SHIPX__ORGANIZATION_ID": "4821", "BRIDGE_WEBHOOK__TRUSTED_PROXIES": "127.0.0.1/32"}
A_STRANGER = {"x-forwarded-for": "91.216.25.10, 203.0.113.9", "content-type": "application/json"}


def container(manifest: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "k8s/base" / manifest).read_text(encoding="utf-8"))
    pod: dict[str, Any] = found["spec"]["template"]["spec"]["containers"][0]
    return pod


class Installation:
    """What the pods mount, and what an installation fills in; the carrier is away unless told where it is.

    `more` are secrets by the name of their file.
    """

    def __init__(
        self, folder: Path, database_url: str, amqp_url: str, *, carrier_url: str = "http://127.0.0.1:9", **more: str
    ) -> None:
        self._carrier_url = carrier_url
        self._secrets = folder / "secrets"
        self._secrets.mkdir()
        for name, text in {**SECRETS, "database_url": database_url, "amqp_url": amqp_url, **more}.items():
            (self._secrets / name).write_text(text, encoding="utf-8")

    def environ(self, manifest: str) -> dict[str, str]:
        """Give a container's environment, with paths and ports of this machine."""
        places = {"/run/secrets/bridge": str(self._secrets), "/etc/bridge": str(ROOT / "k8s/overlays/production")}
        filled = {name: _FILLED.get(name, value) for name, value in told(container(manifest)).items()}
        for inside, here in places.items():
            filled = {name: value.replace(inside, here) for name, value in filled.items()}
        return {
            "BRIDGE_CONFIG": str(ROOT / "config/image.toml"),
            **filled,
            "BRIDGE_POLICY": str(ROOT / "k8s/base/config/policy.toml"),
            "BRIDGE_HTTP__DRAIN_DELAY_S": "0",
            "BRIDGE_SHIPX__BASE_URL": self._carrier_url,
            "BRIDGE_RECONCILE__OPEN_S": "0.3",
        }

    def process(self, manifest: str, folder: Path) -> BridgeProcess:
        """Make a pod's process; its `url` is the internal port."""
        made = BridgeProcess(folder)
        public = free_ports(1)[0]
        ports = {"BRIDGE_HTTP__PORT": str(public), "BRIDGE_HTTP__INTERNAL_PORT": str(made.port)}
        made.environ = {**self.environ(manifest), **ports}
        made.webhook_url = made.webhook_url.replace(str(made.port), str(public))
        return made


async def test_a_webhook_goes_from_the_receiver_over_the_database_and_the_worker_to_the_broker(
    postgres_url: str, amqp_url: str, tmp_path: Path
) -> None:
    here = Installation(tmp_path, postgres_url, amqp_url)
    migrated = await verb(here.environ("migration.yaml"), *container("migration.yaml")["args"])
    assert (migrated.code, "0001_spine" in migrated.out) == (0, True), migrated
    applied = await verb(here.environ("worker.yaml"), "topology", "apply", "--json")
    assert (applied.code, applied.json) == (0, describe())
    async with (
        here.process("receiver.yaml", tmp_path) as receiver,
        here.process("worker.yaml", tmp_path) as worker,
        Consumer(amqp_url, "shipx.#") as events,
        httpx.AsyncClient(trust_env=False, verify=NO_TLS) as http,
    ):
        parked = await http.post(receiver.webhook_url, content=SAMPLE, headers=A_STRANGER)
        accepted = await http.post(receiver.webhook_url, content=SAMPLE, headers=THE_CARRIER)
        assert [one.json()["outcome"] for one in (parked, accepted)] == ["parked", "accepted"]
        assert json.loads((await events.next()).body)["source"] == "/shipx/4821"

        operator = {"authorization": f"Bearer {SECRETS['api_token'].strip()}"}
        answers = {
            "the worker's API": await http.get(f"{worker.url}/v1/deliveries", headers=operator),
            "the receiver's, where nobody has a token": await http.get(
                f"{receiver.url}/v1/deliveries", headers=operator
            ),
            "the API on the port of webhooks": await http.get(_public(receiver, "/v1/deliveries"), headers=operator),
            "metrics on the port of webhooks": await http.get(_public(receiver, "/metrics")),
            "a webhook at the worker": await http.post(worker.webhook_url, content=SAMPLE, headers=THE_CARRIER),
        }
        assert {what: answer.status_code for what, answer in answers.items()} == {
            "the worker's API": 200,
            "the receiver's, where nobody has a token": 401,
            "the API on the port of webhooks": 404,
            "metrics on the port of webhooks": 404,
            "a webhook at the worker": 404,
        }
        assert (await receiver.terminate(), await worker.terminate()) == (0, 0)


async def test_webhooks_that_no_receiver_gets_are_noticed_by_the_worker_and_told_by_everybody(
    postgres_url: str, amqp_url: str, tmp_path: Path
) -> None:
    """The worker has no secrets of webhooks: receivers alone know that any are awaited."""
    carrier = SlowCarrier(takes_s=0)
    async with carrier.open():
        here = Installation(tmp_path, postgres_url, amqp_url, carrier_url=carrier.url, shipx_token=CARRIER_TOKEN)
        await verb(here.environ("migration.yaml"), *container("migration.yaml")["args"])
        await verb(here.environ("worker.yaml"), "topology", "apply")
        async with (
            here.process("receiver.yaml", tmp_path) as receiver,
            here.process("worker.yaml", tmp_path) as worker,
            Consumer(amqp_url, "shipx.webhook.health_changed.#") as events,
            httpx.AsyncClient(trust_env=False, verify=NO_TLS) as http,
        ):
            for _ in range(3):
                await carrier.create()
            await until(lambda: _found_by_asking(postgres_url, 3), 20)
            assert (await worker.terminate()) == 0
            await _let_a_minute_pass(postgres_url)
            await worker.start()
            event = json.loads((await events.next(20)).body)
            assert (event["data"]["state"], event["data"]["missed"]) == ("silent", 3)
            for process in (receiver, worker):
                metrics = (await http.get(f"{process.url}/metrics")).text
                assert 'bridge_webhook_health{connection="shipx/4821",state="silent"} 1.0' in metrics
                assert "no webhooks come" in (await http.get(f"{process.url}/readyz")).text
            told = (await verb(here.environ("worker.yaml"), "doctor")).out
            assert "received by other processes: none has been accepted yet" in told
            assert "no webhooks come since" in told
            assert (await receiver.terminate(), await worker.terminate()) == (0, 0)


async def _found_by_asking(url: str, number: int) -> bool:
    async with _rows(url) as database:
        found = await database.read(lambda it: it.run("SELECT count(*) FROM polled"))
        return bool(found[0][0] == number)


async def _let_a_minute_pass(url: str) -> None:
    """Have all been found earlier than a webhook may take."""
    async with _rows(url) as database:
        earlier = PATIENCE // timedelta(microseconds=1)
        await database.write(lambda it: it.run("UPDATE polled SET found_at = found_at - ?", (earlier,)))


@asynccontextmanager
async def _rows(url: str) -> AsyncIterator[PostgresDatabase]:
    database = PostgresDatabase(SecretStr(url))
    await database.open()
    try:
        yield database
    finally:
        await database.close()


def _public(process: BridgeProcess, path: str) -> str:
    return process.webhook_url.partition("/webhooks/")[0] + path
