"""Carrier connections: permits that replicas share, and pauses that a person makes, the same on every database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from bridge.events.cloudevents import Envelope
from bridge.lifecycle import Stop, utc_now
from bridge.limits.breaker import SUSPECTED_AFTER
from bridge.limits.connection import (
    LEASE_S,
    Answer,
    Exchange,
    Exchanged,
    Granted,
    Later,
    Limits,
    Outcome,
    Purpose,
    Refused,
    Verdict,
)
from bridge.model import DeliveryId, OrganizationId, PurchaseWork, ShipmentId, micros, moment
from bridge.store.connections import Seen, SqlConnections, organization_of, shipx
from bridge.store.database import ManagedDatabase, Topic
from bridge.store.facts import Recorder
from bridge.store.feed import SqlFeed
from bridge.store.outlook import Errand, Take
from bridge.store.postgres import PostgresDatabase
from bridge.store.purchases import SqlPurchases
from bridge.store.wanting import want
from tests.support.bridge import until
from tests.support.purchases import taken

ORGANIZATION, OTHER = OrganizationId(4821), OrganizationId(4822)
NAME = shipx(ORGANIZATION)
LIMITS = Limits(per_minute=600, at_once=2)
ANSWERED, UNUSABLE = Outcome(Verdict.answered), Outcome(Verdict.unusable)
SECOND = 1_000_000


class Rows:
    """The rows of one database, as a replica uses them."""

    def __init__(self, database: ManagedDatabase) -> None:
        self.database = database
        self.store = SqlConnections(database, Recorder(Envelope("test")))

    async def bring(
        self, *wanted: Purpose, returned: Sequence[tuple[int, Outcome]] = (), limits: Limits = LIMITS
    ) -> Exchanged:
        return await self.store.exchange(NAME, limits, Exchange("a replica", returned, (), wanted), 0.5)

    async def pause(self, name: str, *, reason: str, by: str) -> Seen | None:
        return await self.database.write(lambda transaction: self.store.pause(transaction, name, reason=reason, by=by))

    async def resume(self, name: str) -> Seen | None:
        return await self.database.write(lambda transaction: self.store.resume(transaction, name))

    async def ask(self, purpose: Purpose = Purpose.read, limits: Limits = LIMITS) -> Answer:
        return (await self.bring(purpose, limits=limits)).answers[0]

    async def call(self, outcome: Outcome) -> None:
        answer = await self.ask()
        assert isinstance(answer, Granted), answer
        await self.bring(returned=[(answer.token, outcome)])

    async def seen(self) -> Seen:
        [found] = [one for one in await self.store.list() if one.name == NAME]
        return found

    async def change(self, **columns: object) -> None:
        """Change the row by hand, so that nobody has to wait."""
        names = ", ".join(f"{name} = ?" for name in columns)
        await self.database.write(
            lambda transaction: transaction.run(
                f"UPDATE connections SET {names} WHERE name = ?", [*columns.values(), NAME]
            )
        )

    async def pass_time(self, seconds: float) -> None:
        """Let everything in the row be older."""
        by = round(seconds * SECOND)
        before = (await self.seen()).connection
        held = [[one.token, one.holder, one.until - by, one.turn - by, one.is_probe] for one in before.held]
        opened = before.breaker.open_until
        await self.change(
            last_turn=before.last_turn - by,
            not_before=before.not_before - by,
            first_in_line=None,
            open_until=None if opened is None else opened - by,
            held=json.dumps(held),
        )

    async def told(self) -> list[dict[str, Any]]:
        page = await SqlFeed(self.database).page(None, 100)
        return [json.loads(one.body) for one in page.events]


@pytest.fixture
def rows(database: ManagedDatabase) -> Rows:
    return Rows(database)


# -- permits -----------------------------------------------------------------------------------------------------------


async def test_what_one_replica_takes_another_does_not_get(rows: Rows) -> None:
    assert [await rows.ask(), await rows.ask()] == [Granted(1), Granted(2)]
    assert isinstance(await rows.ask(), Later)
    await rows.bring(returned=[(1, ANSWERED)])
    assert await rows.ask() == Granted(3)


async def test_a_newer_replica_may_wait_for_what_this_one_has_no_word_for(rows: Rows) -> None:
    """Then it stands behind all others."""
    await rows.bring(Purpose.read, Purpose.read)
    until = micros(utc_now()) + 2 * SECOND
    await rows.change(first_in_line=json.dumps([max(Purpose) + 1, "a newer replica", until]))
    await rows.bring(returned=[(1, ANSWERED)])
    assert (await rows.seen()).connection.first_in_line is not None
    assert await rows.ask(Purpose.sweep) == Granted(3)


async def test_a_row_is_what_was_written_whatever_is_in_it(rows: Rows) -> None:
    await rows.call(Outcome(Verdict.unusable, retry_after=0))
    await rows.call(Outcome(Verdict.token_refused))
    done = await rows.bring(Purpose.buy, Purpose.read, Purpose.read, returned=[(99, UNUSABLE)])
    assert (await rows.seen()).connection == done.connection
    assert done.connection.first_in_line is not None
    assert [one.holder for one in done.connection.held] == ["a replica"] * 2


async def test_replicas_that_come_at_once_take_turns_and_never_more_than_agreed(rows: Rows) -> None:
    limits, granted = Limits(per_minute=6000, at_once=3), list[int]()
    running = most = 0

    async def replica() -> None:
        nonlocal running, most
        for _ in range(10):
            answer = await rows.ask(limits=limits)
            if isinstance(answer, Granted):
                granted.append(answer.token)
                running += 1
                most = max(most, running)
                await rows.seen()
                running -= 1
                await rows.bring(returned=[(answer.token, ANSWERED)], limits=limits)

    await asyncio.gather(*(replica() for _ in range(8)))
    assert most <= 3
    assert len(granted) >= 10
    assert sorted(granted) == list(range(1, len(granted) + 1))
    assert (await rows.seen()).connection.held == ()


async def test_the_rate_holds_over_all_replicas_and_over_a_restart(database: ManagedDatabase, rows: Rows) -> None:
    once_a_minute = Limits(per_minute=1, at_once=9)
    assert await rows.ask(limits=once_a_minute) == Granted(1)
    restarted = Rows(database)
    answer = await restarted.ask(limits=once_a_minute)
    assert isinstance(answer, Later)
    assert answer.is_certain
    await rows.pass_time(60)
    assert await restarted.ask(limits=once_a_minute) == Granted(2)


async def test_the_place_of_a_replica_that_died_is_free_after_eight_seconds(rows: Rows) -> None:
    assert [await rows.ask(), await rows.ask()] == [Granted(1), Granted(2)]
    await rows.pass_time(LEASE_S - 1)
    assert isinstance(await rows.ask(), Later)
    await rows.pass_time(1)
    assert (await rows.seen()).in_flight == 0
    assert await rows.ask() == Granted(3)


async def test_what_a_replica_that_slept_has_to_say_changes_nothing(rows: Rows) -> None:
    await rows.ask()
    await rows.pass_time(LEASE_S)
    await rows.bring(returned=[(1, UNUSABLE)])
    assert (await rows.seen()).connection.breaker.failures == 0


async def test_a_breaker_is_one_for_all(database: ManagedDatabase, rows: Rows) -> None:
    for _ in range(SUSPECTED_AFTER + 1):
        await rows.call(UNUSABLE)
    other = Rows(database)
    assert (await other.seen()).connection.breaker.trips == 1
    await rows.change(open_until=micros(utc_now()) + 30 * SECOND)
    assert isinstance(await other.ask(), Refused)
    assert (await other.seen()).breaker == "open"
    await rows.pass_time(30)
    assert (await other.seen()).breaker == "half_open"
    await other.call(ANSWERED)
    assert (await rows.seen()).breaker == "closed"


async def test_asking_in_vain_writes_nothing(rows: Rows) -> None:
    limits = Limits(per_minute=1, at_once=1)
    await rows.call(ANSWERED)
    await rows.ask(limits=limits)
    before = await rows.seen()
    assert isinstance(await rows.ask(limits=limits), Later)
    assert (await rows.seen()).connection == before.connection


async def test_other_processes_hear_of_room_where_there_can_be_any(
    database: ManagedDatabase, rows: Rows, request: pytest.FixtureRequest
) -> None:
    await rows.store.prepare([NAME])
    heard, stop, other = list[Topic](), Stop(), database
    if database.dialect == "postgres":
        other = PostgresDatabase(SecretStr(request.getfixturevalue("migrated_postgres_url")))
    hearing = asyncio.create_task(other.hear(heard.append, stop))

    async def made_room() -> bool:
        await rows.pass_time(LEASE_S)
        assert [isinstance(await rows.ask(), Granted) for _ in range(2)] == [True, True]
        last = (await rows.seen()).connection.last_token
        assert (await rows.bring(returned=[(last, ANSWERED)])).has_made_room
        return "connections" in heard or database.dialect == "sqlite"

    await until(made_room)
    stop.announce()
    await hearing
    if other is not database:
        await other.close()
    assert (database.dialect, set(heard)) in (("postgres", {"connections"}), ("sqlite", set()))


# -- pauses ------------------------------------------------------------------------------------------------------------


async def test_a_connection_that_was_never_used_is_there_once_it_is_prepared(rows: Rows) -> None:
    for _ in range(2):
        await rows.store.prepare([shipx(OTHER), NAME, NAME])
    assert [(one.name, one.breaker, one.in_flight) for one in await rows.store.list()] == [
        (NAME, "closed", 0),
        (shipx(OTHER), "closed", 0),
    ]


async def test_one_that_the_settings_do_not_name_any_more_is_marked(database: ManagedDatabase, rows: Rows) -> None:
    await rows.store.prepare([NAME, shipx(OTHER)])
    later = SqlConnections(database, Recorder(Envelope("test")), {shipx(OTHER)})
    assert [(one.name, one.is_configured) for one in await later.list()] == [(NAME, False), (shipx(OTHER), True)]
    paused = await database.write(lambda transaction: later.pause(transaction, NAME, reason="operator", by="somebody"))
    assert paused is not None
    assert not paused.is_configured


async def test_a_paused_connection_buys_nothing_and_reads_on(rows: Rows) -> None:
    await rows.store.prepare([NAME])
    await rows.pause(NAME, reason="operator", by="somebody")
    assert await rows.ask(Purpose.buy) == Refused("paused")
    assert await rows.ask(Purpose.read) == Granted(1)
    await rows.resume(NAME)
    assert await rows.ask(Purpose.buy) == Granted(2)


async def test_a_pause_is_told_when_it_begins_and_when_it_ends_however_often_it_is_asked_for(rows: Rows) -> None:
    await rows.store.prepare([NAME])
    for _ in range(2):
        paused = await rows.pause(NAME, reason="operator", by="somebody")
        await rows.pause(NAME, reason="debt_collection", by="the carrier")
    for _ in range(2):
        resumed = await rows.resume(NAME)
    await rows.pause(NAME, reason="debt_collection", by="the carrier")
    assert paused is not None
    assert paused.connection.pause is not None
    assert (paused.connection.pause.reason, paused.connection.pause.by) == ("operator", "somebody")
    assert resumed is not None
    assert resumed.connection.pause is None
    told = await rows.told()
    assert [(one["type"], one["data"]["reason"], one["sequence"]) for one in told] == [
        ("bridge.connection.paused.v1", "operator", "0000000001"),
        ("bridge.connection.resumed.v1", "operator", "0000000002"),
        ("bridge.connection.paused.v1", "debt_collection", "0000000003"),
    ]
    assert {(one["source"], one["subject"], one["data"]["connection"]) for one in told} == {
        ("/shipx/4821", "connection/shipx/4821", "shipx/4821")
    }
    since = moment(paused.connection.pause.since)
    assert [datetime.fromisoformat(one["data"]["since"]) == since for one in told] == [True, True, False]
    assert "somebody" not in json.dumps(told), "who it was is for the operator alone"


async def test_a_refused_login_that_pauses_is_told_once_and_ends_when_a_person_says_so(rows: Rows) -> None:
    limits = Limits(600, at_once=2, stops_all=True, pauses_on_refusal=True)
    first, second = (await rows.bring(Purpose.read, Purpose.read, limits=limits)).answers
    assert isinstance(first, Granted)
    assert isinstance(second, Granted)
    for one in (first, second):
        await rows.bring(returned=[(one.token, Outcome(Verdict.token_refused))], limits=limits)
    assert await rows.ask(limits=limits) == Refused("paused")
    pause = (await rows.seen()).connection.pause
    assert pause is not None
    assert (pause.reason, pause.by) == ("login_refused", "carrier")
    await rows.resume(NAME)
    assert isinstance(await rows.ask(limits=limits), Granted)
    assert [(one["type"], one["data"]["reason"]) for one in await rows.told()] == [
        ("bridge.connection.paused.v1", "login_refused"),
        ("bridge.connection.resumed.v1", "login_refused"),
    ]


async def test_nobody_pauses_what_is_not_there(rows: Rows) -> None:
    assert await rows.pause("shipx/1", reason="operator", by="x") is None
    assert await rows.resume("shipx/1") is None
    assert (await rows.store.list(), await rows.told()) == ([], [])


async def test_what_is_done_meanwhile_does_not_end_a_pause(rows: Rows) -> None:
    first = await rows.ask()
    assert first == Granted(1)
    await rows.pause(NAME, reason="operator", by="x")
    await rows.bring(returned=[(1, ANSWERED)])
    assert (await rows.seen()).connection.pause is not None


async def test_a_pause_and_exchanges_at_once_lose_nothing_of_each_other(rows: Rows) -> None:
    await rows.store.prepare([NAME])

    async def exchanges() -> None:
        for _ in range(20):
            answer = await rows.ask()
            if isinstance(answer, Granted):
                await rows.bring(returned=[(answer.token, ANSWERED)])

    async def pauses() -> None:
        for number in range(10):
            await rows.pause(NAME, reason=f"r{number}", by="x")
            await rows.resume(NAME)

    await asyncio.gather(exchanges(), pauses(), exchanges())
    assert len(await rows.told()) == 20
    assert (await rows.seen()).connection.held == ()


@pytest.mark.parametrize(
    ("name", "organization"),
    [
        ("shipx/4821", 4821),
        ("shipx/", None),
        ("shipx/x", None),
        ("shipx/²", None),
        ("inpost_returns/main", None),
        ("", None),
    ],
)
def test_a_name_says_whose_connection_it_is(name: str, organization: int | None) -> None:
    assert organization_of(name) == organization


# -- purchases ---------------------------------------------------------------------------------------------------------


class Purchases:
    """What is wanted of two organizations, and a look at what would be worked on."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.now = utc_now()
        self.store = SqlPurchases(rows.database, Recorder(Envelope("test")), "a process")

    async def want(self, organization: OrganizationId, shipment: int, *, seconds: float = 300) -> None:
        work = PurchaseWork(organization, ShipmentId(shipment), self.now + timedelta(seconds=seconds), DeliveryId("d"))
        await self.rows.database.write(lambda transaction: want(transaction, [work], self.now))

    async def claim(self, *, later: float = 0) -> list[int]:
        claimed = await taken(self.store, self.now + timedelta(seconds=later), *(Take(errand, 9) for errand in Errand))
        await self.rows.database.write(lambda transaction: transaction.run("UPDATE purchases SET held_until = 0"))
        return sorted(one.shipment for one in claimed)


