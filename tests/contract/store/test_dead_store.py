"""Dead events: counted, shown, and put back in a way that makes who publishes them look again."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel

from bridge.events.cloudevents import Envelope, partition
from bridge.model import Fact, OrganizationId, ShipmentId, Subject
from bridge.store.database import Database, Transaction, marks
from bridge.store.dead import DeadEvents, SqlDeadEvents
from bridge.store.facts import Recorder
from bridge.store.leases import SqlLeases
from bridge.store.outbox import SqlOutbox

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Note(BaseModel):
    """What the events of these tests carry."""

    number: int


def shipment(number: int) -> Subject:
    return Subject.shipment(OrganizationId(1), ShipmentId(number))


async def record(database: Database, *shipments: int) -> None:
    facts = [
        Fact(shipment(one), "shipment.confirmed", str(number), NOW, Note(number=number))
        for number, one in enumerate(shipments)
    ]
    recorder = Recorder(Envelope("demo"))

    def write(transaction: Transaction) -> None:
        ledgers = recorder.lock(transaction, {fact.subject for fact in facts})
        recorder.record(transaction, ledgers, facts, NOW)
        recorder.save(transaction, ledgers.values())

    await database.write(write)


async def die(database: Database, *positions: int) -> None:
    sql = f"UPDATE outbox SET state = 2, published_at = 1 WHERE position IN ({marks(positions)})"
    await database.write(lambda transaction: transaction.run(sql, positions))


async def revive(database: Database, most: int | None = None) -> int:
    return await database.write(lambda transaction: SqlDeadEvents(database).revive(transaction, most))


async def states(database: Database) -> list[int]:
    rows = await database.read(lambda transaction: transaction.run("SELECT state FROM outbox ORDER BY position"))
    return [row[0] for row in rows]


async def test_dead_events_are_counted_and_the_oldest_shown(database: Database) -> None:
    await record(database, 1, 2, 3)
    dead = SqlDeadEvents(database)
    assert await dead.look(10) == DeadEvents(0, ())
    await die(database, 3, 1)
    found = await dead.look(1)
    assert (found.count, [(one.position, one.subject) for one in found.oldest]) == (2, [(1, shipment(1))])


async def test_they_go_back_to_what_is_to_be_published(database: Database) -> None:
    await record(database, 1, 2, 3)
    await die(database, 1, 3)
    assert await revive(database) == 2
    assert await states(database) == [0, 0, 0]
    pending = await SqlOutbox(database, "relay").pending(0, 10, range(64))
    assert [one.event.position for one in pending] == [1, 2, 3]
    assert await revive(database) == 0


async def test_only_the_oldest_go_back_where_a_number_is_given(database: Database) -> None:
    await record(database, 1, 2, 3)
    await die(database, 1, 2, 3)
    assert await revive(database, 2) == 2
    assert await states(database) == [0, 0, 2]


async def test_who_publishes_their_partition_keeps_it_under_another_token_and_nobody_else_does(
    database: Database,
) -> None:
    await record(database, 1, 2)
    names = {number: f"relay/{partition(shipment(number))}" for number in (1, 2)}
    assert len(set(names.values())) == 2
    leases = SqlLeases(database, "relay")
    before = dict(await leases.hold(sorted(names.values())))
    await die(database, 1)
    await revive(database)
    after = await leases.hold(sorted(names.values()))
    assert after == before | {names[1]: before[names[1]] + 1}
