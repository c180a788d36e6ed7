"""What is old goes in small batches; what still waits stays, nothing is told twice, and the books go on adding up."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bridge.errors import LeaseLost
from bridge.events.cloudevents import Envelope
from bridge.lifecycle import Stop
from bridge.model import Command, CommandState, Outcome, Progress, Receipt, ShipmentId, micros
from bridge.observability import Metrics
from bridge.reconciling.retention import LEASE, Pace, Retention
from bridge.returns.ticket import ReturnLabel, Ticket
from bridge.shipping.returns.keeping import Keeping
from bridge.store import labels, sealed
from bridge.store.commands import SqlCommands
from bridge.store.database import ManagedDatabase, Transaction
from bridge.store.facts import Recorder
from bridge.store.feed import Filter, SqlFeed
from bridge.store.labels import Kept, Place, content_of
from bridge.store.leases import SqlLeases
from bridge.store.pruning import BEGINNING, TABLES, Cursor, SqlPruning, Table
from bridge.store.returns import Kept as Returned
from bridge.store.returns import Secrets
from bridge.store.sealed import Vault
from bridge.store.shelf import drop_sealed
from tests.contract.store.shop import ORGANIZATION, Shop, shop

KEPT = timedelta(days=90)
HOLDER = "one"
QUICK = Pace(rests=0, shortest_rest_s=0, fewest=3, most=3)


@pytest.fixture
async def opened(database: ManagedDatabase) -> AsyncIterator[Shop]:
    """A shop that has bought two shipments, one of them in the carrier's own way, and delivered them."""
    async with shop(database) as found:
        await found.create()
        await found.create(service="inpost_locker_standard")
        await found.misfits()
        for seconds in (1, 1, 1, 1, 15, 15, 15):
            await found.live(seconds)
        yield found


async def pass_days(opened: Shop, days: float) -> None:
    await opened.simulator.advance(days * 86_400)


def retention(opened: Shop, *, holder: str = HOLDER, metrics: Metrics | None = None) -> Retention:
    return Retention(
        store=SqlPruning(opened.database, holder),
        leases=SqlLeases(opened.database, holder),
        keep=dict.fromkeys(TABLES, KEPT),
        metrics=metrics or Metrics(),
        clock=lambda: opened.now,
        stop=Stop(),
        pace=QUICK,
    )


async def count(opened: Shop, table: str) -> int:
    [n] = await opened.rows(f"SELECT count(*) FROM {table}")
    return int(n)


async def counts(opened: Shop) -> dict[str, int]:
    tables = ("deliveries", "sealed", "parked", "events", "outbox", "journal", "decisions", "commands", "labels")
    of_returns = {"returns": "returns", "return_labels": "returns WHERE label_format IS NOT NULL"}
    return {table: await count(opened, of) for table, of in ({one: one for one in tables} | of_returns).items()}


async def command(
    opened: Shop, key: str, *, ends: bool, operation: str = "dead.redrive", made: str | None = None
) -> None:
    """Give a command, and end it now where it ends; `made` is the return that it made."""
    commands = SqlCommands(opened.database, Vault(), "one")
    await commands.submit(Command(operation, key, b"{}", "cli"))
    if not ends:
        return
    (claimed,) = await commands.claim({operation: 1})
    if made is not None:
        await commands.note(claimed, Progress(at={"return_id": made}, is_sent=True))
    await commands.end(claimed, lambda _: Outcome(CommandState.done, {"messages": 1}))
    await opened.change(f"UPDATE commands SET ended_at = {micros(opened.now)} WHERE id = '{key}'")


async def label(opened: Shop) -> None:
    """Keep a label now, as the desk does."""
    where = Place(ORGANIZATION, ShipmentId(7), "pdf", None)
    kept = Kept(where, "kept", opened.now, sha256="00ff", size=4)

    def write(transaction: Transaction) -> None:
        sealed.keep(transaction, Vault(), [(content_of(ORGANIZATION, "00ff"), b"%PDF")])
        labels.keep(transaction, kept, drop_sealed)

    await opened.database.write(write)


