"""Deliveries become facts, each once, numbered without gaps, whatever happens to their neighbours."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from bridge.carriers.shipx import webhook
from bridge.errors import StoreConflict, StoreUnavailable
from bridge.events.cloudevents import Envelope
from bridge.events.notification import Notification
from bridge.events.projection import Projection, project
from bridge.events.shipment import ShipmentState
from bridge.model import Arrival, Delivery, DeliveryId, OrganizationId, Parked, Receipt, ShipmentId
from bridge.store.database import Database, ManagedDatabase
from bridge.store.facts import Recorder
from bridge.store.inbox import Bounds, SqlInbox
from bridge.store.outbox import SqlOutbox
from bridge.store.projecting import Projected, SqlProjector
from bridge.store.sealed import Vault

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
KEY, NEXT_KEY = b"k" * 32, b"n" * 32
WORDS = ["created", "confirmed", "taken_by_courier", "adopted_at_source_branch", "out_for_delivery", "delivered"]


def arrival(word: str, *, second: int = 0, shipment: int = 1, organization: int = 4821, **extra: Any) -> Arrival:
    """Give a status webhook as the receiver hands it on."""
    at = f"2026-11-20 12:{second // 60:02}:{second % 60:02} +0100"
    payload = {"shipment_id": shipment, "status": word, **extra}
    document = {
        "event_ts": at,
        "event": "shipment_status_changed",
        "organization_id": organization,
        "payload": payload,
    }
    body = json.dumps(document).encode()
    found = webhook.read(body, NOW)
    return Arrival(
        found.id, found.organization, found.event, found.shipment, found.at, NOW, body, sha256(body).digest()
    )


class Books:
    """An inbox and a projector on one database, and a look at what they wrote."""

    def __init__(
        self,
        database: Database,
        *,
        vault: Vault | None = None,
        project: Callable[[Notification, ShipmentState | None], Projection] = project,
        read: Callable[[Delivery], Notification] = webhook.notification,
    ) -> None:
        self.database = database
        vault = vault or Vault()
        self.inbox = SqlInbox(database, vault)
        self.projector = SqlProjector(database, vault, Recorder(Envelope("demo")), read, project)

    async def accept(self, *arrivals: Arrival) -> tuple[Receipt | None, ...]:
        return (await self.inbox.accept(arrivals)).receipts

    async def project(self, limit: int = 100) -> Projected:
        return await self.projector.project(limit, NOW)

    async def rows(self, sql: str) -> list[Any]:
        found = await self.database.read(lambda transaction: transaction.run(sql))
        return [row[0] if len(row) == 1 else row for row in found]

    async def change(self, sql: str) -> None:
        await self.database.write(lambda transaction: transaction.run(sql))

    async def verdicts(self) -> dict[int, str]:
        return dict(await self.rows("SELECT shipment, verdict FROM deliveries"))

    async def sequences(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for name, sequence in await self.rows(
            "SELECT name, events.sequence FROM events JOIN subjects ON subjects.id = subject_id ORDER BY position"
        ):
            found.setdefault(name, []).append(sequence)
        return found


async def test_a_fact_is_an_event_and_a_place_in_the_outbox_in_one(database: Database) -> None:
    books = Books(database)
    await books.accept(arrival("confirmed", tracking_number="6200"))
    projected = await books.project()
    assert (projected.verdicts, projected.events, projected.failed) == ({"projected": 1}, 3, ())
    assert await books.rows("SELECT type, key, position FROM facts ORDER BY position") == [
        ("shipment.confirmed", "confirmed", 1),
        ("shipment.tracking_number_assigned", "6200", 2),
        ("shipment.status_changed", "confirmed#1", 3),
    ]
    assert await books.rows("SELECT position FROM outbox ORDER BY position") == [1, 2, 3]
    (delivery,) = await books.rows("SELECT id FROM deliveries")
    for position, kind, sequence, body, by in await books.rows(
        "SELECT position, type, sequence, body, delivery FROM events ORDER BY position"
    ):
        document = json.loads(body)
        assert position == sequence == int(document["sequence"])
        assert document["type"] == f"bridge.{kind}.v1"
        assert by == document["causationid"] == delivery


async def test_the_same_fact_told_by_another_webhook_is_one_event(database: Database) -> None:
    books = Books(database)
    await books.accept(arrival("confirmed"), arrival("confirmed", second=1))
    assert (await books.project()).verdicts == {"projected": 1, "nothing_new": 1}
    events = await books.rows("SELECT id FROM events")
    await books.accept(arrival("confirmed", second=2))
    assert (await books.project()).events == 0
    assert await books.rows("SELECT id FROM events") == events


async def test_sequences_have_no_gaps_over_many_rounds_and_subjects(database: Database) -> None:
    chance = random.Random(7)
    books = Books(database)
    arrivals = [arrival(word, second=n * 7, shipment=s) for s in range(1, 8) for n, word in enumerate(WORDS)]
    arrivals += chance.sample(arrivals, 10)
    chance.shuffle(arrivals)
    for start in range(0, len(arrivals), 9):
        await books.accept(*arrivals[start : start + 9])
        while (await books.project(limit=4)).deliveries:
            pass
    found = await books.sequences()
    assert set(found) == {f"shipment/{s}" for s in range(1, 8)}
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in found.values())
    assert dict(await books.rows("SELECT name, sequence FROM subjects")) == {k: len(v) for k, v in found.items()}
    assert await books.rows("SELECT count(*) FROM facts") == await books.rows("SELECT count(*) FROM events")
    assert len(set(await books.rows("SELECT id FROM events"))) == sum(map(len, found.values()))


async def test_what_was_made_is_told_as_the_outbox_has_it(database: Database) -> None:
    books = Books(database)
    await books.accept(arrival("confirmed", tracking_number="6200"), arrival("created", shipment=2))
    made = (await books.project()).made
    outbox = SqlOutbox(database, "one")
    assert [one.pending for one in made] == await outbox.pending(0, 10, range(64))
    assert [one.is_next for one in made if one.pending.event.sequence == 1] == [True, True]
    assert not any(one.is_next for one in made if one.pending.event.sequence > 1)


async def test_an_event_is_next_once_all_before_it_are_published(database: Database) -> None:
    books = Books(database)
    outbox = SqlOutbox(database, "one")

    async def made(word: str, second: int) -> bool:
        await books.accept(arrival(word, second=second))
        (one,) = (await books.project()).made
        return one.is_next

    assert await made("created", 1)
    await outbox.confirm([one.event.position for one in await outbox.pending(0, 10, range(64))], {}, NOW)
    assert await made("taken_by_courier", 3)
    assert not await made("delivered", 4)


async def test_two_organizations_may_have_the_same_shipment_number(database: Database) -> None:
    books = Books(database)
    await books.accept(arrival("created"), arrival("created", organization=4822))
    assert (await books.project()).events == 2
    assert await books.rows("SELECT source, sequence FROM subjects ORDER BY source") == [
        ("/shipx/4821", 1),
        ("/shipx/4822", 1),
    ]


async def test_a_replay_changes_nothing(database: Database) -> None:
    books = Books(database)
    await books.accept(*[arrival(word, second=n) for n, word in enumerate(WORDS)])
    await books.project()
    before = await books.rows("SELECT * FROM events"), await books.rows("SELECT state FROM subjects")
    await books.change("UPDATE deliveries SET state = 0")
    assert (await books.project()).verdicts == {"nothing_new": len(WORDS)}
    assert (await books.rows("SELECT * FROM events"), await books.rows("SELECT state FROM subjects")) == before


# --- what goes wrong with one -----------------------------------------------------------------------------------------


def fails_at_13(notification: Notification, known: ShipmentState | None) -> Projection:
    if notification.shipment == 13:
        raise ZeroDivisionError
    return project(notification, known)


def reads_no_13(delivery: Delivery) -> Notification:
    if b'"shipment_id": 13' in delivery.body:
        raise KeyError("a bug of the codec")
    return webhook.notification(delivery)


def unwritable_13(notification: Notification, known: ShipmentState | None) -> Projection:
    found = project(notification, known)
    if notification.shipment != 13:
        return found
    return replace(found, facts=tuple(replace(fact, key=["no", "text"]) for fact in found.facts))  # type: ignore[arg-type]


BUGS: Sequence[dict[str, Any]] = [{"project": fails_at_13}, {"read": reads_no_13}, {"project": unwritable_13}]


async def test_a_bug_met_by_one_delivery_is_its_verdict_and_stops_nobody(database: Database) -> None:
    for round_, bug in enumerate(BUGS):
        books = Books(database, **bug)
        await books.accept(*[arrival("created", second=round_, shipment=n) for n in (12, 13, 14)])
        projected = await books.project()
        assert projected.verdicts["bug"] == 1, bug
        assert [verdict for _, verdict in projected.failed] == ["bug"]
        assert (await books.verdicts())[13] == "bug"
        assert await books.rows("SELECT count(*) FROM deliveries WHERE state = 0") == [0]
    assert await books.sequences() == {"shipment/12": [1], "shipment/14": [1]}
    fixed = Books(database)
    await fixed.change("UPDATE deliveries SET state = 0 WHERE verdict = 'bug'")
    assert (await fixed.project()).failed == ()
    assert (await fixed.sequences())["shipment/13"] == [1]


async def test_trouble_of_the_database_is_nobodys_verdict(database: Database) -> None:
    def trouble(_delivery: Delivery) -> Notification:
        raise StoreUnavailable("gone")

    books = Books(database)
    await books.accept(arrival("created"))
    await books.change("ALTER TABLE events RENAME TO elsewhere")
    try:
        await books.project()
    except StoreUnavailable:
        await books.change("ALTER TABLE elsewhere RENAME TO events")
    assert await books.rows("SELECT state, verdict FROM deliveries") == [(0, None)]
    assert (await books.project()).verdicts == {"projected": 1}


# --- sealed bodies ----------------------------------------------------------------------------------------------------


async def test_bodies_are_sealed_and_open_with_the_key_they_were_sealed_with(database: Database) -> None:
    before = Books(database, vault=Vault.with_keys([KEY]))
    await before.accept(arrival("created", shipment=1, receiver="Kowalska"))
    after = Books(database, vault=Vault.with_keys([NEXT_KEY, KEY]))
    await after.accept(arrival("created", shipment=2, receiver="Kowalska"))
    sealed = await after.rows("SELECT key_id, data FROM sealed")
    assert len({key_id for key_id, _ in sealed}) == 2
    assert not any(b"Kowalska" in data or b"shipment" in data for _, data in sealed)
    assert (await after.project()).verdicts == {"projected": 2}


async def test_without_its_key_a_delivery_fails_with_a_word_and_waits_for_it(database: Database) -> None:
    await Books(database, vault=Vault.with_keys([KEY])).accept(arrival("created", shipment=1))
    other = Books(database, vault=Vault.with_keys([NEXT_KEY]))
    await other.accept(arrival("created", shipment=2))
    await other.project()
    assert await other.verdicts() == {1: "key_missing", 2: "projected"}
    found = Books(database, vault=Vault.with_keys([NEXT_KEY, KEY]))
    await found.change("UPDATE deliveries SET state = 0 WHERE state = 2")
    assert (await found.project()).verdicts == {"projected": 1}


async def test_a_repeat_brings_back_a_body_whose_key_is_gone(database: Database) -> None:
    await Books(database, vault=Vault.with_keys([KEY])).accept(arrival("created"))
    books = Books(database, vault=Vault.with_keys([NEXT_KEY]))
    assert (await books.project()).verdicts == {"key_missing": 1}
    assert await books.accept(arrival("created")) == (Receipt.accepted,)
    assert (await books.project()).verdicts == {"projected": 1}


async def test_erasing_what_is_personal_leaves_every_fact(database: Database) -> None:
    books = Books(database, vault=Vault.with_keys([KEY]))
    await books.accept(arrival("created"), arrival("confirmed", second=1))
    await books.project()
    before = [await books.rows(f"SELECT * FROM {table}") for table in ("events", "facts", "subjects", "deliveries")]
    await books.change("DELETE FROM sealed")
    assert [await books.rows(f"SELECT * FROM {t}") for t in ("events", "facts", "subjects", "deliveries")] == before
    assert await books.accept(arrival("created")) == (Receipt.duplicate,), "and it is still known"
    await books.accept(arrival("delivered", second=2))
    await books.project()
    assert (await books.sequences())["shipment/1"] == [1, 2, 3, 4]


# --- the inbox --------------------------------------------------------------------------------------------------------


async def test_a_batch_may_hold_the_same_webhook_several_times(database: Database) -> None:
    books = Books(database)
    one, two = arrival("created"), arrival("delivered")
    assert await books.accept(one, two, arrival("created"), arrival("created")) == (
        Receipt.accepted,
        Receipt.accepted,
        Receipt.duplicate,
        Receipt.duplicate,
    )
    assert await books.accept(two, one, arrival("created")) == (Receipt.duplicate,) * 3
    assert dict(await books.rows("SELECT id, repeats FROM deliveries")) == {one.id: 4, two.id: 1}
    assert dict(await books.rows("SELECT name, n FROM tallies")) == {"accepted": 2, "duplicate": 5}


async def test_a_value_that_the_database_cannot_hold_fails_alone(database: Database) -> None:
    books = Books(database)
    hostile = [
        replace(arrival("created", shipment=3), shipment=ShipmentId(2**70)),
        replace(arrival("created", shipment=4), event="\ud800"),
        replace(arrival("created", shipment=5), id=DeliveryId("\udfff")),
    ]
    good = [arrival("created", shipment=6), arrival("created", shipment=7)]
    assert await books.accept(good[0], *hostile, good[1]) == (Receipt.accepted, None, None, None, Receipt.accepted)
    assert await books.rows("SELECT shipment FROM deliveries ORDER BY shipment") == [6, 7]
    assert dict(await books.rows("SELECT name, n FROM tallies")) == {"accepted": 2, "refused": 3}


async def test_counters_are_kept_by_day_and_organization(database: Database) -> None:
    books = Books(database)
    await books.accept(arrival("created"), arrival("created", organization=4822))
    await books.accept(replace(arrival("created"), received_at=NOW + timedelta(days=1)))
    assert sorted(await books.rows("SELECT day, organization, name, n FROM tallies")) == [
        ("2026-11-20", 4821, "accepted", 1),
        ("2026-11-20", 4822, "accepted", 1),
        ("2026-11-21", 4821, "duplicate", 1),
    ]


async def test_a_conflict_met_while_deliveries_are_taken_apart_is_nobodys_verdict(database: ManagedDatabase) -> None:
    """Where the server undoes a transaction for another one's sake, the whole unit is run again."""
    conflicts = ["one"]

    def meets_a_conflict(notification: Notification, known: ShipmentState | None) -> Projection:
        if notification.shipment == 12 and sees_13_alone and conflicts:
            raise StoreConflict(conflicts.pop())
        if notification.shipment == 13:
            sees_13_alone.append(True)
            raise ZeroDivisionError
        return project(notification, known)

    sees_13_alone: list[bool] = []
    books = Books(database, project=meets_a_conflict)
    await books.accept(*[arrival("created", shipment=n) for n in (13, 12, 14)])
    if database.dialect == "sqlite":
        with pytest.raises(StoreConflict):  # one writer alone meets none; whoever asked comes again
            await books.project()
    await books.project()
    assert conflicts == []
    assert await books.verdicts() == {12: "projected", 13: "bug", 14: "projected"}


async def test_whoever_parks_at_the_same_time_keeps_no_more_than_the_bound(database: ManagedDatabase) -> None:
    inbox = SqlInbox(database, Vault(), Bounds(rows=5))

    def parked(number: int) -> Parked:
        return Parked(DeliveryId(f"{number:042x}"), "not_json", OrganizationId(4821), "127.0.0.1", NOW, 1, b"{")

    await asyncio.gather(*(inbox.accept([parked(2 * number), parked(2 * number + 1)]) for number in range(40)))
    books = Books(database)
    assert await books.rows("SELECT count(*) FROM parked") == [5]
    assert await books.rows("SELECT count(*) FROM sealed") == [5]
