"""Behind a transaction pooler: nothing the bridge does relies on meeting the same server session twice."""

from __future__ import annotations

from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from pydantic import SecretStr

from bridge.broker.rabbit import apply_topology
from tests.faults.books import Books, bind_consumer, check_consumer, check_database, consumed
from tests.faults.load import Sender, lives, shuffled
from tests.support.bridge import until
from tests.support.pooler import Pooler
from tests.support.replicas import Replicas


async def test_two_replicas_work_behind_a_pooler_that_changes_sessions_with_every_transaction(
    tmp_path: Path, amqp_url: str, postgres_url: str
) -> None:
    random, webhooks = Random(1), lives(60)
    await apply_topology(SecretStr(amqp_url))
    await bind_consumer(amqp_url)
    server = urlsplit(postgres_url)
    pooler = Pooler(str(server.hostname), server.port or 0, server.path.strip("/"))
    async with pooler, Replicas(tmp_path, pooler.url, amqp_url, 2) as replicas:
        sender, books = Sender(replicas.webhook_urls, random), Books(postgres_url)
        await sender.send(shuffled(webhooks, 60, random), 3)
        await until(books.all_is_done, 30)
        events = await consumed(amqp_url)
        check_database(books, sender, webhooks)
        check_consumer(books, events, webhooks)
        assert [await one.terminate() for one in replicas.all] == [0, 0]
        assert dict(sender.failures) == {}
        assert any(len(sessions) > 1 for sessions in pooler.met.values()), "sessions did change"