async def returned(opened: Shop, id_: str = "a" * 32, status: str | None = "delivered") -> str:
    """Keep a return that is made now, with its label; without a status nobody knows whether it is."""
    recorder = Recorder(Envelope("test"))
    keeping = Keeping(opened.database, Vault(), recorder, lambda: opened.now, lambda: None)
    one = Returned(id_, "inpost_returns/main", None, id_, "pending", opened.now, Secrets("ORDER123"))

    def write(transaction: Transaction) -> None:
        keeping.begin(transaction, one)
        if status is None:
            keeping.lost(transaction, one)
        else:
            keeping.made(
                transaction, one, Ticket(id_, "1234567890", secondary_barcode="1", label=ReturnLabel(b"%PDF", "pdf"))
            )

    await opened.database.write(write)
    if status is not None:
        due_at = micros(opened.now) if status == "in_transit" else "NULL"
        change = f"return_status = '{status}', moved_at = {micros(opened.now)}, due_at = {due_at}"
        await opened.change(f"UPDATE returns SET {change} WHERE id = '{id_}'")
    return id_


LASTING = ("facts", "subjects", "purchases", "tallies", "meta")


async def test_what_is_old_goes_and_what_lasts_stays(opened: Shop) -> None:
    await opened.publish()
    await command(opened, "old", ends=True)
    await label(opened)
    await returned(opened)
    await opened.publish()
    before = await counts(opened)
    assert min(before.values()) > 0
    lasting = [await opened.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in LASTING]
    metrics = Metrics()
    await pass_days(opened, 89)
    await retention(opened, metrics=metrics).sweep()
    assert await counts(opened) == before, "nothing is old yet"
    await pass_days(opened, 2)
    await retention(opened, metrics=metrics).sweep()
    assert set((await counts(opened)).values()) == {0}
    assert [await opened.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in LASTING] == lasting
    deleted = {table: metrics.registry.get_sample_value("bridge_pruned_total", {"table": table}) for table in TABLES}
    assert deleted == {table: before[table] for table in TABLES}


async def test_the_young_stay_beside_the_old(opened: Shop) -> None:
    await pass_days(opened, 60)
    [last] = await opened.rows("SELECT max(position) FROM events")
    new = await opened.create()
    for seconds in (1, 1, 1, 1, 15):
        await opened.live(seconds)
    await opened.publish()
    await pass_days(opened, 40)
    await retention(opened).sweep()
    assert await opened.rows("SELECT DISTINCT shipment FROM deliveries") == [new]
    assert await opened.rows("SELECT DISTINCT shipment FROM journal") == [new]
    assert await opened.rows("SELECT DISTINCT name FROM events JOIN subjects ON subjects.id = subject_id") == [
        f"shipment/{new}"
    ]
    assert await opened.rows("SELECT min(position) FROM events") == [last + 1]
    assert await count(opened, "sealed") == await count(opened, "deliveries")
    assert await count(opened, "outbox") == await count(opened, "events")


async def test_a_return_goes_when_it_has_ended_and_nothing_was_told_of_it_for_so_long(opened: Shop) -> None:
    old = [
        await returned(opened, str(n) * 32, status) for n, status in enumerate(("delivered", "expired", "in_transit"))
    ]
    unknown = await returned(opened, "b" * 32, None)
    told = await returned(opened, "c" * 32, "rejected")
    await pass_days(opened, 91)
    recorded_at = micros(opened.now - timedelta(days=1))
    await opened.change(
        f"UPDATE events SET recorded_at = {recorded_at} WHERE subject_id ="
        f" (SELECT id FROM subjects WHERE name = 'return/{told}')"
    )
    young = await returned(opened, "d" * 32)
    await retention(opened).sweep()
    assert set(await opened.rows("SELECT id FROM returns")) == {old[2], unknown, told, young}
    owners = set(await opened.rows("SELECT owner FROM sealed WHERE owner LIKE 'return/%'"))
    labels = {f"return/{one}/label" for one in (old[2], young)}
    handovers = {f"return/{one}/handover" for one in (old[2], told, young)}
    assert owners == {f"return/{one}" for one in (old[2], unknown, told, young)} | labels | handovers
    assert (await opened.audit()).is_balanced


