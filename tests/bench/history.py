"""Years of work in minutes: one shipment's rows, as a bridge wrote them, multiplied by plain SQL.

Nothing is known here of the tables but what has to differ from copy to copy; every other column stays as the bridge
wrote it, so that a change of the schema needs none here.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from time import monotonic, sleep
from typing import Final

from tests.bench.bulk import Bulk, opened
from tests.bench.errors import Failed
from tests.bench.server import bridge
from tests.bench.webhooks import ORGANIZATION, PATH
from tests.faults.books import Books
from tests.faults.load import LIFE

SHIPMENT: Final = 5_000_000_000
"""Whose life is multiplied; the copies' numbers follow it, so all have as many digits."""
ENDS: Final = datetime(2026, 3, 22, 8, 41, tzinfo=UTC)
"""The history is over then: what the load sends happened seconds later."""
_SPAN_US: Final = 90 * 86_400 * 1_000_000
_BYTES_EACH: Final = 5_000
"""What a webhook takes with its event, indexes and the server's log of changes."""
_AT_ONCE: Final = 25_000
_PATIENCE_S: Final = 20.0


def build(database_url: str, webhooks: int, cores: set[int], tell: Callable[[str], None]) -> None:
    """Fill an empty database with the history of so many webhooks, each of them with its event. Raises Failed."""
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < webhooks * _BYTES_EACH:
        raise Failed(f"{webhooks * _BYTES_EACH / 1e9:.0f} GB are needed in {tempfile.gettempdir()}: less --history?")
    with bridge(database_url, cores=cores, roles="receiver,worker") as server:
        _live(server.port, Books(database_url))
    lives = max(webhooks // len(LIFE), 2)
    with opened(database_url) as bulk:
        _multiply(bulk, lives, tell)
    os.sync()


def _live(port: int, books: Books) -> None:
    """Let a bridge write down one shipment's life."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)) as connection:
        for minute, word in enumerate(LIFE):
            connection.request("POST", PATH, _webhook(minute, word))
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise Failed(f"the bridge answered {answer.status}")
    end = monotonic() + _PATIENCE_S
    while books.count("deliveries WHERE state = 1") < len(LIFE):
        if monotonic() > end:
            raise Failed("the bridge did not work off one shipment's webhooks")
        sleep(0.02)


def _webhook(minute: int, word: str) -> str:
    document = {
        "event_ts": f"2026-03-01 09:{minute:02}:00 +0100",
        "event": "shipment_status_changed",
        "organization_id": ORGANIZATION,
        "payload": {"shipment_id": SHIPMENT, "status": word, "tracking_number": f"62{SHIPMENT:022}"},
    }
    return json.dumps(document)


def _multiply(bulk: Bulk, lives: int, tell: Callable[[str], None]) -> None:
    """Add as many copies as make so many lives, in the order in which they happened."""
    bulk.run("UPDATE outbox SET state = 1, published_at = 0")
    for table in _SOURCES:
        bulk.run(f"CREATE TEMP TABLE one_{table} AS SELECT * FROM {table}")
    bulk.run(
        "CREATE TEMP TABLE places AS SELECT id, row_number() OVER (ORDER BY occurred_at) AS place FROM one_deliveries"
    )
    events = bulk.number("SELECT max(position) FROM one_events")
    copies = _copies(bulk, _SPAN_US // lives, events)
    with bulk.without_indexes(list(_SOURCES)):
        for first in range(1, lives, _AT_ONCE):
            last = min(first + _AT_ONCE, lives) - 1
            for statement in copies:
                bulk.run(statement.format(numbers=bulk.numbers(first, last)))
            bulk.commit()
            if last // _AT_ONCE % 8 == 0 or last == lives - 1:
                tell(f"history: {last * len(LIFE):,} webhooks written")
    bulk.run(f"UPDATE counters SET n = n * {lives} WHERE name = 'accepted'")
    bulk.end()


_SOURCES: Final[Mapping[str, str]] = {
    "deliveries": "one_deliveries AS t JOIN places ON places.id = t.id",
    "sealed": "one_sealed AS t JOIN places ON places.id = t.owner",
    "subjects": "one_subjects AS t JOIN (SELECT 1 AS place) AS places ON true",
    "facts": "one_facts AS t JOIN (SELECT 1 AS place) AS places ON true",
    "events": "one_events AS t JOIN places ON places.id = t.delivery",
    "outbox": "one_outbox AS t JOIN one_events USING (position) JOIN places ON places.id = one_events.delivery",
}
"""Each table's rows of the one life, with their place in it."""


def _copies(bulk: Bulk, step_us: int, events: int) -> list[str]:
    """Write the inserts of a number of copies; `k` is a copy's number."""
    begins = round(ENDS.timestamp()) * 1_000_000 - _SPAN_US - step_us
    moment = f"({begins} + k * {step_us} + place * {step_us // 16})"
    scattered = bulk.hexadecimal("k * 2654435761 % 4294967296")  # as unlike its neighbours as a hash
    delivery = f"substr({{0}}, 1, 2) || {bulk.hexadecimal(f'{moment} / 1000000')} || {scattered} || substr({{0}}, 19)"
    changed = {
        "deliveries": {
            "id": delivery.format("t.id"),
            "shipment": "t.shipment + k",
            **dict.fromkeys(("occurred_at", "received_at", "done_at"), moment),
        },
        "sealed": {"owner": delivery.format("t.owner"), "data": bulk.renamed("t.data", f"{SHIPMENT}")},
        "subjects": {"id": "t.id + k", "name": f"'shipment/' || ({SHIPMENT} + k)", "partition": "k % 64"},
        "facts": {"subject_id": "t.subject_id + k", "position": f"t.position + k * {events}"},
        "events": {
            "position": f"t.position + k * {events}",
            "id": f"{scattered} || substr(t.id, 9)",
            "subject_id": "t.subject_id + k",
            "delivery": delivery.format("t.delivery"),
            "body": bulk.renamed("t.body", f"{SHIPMENT}"),
            **dict.fromkeys(("occurred_at", "recorded_at"), moment),
        },
        "outbox": {
            "position": f"t.position + k * {events}",
            "partition": "k % 64",
            "published_at": moment,
        },
    }
    return [_copy(bulk, table, source, changed[table]) for table, source in _SOURCES.items()]


def _copy(bulk: Bulk, table: str, source: str, changed: Mapping[str, str]) -> str:
    columns = bulk.columns(table)
    if missing := set(changed) - set(columns):
        raise Failed(f"the table {table} has no {', '.join(sorted(missing))}")
    values = ", ".join(changed.get(column, f"t.{column}") for column in columns)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {{numbers}} CROSS JOIN ({source})"
        " ORDER BY k, place"
    )
