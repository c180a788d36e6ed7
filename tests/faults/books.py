"""What must add up in the end: what the carrier was told, what the database holds, what the consumer got."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aio_pika
import psycopg

from tests.faults.load import Sender, Webhook, facts

QUEUE: Final = "consumer"
Event = dict[str, Any]


async def bind_consumer(url: str) -> None:
    """Make the durable queue of a consumer that wants every event."""
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        queue = await channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        await queue.bind("bridge.events", "#")


async def consumed(url: str) -> list[Event]:
    """Take everything out of the consumer's queue, in its order."""
    found: list[Event] = []
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        queue = await channel.declare_queue(QUEUE, passive=True)
        waiting = queue.declaration_result.message_count or 0
        await channel.set_qos(500)
        if not waiting:
            return found
        async with queue.iterator(timeout=10) as messages:
            async for message in messages:
                found.append(json.loads(message.body))
                await message.ack()
                if len(found) == waiting:
                    break
    return found


def first_occurrences(events: Iterable[Event]) -> list[Event]:
    """Drop repeats by id, as a consumer does."""
    return list({event["id"]: event for event in reversed(list(events))}.values())[::-1]


@dataclass(frozen=True, slots=True)
class Books:
    """The bridge's own database, SQLite or PostgreSQL, read from beside it."""

    url: str

    @property
    def is_file(self) -> bool:
        """Whether it is SQLite."""
        return self.url.startswith("sqlite:")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the database. What is asked is constant text that both databases understand."""
        return self._ask_file(sql) if self.is_file else self._ask_server(sql)

    def count(self, sql: str) -> int:
        """Ask for one number: of the rows of a table, under a condition."""
        return int(self.rows(f"SELECT count(*) FROM {sql}")[0][0])

    def all_is_done(self) -> bool:
        """Whether nothing waits to be projected or published."""
        return self.count("deliveries WHERE state = 0") == self.count("outbox WHERE state = 0") == 0

    def _ask_file(self, sql: str) -> list[tuple[Any, ...]]:
        uri = f"{Path(self.url.removeprefix('sqlite:///')).as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=10)) as connection:
            return connection.execute(sql).fetchall()

    def _ask_server(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, connect_timeout=10) as connection:
            return connection.execute(sql).fetchall()


def check_database(books: Books, sender: Sender, webhooks: Iterable[Webhook]) -> None:
    """Everything acknowledged is on disk and worked off, and nothing else; and the books agree with each other."""
    bodies = {one.body for one in webhooks}
    states = Counter(row[0] for row in books.rows("SELECT state FROM deliveries"))
    assert states == {1: len(bodies)}
    kept = {row[0] for row in books.rows("SELECT id FROM deliveries")}
    assert {delivery for _, _, delivery in sender.answers} == kept
    assert {outcome for _, outcome, _ in sender.answers} <= {"accepted", "duplicate"}
    tallies = dict(books.rows("SELECT name, sum(n) FROM tallies GROUP BY name"))
    assert tallies["accepted"] == len(bodies)
    assert tallies["accepted"] + tallies.get("duplicate", 0) >= len(sender.answers)
    check_identities(books)


IDENTITIES: Final = {
    "deliveries without a verdict": "deliveries WHERE state = 0",
    "facts without their event": "facts LEFT JOIN events USING (position, subject_id) WHERE events.id IS NULL",
    "events without their fact": "events LEFT JOIN facts USING (position, subject_id) WHERE facts.key IS NULL",
    "events the broker never had": (
        "events LEFT JOIN outbox USING (position) WHERE outbox.state IS NULL OR outbox.state = 0"
    ),
    "rows of the outbox without their event": (
        "outbox LEFT JOIN events USING (position) WHERE events.position IS NULL"
    ),
    "subjects whose numbers are not 1..n": (
        "(SELECT 1 FROM events GROUP BY subject_id HAVING min(sequence) <> 1 OR max(sequence) <> count(*)) AS them"
    ),
    "subjects that do not know their last number": (
        "subjects LEFT JOIN (SELECT subject_id, max(sequence) AS last FROM events GROUP BY subject_id) AS numbers"
        " ON numbers.subject_id = subjects.id WHERE sequence <> coalesce(last, 0)"
    ),
}
"""What there must be none of, once everything is done."""


def broken_identities(books: Books) -> dict[str, int]:
    """Count what contradicts itself in the database, by its name in IDENTITIES; nothing where all is well."""
    found = {name: books.count(sql) for name, sql in IDENTITIES.items()}
    if books.is_file:
        found["a damaged file"] = int(books.rows("SELECT integrity_check FROM pragma_integrity_check") != [("ok",)])
    return {name: number for name, number in found.items() if number}


def check_identities(books: Books) -> None:
    """Every fact is one event, one outbox row that was published, one number of its subject's, without a gap."""
    assert broken_identities(books) == {}


def check_consumer(books: Books, events: list[Event], webhooks: Iterable[Webhook]) -> None:
    """After dropping repeats the consumer has each event once, each subject's in sequence without a gap."""
    firsts = first_occurrences(events)
    recorded = {row[0] for row in books.rows("SELECT id FROM events")}
    assert {event["id"] for event in firsts} == recorded
    assert Counter(map(_fact, firsts)) == facts(list(webhooks))
    sequences: dict[str, list[int]] = defaultdict(list)
    for event in firsts:
        sequences[event["subject"]].append(int(event["sequence"]))
    disordered = {name: found for name, found in sequences.items() if found != list(range(1, len(found) + 1))}
    assert disordered == {}


def _fact(event: Event) -> tuple[str, str, str]:
    return event["subject"], event["type"], event["data"].get("carrier_status", "")
