"""Receivers behind nginx are replaced one after the other, and no webhook notices."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

import httpx
import pytest
from pydantic import SecretStr

from bridge.broker.rabbit import apply_topology
from tests.faults.books import Books, bind_consumer, check_consumer, check_database, consumed
from tests.faults.load import Sender, Webhook, lives
from tests.faults.test_kill import seed
from tests.support.bridge import BridgeProcess, until
from tests.support.http import NO_TLS
from tests.support.nginx import Endpoints, Nginx
from tests.support.replicas import Replicas
from tests.support.tools import need_tool

__all__ = ["seed"]
pytestmark = pytest.mark.timeout(240)
CARRIER: Final = "91.216.25.77"
STRANGER: Final = "203.0.113.9"
BEHIND_NGINX: Final = {
    "BRIDGE_WEBHOOK__NETWORKS": "91.216.25.0/24",
    "BRIDGE_WEBHOOK__TRUSTED_PROXIES": "127.0.0.1/32",
    "BRIDGE_HTTP__DRAIN_DELAY_S": "1.5",
}
PAUSE_S: Final = 0.2
"""Of each of 16 connections after an answer: some 70 webhooks a second."""
SOON_S: Final = 30.0
CLOSED_BY_NGINX: Final = {"RemoteProtocolError", "ReadError", "WriteError"}
"""A reload closes connections that nothing is under way on. Who is just sending on one sends again: nothing of it was
taken, and nginx answered nothing. From 1.27.4 on `keepalive_min_timeout` leaves them open for a while."""


def repeated(webhooks: list[Webhook], random: Random) -> Iterator[Webhook]:
    """Give every webhook, and a fifth of them twice."""
    for one in webhooks:
        yield one
        if random.random() < 0.2:
            yield one


def successor(of: BridgeProcess) -> BridgeProcess:
    """Make what takes a replica's place: the same settings on a port of its own."""
    settings = {key: value for key, value in of.environ.items() if key != "BRIDGE_HTTP__PORT"}
    amqp_url = settings.pop("BRIDGE_AMQP_URL", None)
    return BridgeProcess(of.folder, amqp_url=amqp_url, **settings)


async def replaced(old: BridgeProcess, by: BridgeProcess, endpoints: Endpoints) -> int:
    """Replace a replica as Kubernetes does: another is ready before the old one is told to go. Gives its exit code."""
    endpoints.replicas.append(by)
    await by.start()
    await until(lambda: by.port in endpoints.ports, SOON_S)
    code = await old.terminate()
    assert endpoints.left[old.port] == 503, "it was taken off the list while it still answered"
    endpoints.replicas.remove(old)
    return code


async def received(bridge: BridgeProcess) -> float:
    """Say how many webhooks a process has answered."""
    async with httpx.AsyncClient(trust_env=False, verify=NO_TLS) as http:
        lines = (await http.get(f"{bridge.url}/metrics")).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("bridge_ack_seconds_count"))


