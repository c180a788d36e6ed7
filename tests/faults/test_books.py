"""The books that the fault tests end with: they balance on both databases, and what is wrong does not pass."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from random import Random

import psycopg
import pytest

from tests.faults.books import Books, bind_consumer, check_consumer, check_database, check_identities, consumed
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
        extra = {"BRIDGE_DATABASE_URL": request.getfixturevalue("postgres_url"), "BRIDGE_MIGRATE": "true"}
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


@pytest.mark.parametrize(
    "wrong",
    [
        "DELETE FROM facts WHERE position = 1",
        "DELETE FROM outbox WHERE position = 1",
        "UPDATE outbox SET state = 0 WHERE position = 1",
        "UPDATE events SET sequence = 99 WHERE position = 1",
    ],
)
async def test_rows_that_do_not_agree_with_each_other_do_not_pass(run: Run, wrong: str) -> None:
    books, _, _ = run
    check_identities(books)
    change(books, wrong)
    with pytest.raises(AssertionError):
        check_identities(books)