async def test_a_command_that_has_not_ended_stays_with_what_was_asked(opened: Shop) -> None:
    await command(opened, "old", ends=True)
    await command(opened, "waiting", ends=False)
    await pass_days(opened, 91)
    await retention(opened).sweep()
    assert await opened.rows("SELECT id FROM commands") == ["waiting"]
    assert await opened.rows("SELECT owner FROM sealed") == ["command:body/dead.redrive/waiting"]


async def test_a_command_stays_as_long_as_the_return_that_it_made(opened: Shop) -> None:
    """Else whoever repeats it has another one made."""
    operations = ("return.create", "return.code.activate")
    stays = []
    for number, status in enumerate(("in_transit", None, "in_transit", None)):
        made = await returned(opened, str(number) * 32, status)
        for operation in operations:
            await command(opened, f"{operation}-{number}", ends=True, operation=operation, made=made)
            stays.append(f"{operation}-{number}")
    ended = await returned(opened, "a" * 32)
    for operation in operations:
        await command(opened, f"zz-{operation}", ends=True, operation=operation, made=ended)
    await command(opened, "zz-other", ends=True)
    await pass_days(opened, 91)
    for _ in range(2):  # what has ended goes, and then what made it
        await retention(opened).sweep()
    assert set(await opened.rows("SELECT id FROM commands")) == set(stays)
    assert len(await opened.rows("SELECT owner FROM sealed WHERE owner LIKE 'command:result/%'")) == len(stays)


async def test_a_decision_stays_as_long_as_its_purchase_is_open(opened: Shop) -> None:
    [shipment, *_] = await opened.rows("SELECT shipment FROM decisions ORDER BY shipment")
    await opened.change(
        "INSERT INTO decisions SELECT organization, shipment + 100, at, intent_id, policy_sha256, body FROM decisions"
    )
    await pass_days(opened, 91)
    for state in ("wanted", "intended", "doubt", "held"):
        await opened.change(f"UPDATE purchases SET state = '{state}' WHERE shipment = {shipment}")
        await retention(opened).sweep()
        assert set(await opened.rows("SELECT shipment FROM decisions")) == {shipment}, "only the other one's are gone"
    await opened.change(f"UPDATE purchases SET state = 'declined' WHERE shipment = {shipment}")
    await retention(opened).sweep()
    assert await count(opened, "decisions") == 0


async def test_decisions_of_one_moment_go_in_batches_all_the_same(opened: Shop) -> None:
    numbers = ", ".join(f"({one})" for one in range(100, 110))
    await opened.change(f"INSERT INTO decisions SELECT 1, column1, 5, NULL, '', '' FROM (VALUES {numbers}) AS numbers")
    store, tokens = SqlPruning(opened.database, HOLDER), await SqlLeases(opened.database, HOLDER).hold([LEASE])
    after: Cursor | None = BEGINNING
    deleted = []
    while after is not None:
        batch = await store.prune("decisions", opened.now - KEPT, after, 4, tokens)
        deleted.append(batch.rows)
        after = batch.after
    assert deleted == [4, 4, 2]


async def test_the_books_add_up_after_every_batch(opened: Shop) -> None:
    await opened.publish()
    await pass_days(opened, 91)
    await opened.create()
    for seconds in (1, 1, 1, 1):
        await opened.live(seconds)
    store, leases = SqlPruning(opened.database, HOLDER), SqlLeases(opened.database, HOLDER)
    whole = {one.key: dict(one.figures) for one in (await opened.audit()).identities}
    for table in TABLES:
        after: Cursor | None = BEGINNING
        while after is not None:
            tokens = await leases.hold([LEASE])
            after = (await store.prune(table, opened.now - KEPT, after, 3, tokens)).after
            audit = await opened.audit(later=61)
            assert audit.is_balanced, (table, audit)
    audit = await opened.audit()
    figures = {one.key: dict(one.figures) for one in audit.identities}
    assert figures["b"]["pruned"] > 0
    assert figures["b"]["facts"] == figures["b"]["events"] + figures["b"]["pruned"] == whole["b"]["facts"]
    assert figures["a"]["deliveries"] + figures["a"]["pruned"] == whole["a"]["deliveries"]
    assert figures["c"]["subjects"] == whole["c"]["subjects"]
    assert figures["e"] == whole["e"], "the ledger and what the carrier told of it last"
    assert (await opened.audit(opened.now - timedelta(days=1))).is_balanced


