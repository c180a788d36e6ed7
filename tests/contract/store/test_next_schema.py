"""Versions overlap during a rolling update: this one works on the schema of the next, with more in every table."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from bridge.carriers.shipx import webhook
from bridge.events.cloudevents import Envelope
from bridge.events.projection import project
from bridge.model import PARTITIONS, Arrival, PurchaseWork, Receipt
from bridge.store.database import ManagedDatabase, Transaction
from bridge.store.deliveries import SqlDeliveries, Wanted
from bridge.store.facts import Recorder
from bridge.store.feed import SqlFeed
from bridge.store.gauges import SqlGauges
from bridge.store.inbox import SqlInbox
from bridge.store.leases import SqlLeases
from bridge.store.migrate import migrate, require_current
from bridge.store.outbox import SqlOutbox, begun
from bridge.store.outlook import Errand, Take
from bridge.store.projecting import SqlProjector
from bridge.store.purchase import PurchaseState, Step
from bridge.store.purchases import SqlPurchases
from bridge.store.sealed import Vault
from bridge.store.wanting import want
from tests.support.purchases import taken

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name",
    "postgres": "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename",
}


def add_to_every_table(transaction: Transaction) -> list[str]:
    """Do what a later version's migration may do: a column everywhere, a table, and its own name."""
    tables = [row[0] for row in transaction.run(_TABLES[transaction.dialect])]
    for table in tables:
        transaction.run(f"ALTER TABLE {table} ADD COLUMN of_a_later_version TEXT")
    transaction.run("CREATE TABLE of_a_later_version (name TEXT PRIMARY KEY)")
    transaction.run("INSERT INTO migrations (number, name) VALUES (9999, '9999_of_a_later_version')")
    return tables


def arrival(word: str) -> Arrival:
    document = {
        "event_ts": "2026-11-20 12:00:00 +0100",
        "event": "shipment_status_changed",
        "organization_id": 4821,
        "payload": {"shipment_id": 1, "status": word},
    }
    body = json.dumps(document).encode()
    found = webhook.read(body, NOW)
    digest = sha256(body).digest()
    return Arrival(found.id, found.organization, found.event, found.shipment, found.at, NOW, body, digest)


async def test_everything_works_on_the_schema_of_the_next_version(database: ManagedDatabase) -> None:
    assert "deliveries" in await database.rebuild(add_to_every_table)
    assert await database.rebuild(migrate) == []
    await database.read(require_current)
    assert await database.write(lambda transaction: begun(transaction, "demo")) == "demo"
    vault, recorder = Vault(), Recorder(Envelope("demo"))

    inbox = SqlInbox(database, vault)
    assert (await inbox.accept([arrival("created"), arrival("created")])).receipts == (
        Receipt.accepted,
        Receipt.duplicate,
    )
    projector = SqlProjector(database, vault, recorder, webhook.notification, project)
    assert (await projector.project(10, NOW)).verdicts == {"projected": 1}
    deliveries = SqlDeliveries(database, vault, inbox)
    assert [one.state for one in await deliveries.list(Wanted(), 10)] == ["done"]

    names = [f"relay/{number}" for number in range(PARTITIONS)]
    tokens = await SqlLeases(database, "me").hold(names)
    outbox = SqlOutbox(database, "me")
    assert await outbox.begin("earliest") == 0
    (pending,) = await outbox.pending(0, 10, range(PARTITIONS))
    await outbox.confirm([pending.event.position], tokens, NOW)
    assert await outbox.pending(0, 10, range(PARTITIONS)) == []
    assert (await SqlFeed(database).page(None, 10)).events == (pending.event,)

    cause = arrival("created")
    assert cause.shipment is not None
    work = PurchaseWork(cause.organization, cause.shipment, NOW + timedelta(minutes=5), cause.id)
    await database.write(lambda transaction: want(transaction, [work], NOW))
    purchases = SqlPurchases(database, recorder, "me")
    (claimed,) = await taken(purchases, NOW, Take(Errand.buy, 1))
    (stepped,) = await purchases.step([(claimed, lambda _: Step(claimed))], NOW)
    assert stepped.state is PurchaseState.wanted
    assert (await SqlGauges(database).measure(NOW)).inbox == 0