async def test_replacing_every_receiver_behind_nginx_refuses_no_webhook_and_loses_and_doubles_nothing(
    tmp_path: Path, amqp_url: str, postgres_url: str, seed: int
) -> None:
    random, began = Random(seed), time.monotonic()
    need_tool("nginx")
    await apply_topology(SecretStr(amqp_url))
    await bind_consumer(amqp_url)
    sender, books = Sender((), random, headers={"x-forwarded-for": CARRIER}), Books(postgres_url)
    async with (
        Replicas(tmp_path, postgres_url, amqp_url, 2, BRIDGE_ROLES="receiver", **BEHIND_NGINX) as receivers,
        Replicas(tmp_path, postgres_url, amqp_url, 1, BRIDGE_ROLES="worker,relay"),
        Endpoints(Nginx(tmp_path, tries_others=False), list(receivers.all)) as endpoints,
    ):
        sender.urls = (endpoints.nginx.webhook_url,)
        over, codes = asyncio.Event(), []
        flowing = asyncio.create_task(sender.stream(repeated(lives(2000), random), PAUSE_S, over))
        await until(lambda: len(sender.answers) > 50, SOON_S)
        olds = list(receivers.all)
        for old in olds:
            assert await received(old) > 0
            new = successor(old)
            receivers.all.append(new)
            codes.append(await replaced(old, new, endpoints))
        answered = len(sender.answers)
        await until(lambda: len(sender.answers) > answered + 100, SOON_S)
        over.set()
        sent = await flowing
        assert all([await received(one) > 0 for one in receivers.all[len(olds) :]])
        await until(books.all_is_done, SOON_S)
        events = await consumed(amqp_url)
    check_database(books, sender, sent)
    check_consumer(books, events, list(dict.fromkeys(sent)))
    took = time.monotonic() - began
    print(
        f"{len(sender.answers)} webhooks in {took:.0f} s, {dict(sender.failures)} while nginx loaded its settings anew"
    )
    assert codes == [0, 0]
    assert len(sender.answers) == len(sent)
    accepted = sum(outcome == "accepted" for _, outcome, _ in sender.answers)
    assert accepted == len(set(sent)), "whoever was not answered was not taken either"
    assert len(events) == len({event["id"] for event in events})
    assert set(sender.failures) <= CLOSED_BY_NGINX, "every answer was 200"


async def post(url: str, webhook: Webhook, **headers: str) -> httpx.Response:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(trust_env=False, verify=NO_TLS) as http:
        return await http.post(url, content=webhook.body, headers=headers)


async def test_behind_nginx_the_carriers_network_is_seen_and_nobody_can_claim_to_be_in_it(tmp_path: Path) -> None:
    """The test is the load balancer whose word nginx takes, and writes down whom it saw as the last address."""
    need_tool("nginx")
    first, second, third, fourth = lives(4)[::8]
    async with (
        BridgeProcess(tmp_path, **BEHIND_NGINX) as bridge,
        Endpoints(Nginx(tmp_path), [bridge]) as endpoints,
    ):
        url = endpoints.nginx.webhook_url
        answers = [
            await post(url, first, x_forwarded_for=CARRIER),
            await post(url, second, x_forwarded_for=f"{CARRIER}, {STRANGER}"),
            await post(url, third),
            await post(bridge.webhook_url, fourth, x_forwarded_for=STRANGER),
        ]
        assert [(one.status_code, one.json()["outcome"]) for one in answers] == [
            (200, "accepted"),
            (200, "parked"),
            (200, "parked"),
            (200, "parked"),
        ]
        assert f'"peer":"{STRANGER}"' in bridge.log


async def test_nginx_lets_nothing_but_webhooks_in_leaves_what_is_too_large_to_the_bridge_and_logs_no_secret(
    tmp_path: Path,
) -> None:
    need_tool("nginx")
    async with (
        BridgeProcess(tmp_path, **BEHIND_NGINX) as bridge,
        Endpoints(Nginx(tmp_path), [bridge]) as endpoints,
        httpx.AsyncClient(trust_env=False, verify=NO_TLS, base_url=endpoints.nginx.url) as http,
    ):
        for path in ("/metrics", "/readyz", "/v1/events", "/webhooksx"):
            assert (await http.get(path, headers=bridge.headers)).status_code == 404, path
        url, headers = endpoints.nginx.webhook_url, {"x-forwarded-for": CARRIER}
        assert (await http.get(url)).status_code == 200
        large = await http.post(url, content=b"x" * 1_000_000, headers=headers)
        assert (large.status_code, large.json()["outcome"]) == (200, "parked")

        # Where no replica is there nginx would tell that with the path that was asked for.
        bridge.kill()
        assert (await http.post(url, content=lives(1)[0].body, headers=headers)).status_code == 502
    assert bridge.webhook_url.rsplit("/", 1)[-1] not in endpoints.nginx.log