async def test_an_event_that_is_lost_below_the_mark_is_not_taken_for_a_pruned_one(opened: Shop) -> None:
    await opened.publish(most=4)
    await pass_days(opened, 91)
    await retention(opened).sweep()
    kept = await opened.rows("SELECT position FROM events ORDER BY position")
    await opened.publish()
    [mark] = await opened.rows("SELECT until FROM pruned WHERE what = 'events'")
    await opened.change(f"UPDATE pruned SET until = {kept[-1]} WHERE what = 'events'")
    assert (await opened.audit()).is_balanced
    await opened.change(f"DELETE FROM events WHERE position = {kept[0]}")
    await opened.change(f"DELETE FROM outbox WHERE position = {kept[0]}")
    facts = next(one for one in (await opened.audit()).identities if one.key == "b")
    assert [(one.what, one.rows) for one in facts.differences] == [
        ("facts whose event is gone, beside those deleted for their age", 1)
    ]
    assert mark < kept[0]


async def test_what_the_broker_has_yet_to_confirm_stays_whatever_its_age(opened: Shop) -> None:
    await opened.publish(most=3)
    pending = await opened.rows("SELECT position FROM outbox WHERE state = 0 ORDER BY position")
    await pass_days(opened, 1000)
    await retention(opened).sweep()
    assert await opened.rows("SELECT position FROM outbox ORDER BY position") == pending
    assert await opened.rows("SELECT position FROM events ORDER BY position") == pending
    assert (await opened.audit()).is_balanced
    assert await opened.publish() == len(pending), "it is still published"
    await retention(opened).sweep()
    assert await count(opened, "events") == 0


async def test_nothing_goes_before_what_came_earlier_of_the_same_subject(opened: Shop) -> None:
    await opened.publish()
    [first] = await opened.rows("SELECT min(position) FROM events WHERE sequence = 2")
    [subject] = await opened.rows(f"SELECT subject_id FROM events WHERE position = {first}")
    await opened.change(f"UPDATE outbox SET state = 2 WHERE position = {first}")
    kept = await opened.rows(
        f"SELECT position FROM events WHERE subject_id = {subject} AND sequence >= 2 ORDER BY position"
    )
    await pass_days(opened, 91)
    await retention(opened).sweep()
    assert await opened.rows("SELECT position FROM events ORDER BY position") == kept
    assert (await opened.audit()).is_balanced


async def test_without_a_broker_events_go_by_their_age(opened: Shop) -> None:
    assert await opened.rows("SELECT DISTINCT state FROM outbox") == [0]
    await pass_days(opened, 91)
    await retention(opened).sweep()
    assert (await count(opened, "events"), await count(opened, "outbox")) == (0, 0)
    assert (await opened.audit()).is_balanced


async def test_a_delivery_without_a_verdict_stays_and_is_worked_off_late(opened: Shop) -> None:
    [first] = await opened.rows("SELECT min(id) FROM deliveries WHERE verdict = 'projected'")
    await opened.change(f"UPDATE deliveries SET state = 0, verdict = NULL WHERE id = '{first}'")
    await pass_days(opened, 91)
    await retention(opened).sweep()
    assert await opened.rows("SELECT id FROM deliveries") == [first]
    assert await opened.rows("SELECT owner FROM sealed") == [first]
    await opened.project()
    assert await opened.rows("SELECT verdict FROM deliveries") == ["nothing_new"]


