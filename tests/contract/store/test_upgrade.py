"""What the version before wrote is there after the last migration, and this version goes on with it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest
from pydantic import SecretStr

from bridge.carriers.shipx import webhook
from bridge.errors import SchemaOutdated
from bridge.events.cloudevents import Envelope, partition
from bridge.events.projection import project
from bridge.model import PARTITIONS, Arrival, OrganizationId, Receipt, ShipmentId, Subject, micros
from bridge.store import returns
from bridge.store.database import ManagedDatabase, Row, Transaction
from bridge.store.deliveries import SqlDeliveries, Wanted
from bridge.store.facts import Recorder
from bridge.store.feed import SqlFeed
from bridge.store.inbox import SqlInbox
from bridge.store.leases import SqlLeases
from bridge.store.migrate import migrate, migrations, require_current
from bridge.store.outbox import SqlOutbox
from bridge.store.postgres import PostgresDatabase
from bridge.store.projecting import SqlProjector
from bridge.store.returns import Secrets
from bridge.store.sealed import Vault
from bridge.store.sqlite import SqliteDatabase

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
AT = micros(NOW)
OURS = OrganizationId(4821)
SUBJECT = Subject.shipment(OURS, ShipmentId(1))
BODY = b'{"specversion": "1.0"}'
RETURN = "a" * 32
Filled = dict[str, list[Row]]
"""Rows by where they were inserted: `table (column, …)`."""


@pytest.fixture(params=["sqlite", "postgres"])
async def older(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ManagedDatabase]:
    """A database with the schema of the last file but one."""
    found: ManagedDatabase
    if request.param == "sqlite":
        found = SqliteDatabase(tmp_path / "bridge.db")
    else:
        found = PostgresDatabase(SecretStr(request.getfixturevalue("postgres_url")))
    await found.open()
    await found.rebuild(partial(migrate, files=migrations(found.dialect)[:-1]))
    yield found
    await found.close()


def arrival(word: str) -> Arrival:
    document = {
        "event_ts": "2026-11-20 12:00:00 +0100",
        "event": "shipment_status_changed",
        "organization_id": OURS,
        "payload": {"shipment_id": 1, "status": word},
    }
    body = json.dumps(document).encode()
    found = webhook.read(body, NOW)
    digest = sha256(body).digest()
    return Arrival(found.id, found.organization, found.event, found.shipment, found.at, NOW, body, digest)


DONE, WAITING = arrival("created"), arrival("confirmed")


def fill(transaction: Transaction) -> Filled:
    """Write what a bridge has after a day: plainly, and only columns that were there from the first file on."""
    filled: Filled = {}

    def add(into: str, *rows: Row, giving: str) -> Sequence[Row]:
        filled[into] = list(rows)
        return transaction.insert(into, rows, tail=f"RETURNING {giving}")

    deliveries = [
        (one.id, OURS, one.event, 1, AT, AT, one.body_sha256, state, verdict)
        for one, state, verdict in ((DONE, 1, "projected"), (WAITING, 0, None))
    ]
    add(
        "deliveries (id, organization, event, shipment, occurred_at, received_at, body_sha256, state, verdict)",
        *deliveries,
        giving="id",
    )
    secrets = json.dumps(["ORDER 1", "1234567890"]).encode()
    bodies = [(DONE.id, "", DONE.body), (WAITING.id, "", WAITING.body)]
    add("sealed (owner, key_id, data)", *bodies, (f"return/{RETURN}", "", secrets), giving="owner")
    [[subject]] = add("subjects (source, name, partition, sequence)", (*SUBJECT, partition(SUBJECT), 1), giving="id")
    [[position]] = add(
        "events (id, type, subject_id, sequence, routing_key, occurred_at, recorded_at, delivery, body)",
        ("event-1", "shipment.status_changed", subject, 1, "shipx.shipment.status_changed", AT, AT, DONE.id, BODY),
        giving="position",
    )
    told = ("shipment.status_changed", "an-old-key", position)
    add("facts (subject_id, type, key, position)", (subject, *told), giving="position")
    add("outbox (position, partition)", (position, partition(SUBJECT)), giving="position")
    add(
        "returns (id, connection, organization, command, state, provider_reference, begun_at, created_at)",
        (RETURN, "inpost_returns/main", OURS, "one", "created", "t-1", AT, AT),
        giving="id",
    )
    return filled


def still_there(transaction: Transaction, filled: Filled) -> Filled:
    """Read the same columns again."""
    found: Filled = {}
    for into in filled:
        table, columns = into.removesuffix(")").split(" (")
        found[into] = transaction.run(f"SELECT {columns} FROM {table} ORDER BY {columns.partition(',')[0]}")
    return found


async def test_the_last_migration_keeps_every_row_of_the_version_before_and_this_one_goes_on(
    older: ManagedDatabase,
) -> None:
    filled = await older.write(fill)
    with pytest.raises(SchemaOutdated):
        await older.read(require_current)
    assert await older.rebuild(migrate) == [migrations(older.dialect)[-1].name]
    await older.read(require_current)
    kept = await older.read(partial(still_there, filled=filled))
    assert {into: sorted(rows) for into, rows in kept.items()} == {into: sorted(rows) for into, rows in filled.items()}
    await webhooks_go_on(older)
    await publishing_goes_on(older)
    await returns_go_on(older)


async def webhooks_go_on(database: ManagedDatabase) -> None:
    vault = Vault()
    inbox = SqlInbox(database, vault)
    assert (await inbox.accept([DONE, WAITING])).receipts == (Receipt.duplicate, Receipt.duplicate)
    projector = SqlProjector(database, vault, Recorder(Envelope("demo")), webhook.notification, project)
    assert (await projector.project(10, NOW)).verdicts == {"projected": 1}
    assert [one.state for one in await SqlDeliveries(database, vault, inbox).list(Wanted(), 10)] == ["done", "done"]


async def publishing_goes_on(database: ManagedDatabase) -> None:
    (old, *new) = (await SqlFeed(database).page(None, 10)).events
    assert (old.id, old.body, old.sequence, old.organization) == ("event-1", BODY, 1, str(OURS))
    assert [(one.subject, one.sequence) for one in new] == [(SUBJECT, number) for number in range(2, len(new) + 2)]
    assert new
    outbox = SqlOutbox(database, "me")
    tokens = await SqlLeases(database, "me").hold([f"relay/{number}" for number in range(PARTITIONS)])
    await outbox.begin("earliest")
    assert [one.event for one in await outbox.pending(0, 10, range(PARTITIONS))] == [old, *new]
    await outbox.confirm([old.position], tokens, NOW)
    assert [one.event for one in await outbox.pending(0, 10, range(PARTITIONS))] == new


async def returns_go_on(database: ManagedDatabase) -> None:
    vault = Vault()
    found = await database.read(lambda transaction: returns.find(transaction, vault, RETURN))
    assert found is not None
    assert (found.state, found.secrets) == ("created", Secrets("ORDER 1", "1234567890"))
    moved = replace(found, return_status="dropped_off")
    await database.write(lambda transaction: returns.save(transaction, vault, moved))
    assert await database.read(lambda transaction: returns.find(transaction, vault, RETURN)) == moved
