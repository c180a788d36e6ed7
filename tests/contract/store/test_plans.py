"""What is done for every webhook finds its rows by an index: an old database is as quick as an empty one."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, TypeVar, cast

import pytest

from bridge.carriers.shipx import webhook
from bridge.events.cloudevents import Envelope
from bridge.events.projection import project
from bridge.model import PARTITIONS, Arrival, OrganizationId, ShipmentId, micros
from bridge.reconciling.retention import LEASE
from bridge.store import journal
from bridge.store.database import Database, ManagedDatabase, Row, Transaction, Unit
from bridge.store.deliveries import SqlDeliveries, State
from bridge.store.deliveries import Wanted as WantedDeliveries
from bridge.store.facts import Recorder
from bridge.store.feed import Filter, SqlFeed, encode
from bridge.store.inbox import SqlInbox
from bridge.store.leases import SqlLeases
from bridge.store.listed import SqlListed, Wanted
from bridge.store.outbox import SqlOutbox
from bridge.store.outlook import Errand, Take
from bridge.store.projecting import SqlProjector
from bridge.store.pruning import BEGINNING, SqlPruning
from bridge.store.purchase import PurchaseState
from bridge.store.purchases import SqlPurchases
from bridge.store.replaying import Selection, SqlReplays
from bridge.store.resuming import rewant
from bridge.store.sealed import Vault

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
T = TypeVar("T")
_EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN ", "postgres": "EXPLAIN "}
_READS_IT_ALL = {
    "sqlite": re.compile(r"^SCAN (?!json_each|\d+ CONSTANT)\w+\b(?! USING INDEX \w+_pending$)", re.MULTILINE),
    "postgres": re.compile(r"Seq Scan on (?!events_position_seq)|Bitmap|Sort Key: .*received_at|Sort Key: .*position"),
}
_READS_ALL_NAMES = {
    "sqlite": re.compile(r"^SCAN (subjects|events)|BLOOM|ANY\(", re.MULTILINE),
    "postgres": re.compile(r"Seq Scan|Bitmap|using events_pkey|(Index Cond|Filter): \(name = "),
}


class Explained:
    """A transaction that notes how each of its statements would be carried out, before it runs it."""

    def __init__(self, inner: Transaction, plans: dict[str, str]) -> None:
        self._inner = inner
        self._plans = plans

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def run(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        rows = self._inner.run(_EXPLAIN[self._inner.dialect] + sql, parameters)
        self._plans[sql] = "\n".join([self._plans.get(sql, ""), *(str(row[-1]) for row in rows)])
        return self._inner.run(sql, parameters)


class Explaining:
    """A database that explains what it does."""

    def __init__(self, inner: ManagedDatabase) -> None:
        self._inner = inner
        self.plans: dict[str, str] = {}

    async def write(self, unit: Unit[T], *, at_leisure: bool = False) -> T:
        return await self._inner.write(lambda transaction: unit(self._explained(transaction)))

    async def read(self, unit: Unit[T]) -> T:
        return await self._inner.read(lambda transaction: unit(self._explained(transaction)))

    async def decided(self) -> int:
        return await self._inner.decided()

    def _explained(self, transaction: Transaction) -> Transaction:
        return cast(Transaction, Explained(transaction, self.plans))


def arrival(shipment: int, word: str) -> Arrival:
    payload = {"shipment_id": shipment, "status": word, "tracking_number": "62000"}
    document = {"event_ts": None, "event": "shipment_status_changed", "organization_id": 1, "payload": payload}
    body = json.dumps(document).encode()
    found = webhook.read(body, NOW)
    digest = sha256(body).digest()
    return Arrival(found.id, found.organization, found.event, found.shipment, found.at, NOW, body, digest)


async def _way(database: Database) -> None:
    """Send webhooks, known and new ones, all the way to the outbox, and take them from there."""
    inbox = SqlInbox(database, Vault())
    projector = SqlProjector(database, Vault(), Recorder(Envelope("demo")), webhook.notification, project)
    outbox = SqlOutbox(database, "me")
    tokens = await SqlLeases(database, "me").hold([f"relay/{number}" for number in range(PARTITIONS)])
    for word in ("created", "confirmed", "confirmed", "delivered"):
        await inbox.accept([arrival(shipment, word) for shipment in range(1, 4)])
        await projector.project(10, NOW)
    pending = await outbox.pending(0, 100, range(PARTITIONS))
    await outbox.confirm([one.event.position for one in pending], tokens, NOW)


async def test_no_statement_on_the_way_of_a_webhook_reads_a_whole_table(database: ManagedDatabase) -> None:
    explaining = Explaining(database)
    await _way(explaining)
    assert len(explaining.plans) >= 8
    for sql, plan in explaining.plans.items():
        assert not _READS_IT_ALL[database.dialect].search(plan), f"{sql}\n{plan}"


async def test_a_statement_that_reads_a_whole_table_would_be_noticed(database: ManagedDatabase) -> None:
    explaining = Explaining(database)
    await _way(explaining)
    explaining.plans.clear()
    await explaining.write(lambda transaction: transaction.run("SELECT count(*) FROM facts WHERE position > 3"))
    (plan,) = explaining.plans.values()
    assert _READS_IT_ALL[database.dialect].search(plan), plan


async def test_what_a_pause_kept_from_being_bought_is_found_by_its_index(database: ManagedDatabase) -> None:
    explaining = Explaining(database)
    await explaining.write(lambda transaction: rewant(transaction, OrganizationId(1), NOW, NOW))
    found = [plan for sql, plan in explaining.plans.items() if sql.startswith("SELECT shipment")]
    assert "purchases_unpaid" in found[0]


async def test_what_is_to_be_looked_at_is_found_among_all_that_waits_by_its_index(database: ManagedDatabase) -> None:
    await database.write(_hold_many)
    explaining = Explaining(database)
    purchases = SqlPurchases(explaining, Recorder(Envelope("demo")), "me")
    claimed = await purchases.claim(lambda _: [Take(Errand.look, 100)], NOW)
    assert [one.shipment for batch in claimed.batches for one in batch.purchases] == [1500]
    looks = {sql: plan for sql, plan in explaining.plans.items() if "look_at <=" in sql}
    assert len(looks) == 2
    for sql, plan in looks.items():
        assert "purchases_looks" in plan, f"{sql}\n{plan}"


def _hold_many(transaction: Transaction) -> None:
    """Have thousands that wait for a person: of some the window is open, of one it has just closed."""
    at = micros(NOW)
    rows = [(1, n, "held", at, at, at, at + n if n > 1500 else None if n < 1500 else at) for n in range(1, 3001)]
    columns = "organization, shipment, state, deadline, due_at, updated_at, look_at"
    for first in range(0, len(rows), 1000):
        transaction.insert(f"purchases ({columns})", rows[first : first + 1000])
    transaction.run("ANALYZE purchases")


async def test_how_many_one_call_asked_for_is_counted_near_its_own_step(database: ManagedDatabase) -> None:
    explaining = Explaining(database)
    await explaining.read(lambda transaction: journal.entries(transaction, OrganizationId(1), ShipmentId(1)))
    (plan,) = explaining.plans.values()
    assert {"sqlite": "PRIMARY KEY (rowid>? AND rowid<?)", "postgres": "journal_pkey"}[database.dialect] in plan
    assert "journal_of_shipment" in plan


# -- one subject among many --------------------------------------------------------------------------------------------

SUBJECTS = 2_000
SUBJECT = 1_500
"""The one that is asked about: many come before it and after it."""
EACH = 5
EVENTS = SUBJECTS * EACH


def _fill(transaction: Transaction) -> None:
    """Write the events of many subjects of two organizations, one after the other."""
    subjects = [(n, f"/shipx/{1 + n % 2}", f"shipment/{n}", n % PARTITIONS, EACH) for n in range(1, SUBJECTS + 1)]
    transaction.insert("subjects (id, source, name, partition, sequence)", subjects)
    events = [
        (f"e{n}", "shipment.confirmed", 1 + n // EACH, 1 + n % EACH, "shipx.shipment.confirmed", n, n, b"{}" * 200)
        for n in range(EVENTS)
    ]
    columns = "id, type, subject_id, sequence, routing_key, occurred_at, recorded_at, body"
    for first in range(0, EVENTS, 1000):
        transaction.insert(f"events ({columns})", events[first : first + 1000])


def _analyze(transaction: Transaction) -> None:
    for table in ("subjects", "events"):
        transaction.run(f"ANALYZE {table}")


async def _about(database: Database, wanted: Filter) -> list[list[int]]:
    """Ask about one subject in every way in which the feed can be asked."""
    feed, replays = SqlFeed(database), SqlReplays(database)
    selection = Selection(wanted)
    pages = [
        (await feed.page(after, most, wanted)).events for after in (None, encode(EVENTS // 3)) for most in (1, 100)
    ]
    pages += [(await feed.page(await feed.before(last, wanted), 100, wanted)).events for last in (1, 3)]
    pages.append((await replays.page(selection, await replays.span(selection))).events)
    return [[event.position for event in page] for page in pages]


@pytest.mark.parametrize("analyzed", [False, True])
async def test_the_events_of_one_subject_are_found_without_going_through_others(
    database: ManagedDatabase, analyzed: bool
) -> None:
    await database.write(_fill)
    if analyzed:
        await database.write(_analyze)
    explaining = Explaining(database)
    its = [*range((SUBJECT - 1) * EACH + 1, SUBJECT * EACH + 1)]
    found = await _about(explaining, Filter(subject=f"shipment/{SUBJECT}"))
    assert found == [its[:1], its, its[:1], its, its[-1:], its[-3:], its]
    plans = {sql: plan for sql, plan in explaining.plans.items() if "subjects" in sql}
    assert plans
    for sql, plan in plans.items():
        assert not _READS_ALL_NAMES[database.dialect].search(plan), f"{sql}\n{plan}"
    assert await _about(database, Filter(subject="shipment/0")) == [[]] * 7
    assert await _about(database, Filter(subject="shipment/2", organizations=(2,))) == [[]] * 7


@pytest.mark.parametrize(("state", "index"), [("done", "deliveries_newest"), ("failed", "deliveries_failed")])
async def test_deliveries_to_replay_are_found_from_where_it_is_on_by_an_index(
    database: ManagedDatabase, state: State, index: str
) -> None:
    inbox = SqlInbox(database, Vault())
    sent = [replace(arrival(n, "created"), received_at=NOW + timedelta(seconds=n)) for n in range(1, 3001)]
    for first in range(0, len(sent), 1000):
        await inbox.accept(sent[first : first + 1000])
    await database.write(lambda transaction: transaction.run("UPDATE deliveries SET state = 1, verdict = 'projected'"))
    await database.write(lambda transaction: transaction.run("ANALYZE deliveries"))
    explaining = Explaining(database)
    wanted = WantedDeliveries(state, verdict="bug")
    deliveries = SqlDeliveries(cast(Database, explaining), Vault(), inbox)
    until = await deliveries.end(wanted)
    assert until is not None
    found = await deliveries.to_replay(wanted, (micros(sent[1500].received_at), sent[1500].id), until, 10)
    last = sent[-1] if state == "failed" else sent[2500]
    assert (found.listed, found.after) == ([], (micros(last.received_at), last.id))
    _, looked, taken = explaining.plans.values()
    assert (index in looked, index in taken) == (True, True), f"{looked}\n{taken}"
    assert not any(_READS_IT_ALL[database.dialect].search(plan) for plan in (looked, taken)), f"{looked}\n{taken}"


async def test_what_waits_for_a_person_is_listed_by_its_index(database: ManagedDatabase) -> None:
    explaining = Explaining(database)
    wanted = Wanted(PurchaseState.held)
    await SqlListed(cast(Database, explaining)).list(wanted, 50)
    (plan,) = [plan for sql, plan in explaining.plans.items() if "FROM purchases WHERE" in sql]
    assert "purchases_held" in plan


async def test_what_was_bought_last_is_found_by_its_index(database: ManagedDatabase) -> None:
    explaining = Explaining(database)
    purchases = SqlPurchases(cast(Database, explaining), Recorder(Envelope("demo")), "me")
    await purchases.bought(OrganizationId(1), NOW)
    await purchases.accepted(OrganizationId(1), NOW)
    bought, accepted = explaining.plans.values()
    assert ("purchases_bought" in bought, "purchases_due" in accepted) == (True, True)


async def test_old_decisions_are_found_by_their_index(database: ManagedDatabase) -> None:
    explaining = Explaining(database)
    tokens = await SqlLeases(database, "me").hold([LEASE])
    await SqlPruning(cast(Database, explaining), "me").prune("decisions", NOW, BEGINNING, 10, tokens)
    (plan,) = [plan for sql, plan in explaining.plans.items() if "FROM decisions" in sql]
    assert "decisions_oldest" in plan


async def test_old_commands_are_found_by_their_index(database: ManagedDatabase) -> None:
    explaining = Explaining(database)
    tokens = await SqlLeases(database, "me").hold([LEASE])
    await SqlPruning(cast(Database, explaining), "me").prune("commands", NOW, BEGINNING, 10, tokens)
    (plan,) = [plan for sql, plan in explaining.plans.items() if "FROM commands" in sql]
    assert "commands_ended" in plan