async def test_a_repeat_of_what_was_deleted_is_taken_again_and_changes_nothing(opened: Shop) -> None:
    bodies = [bytes(row) for row in await opened.rows("SELECT data FROM sealed ORDER BY owner")]
    bodies = [body for body in bodies if b'"shipment_id"' in body and b'"news"' not in body]
    await opened.publish()
    await pass_days(opened, 91)
    await retention(opened).sweep()
    lasting = [await opened.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in ("facts", "purchases")]
    arrivals = [opened.arrival(body) for body in bodies]
    receipts = (await opened.inbox.accept(arrivals)).receipts
    assert set(receipts) == {Receipt.accepted}, "it is not known any more"
    await opened.project()
    assert set(await opened.rows("SELECT verdict FROM deliveries")) <= {"nothing_new", "projected"}
    assert await count(opened, "events") == 0
    for _ in range(3):
        await opened.live(30)
    assert [await opened.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in ("facts", "purchases")] == lasting
    assert (await opened.audit(later=61)).is_balanced


async def test_a_reader_who_was_away_goes_on_with_what_there_is_and_is_told_of_the_gap(opened: Shop) -> None:
    feed = SqlFeed(opened.database)
    early = (await feed.page(None, 2)).cursor
    before = await feed.end()
    await pass_days(opened, 91)
    await retention(opened).sweep()
    assert (await feed.page(early, 100)).events == ()
    shipment = await opened.create()
    for seconds in (1, 1, 1):
        await opened.live(seconds)
    missed = await feed.page(early, 100)
    assert {event.subject.name for event in missed.events} == {f"shipment/{shipment}"}
    assert [event.sequence for event in missed.events] == list(range(1, len(missed.events) + 1))
    assert missed.has_gap
    assert (await feed.page(None, 1)).has_gap, "the beginning is gone, too"
    for cursor in (before, missed.cursor):
        assert not (await feed.page(cursor, 100, Filter())).has_gap
    assert (await feed.page(before, 100)).events == missed.events


async def test_only_who_holds_the_lease_deletes(opened: Shop) -> None:
    await pass_days(opened, 91)
    before = await counts(opened)
    tokens = await SqlLeases(opened.database, "another").hold([LEASE])
    await retention(opened).sweep()
    assert await counts(opened) == before
    with pytest.raises(LeaseLost):
        await SqlPruning(opened.database, HOLDER).prune("events", opened.now, BEGINNING, 10, tokens)
    assert await counts(opened) == before
    await SqlLeases(opened.database, "another").release([LEASE])
    await retention(opened).sweep()
    assert set((await counts(opened)).values()) == {0}


async def test_a_batch_looks_at_so_many_rows_and_no_more(opened: Shop) -> None:
    await pass_days(opened, 91)
    store, leases = SqlPruning(opened.database, HOLDER), SqlLeases(opened.database, HOLDER)
    tables: tuple[Table, ...] = ("deliveries", "events", "journal")
    for table in tables:
        before = await count(opened, table)
        batch = await store.prune(table, opened.now - KEPT, BEGINNING, 2, await leases.hold([LEASE]))
        assert (batch.rows, await count(opened, table)) == (2, before - 2), table


async def test_a_delivery_worked_off_once_more_waits_since_then(opened: Shop) -> None:
    [key] = await opened.rows("SELECT min(id) FROM deliveries WHERE verdict = 'projected'")
    await pass_days(opened, 30)
    at = int(opened.now.timestamp() * 1_000_000)
    await opened.change(f"UPDATE deliveries SET state = 0, verdict = NULL, reopened_at = {at} WHERE id = '{key}'")
    assert (await opened.audit(later=59)).is_balanced
    assert not (await opened.audit(later=61)).is_balanced
    await opened.project()
    assert (await opened.audit(later=61)).is_balanced


async def test_the_journal_of_a_purchase_holds_no_word_of_the_webhooks(opened: Shop) -> None:
    rows = await opened.rows("SELECT * FROM journal")
    told = json.dumps(rows)
    assert rows
    assert all(word not in told for word in ("Kowalska", "anna@", "888000000", "Malborska", "KRA010"))
