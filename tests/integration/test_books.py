"""The books that the fault tests end with: they balance on both databases, and what is wrong does not pass."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from random import Random

import psycopg
import pytest

from tests.faults.books import (
    Books,
    bind_consumer,
    broken_identities,
    check_consumer,
    check_database,
    check_identities,
    consumed,
)
from tests.faults.load import Sender, Webhook, lives
from tests.support.bridge import BridgeProcess, until
from tests.support.consumer import Consumer

WEBHOOKS = lives(5)
Run = tuple[Books, Sender, str]


@pytest.fixture(params=["sqlite", "postgres"])
async def run(request: pytest.FixtureRequest, tmp_path: Path, amqp_url: str) -> AsyncIterator[Run]:
    """A bridge that has taken a few lives and told all of them."""
    extra = {}
    if request.param == "postgres":
        extra = {"BRIDGE_DATABASE_URL": request.getfixturevalue("migrated_postgres_url")}
    async with BridgeProcess(tmp_path, amqp_url=amqp_url, **extra) as bridge, Consumer(amqp_url, "nothing"):
        await bind_consumer(amqp_url)
        books, sender = Books(bridge.database_url), Sender((bridge.webhook_url,), Random(0))
        await sender.send(WEBHOOKS, 0)
        await until(books.all_is_done)
        yield books, sender, amqp_url


def change(books: Books, sql: str) -> None:
    """Do to the rows what nobody should."""
    if books.is_file:
        with closing(sqlite3.connect(books.url.removeprefix("sqlite:///"))) as file, file:
            file.execute(sql)
    else:
        with psycopg.connect(books.url) as server:
            server.execute(sql)


async def test_a_good_run_balances_and_a_lost_delivery_or_event_does_not(run: Run) -> None:
    books, sender, amqp_url = run
    check_database(books, sender, WEBHOOKS)
    events = await consumed(amqp_url)
    check_consumer(books, events, WEBHOOKS)
    for wrong in (events[1:], events[::-1]):
        with pytest.raises(AssertionError):
            check_consumer(books, wrong, WEBHOOKS)
    unsent = Webhook(9, "delivered", b"{}")
    sender.answers.append((unsent, "accepted", "00"))
    with pytest.raises(AssertionError):
        check_database(books, sender, WEBHOOKS)


BROKEN = [
    ("DELETE FROM facts WHERE position = 1", "events without their fact"),
    ("DELETE FROM outbox WHERE position = 2", "events the broker never had"),
    ("UPDATE outbox SET state = 0 WHERE position = 3", "events the broker never had"),
    ("INSERT INTO outbox (position, partition) VALUES (9999, 1)", "rows of the outbox without their event"),
    ("UPDATE deliveries SET state = 0 WHERE shipment = 1", "deliveries without a verdict"),
    (
        "UPDATE subjects SET sequence = 99 WHERE id = (SELECT min(id) FROM subjects)",
        "subjects that do not know their last number",
    ),
    (
        "UPDATE events SET sequence = sequence + 50 WHERE subject_id = (SELECT max(id) FROM subjects)",
        "subjects whose numbers are not 1..n",
    ),
    ("DELETE FROM events WHERE position = 4", "facts without their event"),
]


async def test_rows_that_do_not_agree_with_each_other_do_not_pass(run: Run) -> None:
    books, _, _ = run
    check_identities(books)
    for wrong, name in BROKEN:
        before = broken_identities(books).get(name, 0)
        change(books, wrong)
        assert broken_identities(books).get(name, 0) > before, wrong
        with pytest.raises(AssertionError):
            check_identities(books)