@pytest.fixture
async def purchases(rows: Rows) -> Purchases:
    found = Purchases(rows)
    await rows.store.prepare([NAME, shipx(OTHER)])
    await found.want(ORGANIZATION, 1)
    await found.want(ORGANIZATION, 2)
    await found.want(OTHER, 3)
    await rows.database.write(
        lambda transaction: transaction.run("UPDATE purchases SET state = 'doubt' WHERE shipment = 2")
    )
    return found


async def test_what_is_wanted_on_a_paused_connection_waits_and_what_is_in_doubt_does_not(purchases: Purchases) -> None:
    await purchases.rows.pause(NAME, reason="operator", by="x")
    assert await purchases.claim() == [2, 3]
    await purchases.rows.resume(NAME)
    assert await purchases.claim() == [1, 2, 3]


async def test_what_was_paused_to_the_end_of_its_window_is_looked_at_then(purchases: Purchases) -> None:
    await purchases.rows.pause(NAME, reason="operator", by="x")
    assert await purchases.claim(later=299) == [2, 3]
    assert await purchases.claim(later=300) == [1, 2, 3]


@pytest.mark.parametrize("column", ["open_until", "not_before"])
async def test_nothing_is_begun_while_the_carrier_is_left_alone(purchases: Purchases, column: str) -> None:
    now = micros(utc_now())
    await purchases.rows.change(**{column: now + 20 * SECOND})
    assert await purchases.claim() == [2, 3]
    await purchases.rows.change(**{column: now - 20 * SECOND})
    assert await purchases.claim() == [1, 2, 3]
    await purchases.rows.change(**{column: now + 86_400 * SECOND})
    assert await purchases.claim() == [1, 2, 3], "a clock was set back"


async def test_what_waits_is_not_due(purchases: Purchases) -> None:
    assert await purchases.store.next_due() == purchases.now
    await purchases.rows.pause(NAME, reason="operator", by="x")
    assert await purchases.store.next_due([OTHER]) == purchases.now, "what is in doubt is"
    await purchases.rows.database.write(
        lambda transaction: transaction.run("DELETE FROM purchases WHERE shipment IN (2, 3)")
    )
    assert await purchases.store.next_due() is None
    await purchases.rows.resume(NAME)
    assert await purchases.store.next_due() == purchases.now
