"""Behind a transaction pooler: nothing the bridge does relies on meeting the same server session twice."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from bridge.broker.rabbit import apply_topology
from tests.faults.books import Books, bind_consumer, check_consumer, check_database, consumed
from tests.faults.load import Sender, lives, shuffled
from tests.support.bridge import BridgeProcess, until
from tests.support.carrier import CARRIER_TOKEN, SlowCarrier
from tests.support.http import NO_TLS
from tests.support.pooler import Pooler
from tests.support.replicas import Replicas
from tests.support.verbs import verb

BOUGHT = "events WHERE type = 'shipment.purchase_succeeded'"
PAGE = 2


def before(postgres_url: str) -> Pooler:
    """A pooler before this database."""
    server = urlsplit(postgres_url)
    return Pooler(str(server.hostname), server.port or 0, server.path.strip("/"))


def changed_sessions(pooler: Pooler) -> bool:
    return any(len(sessions) > 1 for sessions in pooler.met.values())


async def test_two_replicas_work_behind_a_pooler_that_changes_sessions_with_every_transaction(
    tmp_path: Path, amqp_url: str, postgres_url: str
) -> None:
    random, webhooks = Random(1), lives(60)
    await apply_topology(SecretStr(amqp_url))
    await bind_consumer(amqp_url)
    async with before(postgres_url) as pooler, Replicas(tmp_path, pooler.url, amqp_url, 2) as replicas:
        sender, books = Sender(replicas.webhook_urls, random), Books(postgres_url)
        await sender.send(shuffled(webhooks, 60, random), 3)
        await until(books.all_is_done, 30)
        events = await consumed(amqp_url)
        check_database(books, sender, webhooks)
        check_consumer(books, events, webhooks)
        assert [await one.terminate() for one in replicas.all] == [0, 0]
        assert dict(sender.failures) == {}
        assert changed_sessions(pooler)


async def pages(bridge: BridgeProcess) -> list[list[dict[str, Any]]]:
    """Read the feed from the beginning to its end, by its cursors."""
    found, after = [], ""
    async with httpx.AsyncClient(trust_env=False, verify=NO_TLS, headers=bridge.headers) as http:
        while after is not None:
            answer = await http.get(f"{bridge.url}/v1/events", params={"after": after, "limit": PAGE})
            assert answer.status_code == 200, answer.text
            found.append(answer.json()["items"])
            after = answer.json()["next"]
    return found


async def test_a_purchase_is_made_read_page_by_page_and_audited_behind_a_pooler(
    tmp_path: Path, postgres_url: str
) -> None:
    async with before(postgres_url) as pooler, SlowCarrier(takes_s=0.0).open() as carrier:
        settings = {"BRIDGE_SHIPX__BASE_URL": carrier.url, "BRIDGE_SHIPX__TOKEN": CARRIER_TOKEN}
        async with Replicas(tmp_path, pooler.url, None, 1, **settings) as replicas:
            [bridge], books = replicas.all, Books(postgres_url)
            carrier.announce_to(bridge.webhook_url)
            shipment = await carrier.create()
            await until(lambda: books.count(BOUGHT) == 1, 30)
            assert carrier.charges() == [shipment]

            recorded = [one for (one,) in books.rows("SELECT id FROM events ORDER BY position")]
            fed = await pages(bridge)
            assert [event["id"] for page in fed for event in page][: len(recorded)] == recorded
            assert {len(page) for page in fed[:-1]} == {PAGE}

            assert bridge.environ["BRIDGE_DATABASE_URL"] == pooler.url
            audit = await verb(bridge.environ, "audit", "--json")
            assert (audit.code, audit.json["balanced"]) == (0, True), audit
            assert await bridge.terminate() == 0
        assert changed_sessions(pooler)
