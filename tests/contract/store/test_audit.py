"""The books add up at every moment of a busy bridge, and each way in which they may not is found and named."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bridge.events.cloudevents import Envelope
from bridge.model import moment
from bridge.purchasing.moves import GIVE_UP_AFTER
from bridge.store.approvals import SqlApprovals
from bridge.store.audit import Audit, Counted, Purchases, survey
from bridge.store.audit.ledger import UNFINISHED_AFTER
from bridge.store.database import ManagedDatabase
from bridge.store.facts import Recorder
from bridge.store.orders import Order
from tests.contract.store.round import rounds
from tests.contract.store.shop import ORGANIZATION, SETTLE, Shop, shop

KEYS = ("a", "b", "c", "d", "e")
WRONG_BUDGET = "budgets that count other purchases than those that are reserved"


def found(audit: Audit) -> dict[str, list[str]]:
    """Give what does not add up, by identity."""
    return {one.key: [difference.what for difference in one.differences] for one in audit.identities if one.differences}


def figures(audit: Audit, key: str) -> dict[str, int]:
    return dict(next(one for one in audit.identities if one.key == key).figures)


async def busy(opened: Shop) -> None:
    """Live through a day: bought by us, by the carrier itself, by somebody in its panel; repeats; publishes."""
    ours = [await opened.create() for _ in range(3)]
    await opened.create(service="inpost_locker_standard")
    panel = await opened.create(reference="panel")
    await opened.simulator.advance(0.5)
    await opened.pick(panel)
    await opened.misfits()
    for _ in range(12):
        await opened.live(1)
        await opened.publish(most=7)
    assert [await opened.rows(f"SELECT state FROM purchases WHERE shipment = {one}") for one in ours] == [
        ["succeeded"]
    ] * 3
    for _ in range(4):
        await opened.live(15)
    await opened.publish(most=3)


@pytest.fixture
async def worn(database: ManagedDatabase) -> AsyncIterator[Shop]:
    """A shop with some history, which is balanced."""
    async with shop(database) as opened:
        await busy(opened)
        assert (await opened.audit()).is_balanced
        yield opened


async def test_a_busy_bridge_is_balanced_at_every_moment_of_its_day(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        assert found(await opened.audit()) == {}
        await opened.create()
        await opened.create(service="inpost_locker_standard")
        in_hand = 0
        for moment in range(40):
            await opened.simulator.advance(0.2)
            await opened.receive()
            assert found(await opened.audit()) == {}, moment
            if moment % 5 == 4:
                await opened.work()
            audit = await opened.audit()
            assert found(audit) == {}, moment
            in_hand += figures(audit, "e")["in hand"]
            await opened.publish(most=1)
        assert in_hand, "a shipment was confirmed while its purchase was still in doubt"
        assert figures(audit, "e")["in hand"] == 0


async def test_the_figures_are_given_where_everything_adds_up(worn: Shop) -> None:
    audit = await worn.audit()
    assert [one.key for one in audit.identities] == list(KEYS)
    [events] = await worn.rows("SELECT count(*) FROM events")
    [pending] = await worn.rows("SELECT count(*) FROM outbox WHERE state = 0")
    [subjects] = await worn.rows("SELECT count(*) FROM subjects")
    [(deliveries, repeats)] = await worn.rows("SELECT count(*), sum(repeats) FROM deliveries")
    assert pending
    assert figures(audit, "a") == {
        "deliveries": deliveries,
        "repeats": repeats,
        "done": deliveries - 1,
        "failed": 1,
        "waiting": 0,
        "without a verdict": 0,
        "pruned": 0,
    }
    assert figures(audit, "b") == {"facts": events, "events": events, "pruned": 0}
    assert figures(audit, "c") == {"subjects": subjects, "events": events, "pruned": 0}
    assert figures(audit, "d") == {
        "published": events - pending,
        "pending": pending,
        "dead": 0,
        "not for the broker": 0,
    }
    assert figures(audit, "e") == {"bought": 5, "succeeded": 3, "adopted": 2, "in hand": 0, "reserved": 3}
    assert audit.purchases == (Purchases("2026-03-18", ORGANIZATION, 5, 3, 2),)
    assert audit.counters == (
        Counted(
            "2026-03-18",
            ORGANIZATION,
            {"accepted": deliveries, "duplicate": repeats, "parked": 1, "refused": 1},
        ),
    )


@dataclass(frozen=True)
class Break:
    """A change that no bridge makes, and what an audit says then: identity, difference, and the ids."""

    sql: str
    differences: dict[str, list[str]]
    remark: str


SHIPMENT = 3900000001
LAST = (
    f"(SELECT max(position) FROM events JOIN subjects ON subjects.id = subject_id WHERE name = 'shipment/{SHIPMENT}')"
)
FIRST = LAST.replace("max", "min")
SUBJECT = f"(SELECT id FROM subjects WHERE name = 'shipment/{SHIPMENT}')"
DELIVERY = f"(SELECT max(id) FROM deliveries WHERE shipment = {SHIPMENT})"

BREAKS = [
    Break(
        f"UPDATE deliveries SET state = 0, verdict = NULL WHERE id = {DELIVERY}",
        {"a": ["deliveries without a verdict"]},
        "a delivery that nobody works off",
    ),
    Break(
        f"UPDATE deliveries SET verdict = NULL WHERE id = {DELIVERY}",
        {"a": ["deliveries without a verdict"]},
        "a delivery that counts as done and was not judged",
    ),
    Break(f"DELETE FROM facts WHERE position = {LAST}", {"b": ["events without a fact"]}, "a fact is lost"),
    Break(
        f"DELETE FROM events WHERE position = {FIRST}",
        {
            "b": ["facts whose event is gone, not for its age"],
            "c": ["subjects whose events are not numbered 1..n"],
            "d": ["places in the outbox without an event"],
        },
        "an event is lost: its fact, its number and its place in the outbox all miss it",
    ),
    Break(
        f"INSERT INTO facts VALUES ({SUBJECT}, 'shipment.confirmed', 'again', {LAST})",
        {"b": ["events of several facts"]},
        "two facts share an event",
    ),
    Break(
        "INSERT INTO facts VALUES (9999, 'shipment.cancelled', 'x', 1)",
        {"b": ["facts of no subject"]},
        "a fact about nothing",
    ),
    Break(
        f"UPDATE events SET sequence = sequence + 100 WHERE position = {LAST}",
        {"c": ["subjects whose events are not numbered 1..n"]},
        "a gap before the last event",
    ),
    Break(
        f"UPDATE subjects SET sequence = sequence + 1 WHERE id = {SUBJECT}",
        {"c": ["subjects whose events are not numbered 1..n"]},
        "a number was given out and no event has it",
    ),
    Break(
        f"DELETE FROM outbox WHERE position = {LAST}",
        {"d": ["events that are neither published nor pending nor dead"]},
        "an event that nobody would ever publish",
    ),
    Break(
        f"UPDATE outbox SET state = 7 WHERE position = {LAST}",
        {"d": ["events that are neither published nor pending nor dead"]},
        "a state that nobody knows",
    ),
    Break(
        "INSERT INTO outbox (position, partition) VALUES (999999, 1)",
        {"d": ["places in the outbox without an event"]},
        "something to publish that is not there",
    ),
    Break(
        f"DELETE FROM purchases WHERE shipment = {SHIPMENT}",
        {"e": ["shipments bought at the carrier that the ledger does not have", WRONG_BUDGET]},
        "money was spent and the ledger does not know",
    ),
    Break(
        f"UPDATE purchases SET state = 'failed' WHERE shipment = {SHIPMENT}",
        {"e": ["shipments bought at the carrier that the ledger does not have", WRONG_BUDGET]},
        "the ledger says that it failed",
    ),
    Break(
        f"DELETE FROM facts WHERE subject_id = {SUBJECT} AND type IN ('shipment.confirmed',"
        " 'shipment.purchase_succeeded')",
        {"b": ["events without a fact"], "e": ["purchases of the ledger that the carrier never told of"]},
        "the ledger has what the carrier never said",
    ),
]


DAY = "2026-03-18"


@dataclass(frozen=True)
class Misspent:
    """A change of a budget, or of what is reserved of it, and what an audit says of it."""

    sql: str
    counted: int
    reserved: int
    amount: str
    remark: str


BUDGETS = [
    Misspent("UPDATE budgets SET n = n + 1", 4, 3, "+0.00", "a budget counts a purchase that is none"),
    Misspent("UPDATE budgets SET amount = amount - 129900", 3, 3, "-12.99", "a budget forgets what one has cost"),
    Misspent("DELETE FROM budgets", 0, 3, "-38.97", "a budget is lost"),
    Misspent(
        f"UPDATE purchases SET reserved_day = NULL WHERE shipment = {SHIPMENT}",
        *(3, 2, "+12.99"),
        "a purchase is made that is reserved nowhere",
    ),
    Misspent(
        f"UPDATE purchases SET reason = 'adopted' WHERE shipment = {SHIPMENT}",
        *(3, 2, "+12.99"),
        "what somebody else bought is counted as ours",
    ),
]


@pytest.mark.parametrize("case", BUDGETS, ids=[case.remark for case in BUDGETS])
async def test_a_budget_that_is_not_what_its_purchases_reserved_is_found(case: Misspent, worn: Shop) -> None:
    await worn.change(case.sql)
    audit = await worn.audit()
    assert found(audit) == {"e": [WRONG_BUDGET]}
    [difference] = audit.identities[-1].differences
    numbers = {"counted": case.counted, "reserved": case.reserved, "amount": case.amount}
    assert difference.examples == ({"organization": ORGANIZATION, "day": DAY, "currency": "PLN"} | numbers,)
    assert found(await worn.audit(worn.now - timedelta(days=1))) == {"e": [WRONG_BUDGET]}
    assert found(await worn.audit(worn.now + timedelta(days=1))) == {}


async def test_what_is_reserved_and_stopped_by_a_person_is_given_back(worn: Shop) -> None:
    held = await worn.create()
    await worn.simulator.advance(0.5)
    await worn.receive()
    await worn.change(
        "UPDATE purchases SET reserved_day = '2026-03-18', reserved_currency = 'PLN', reserved_amount = 129900"
        f" WHERE shipment = {held}"
    )
    await worn.change("UPDATE budgets SET n = n + 1, amount = amount + 129900 WHERE currency = 'PLN'")
    assert found(await worn.audit()) == {}, "it was not taken in, and waits with what is reserved for it"
    approvals = SqlApprovals(Recorder(Envelope("test")))
    order = Order(held, ORGANIZATION, "operator", "k-1")
    await worn.database.write(lambda it: approvals.hold(it, order, worn.now))
    audit = await worn.audit()
    assert (found(audit), figures(audit, "e")["reserved"]) == ({}, 3)


# -- what no webhook told ----------------------------------------------------------------------------------------------

ASKED_FOR = [
    ("DELETE FROM purchases", "shipments bought at the carrier that the ledger does not have"),
    ("UPDATE purchases SET state = 'failed'", "shipments bought at the carrier that the ledger does not have"),
    (
        "DELETE FROM facts WHERE type IN ('shipment.confirmed', 'shipment.purchase_succeeded')",
        "purchases of the ledger that the carrier never told of",
    ),
]


@pytest.mark.parametrize(("sql", "difference"), ASKED_FOR)
async def test_what_only_a_sweep_found_bought_is_balanced_with_the_ledger(
    sql: str, difference: str, database: ManagedDatabase
) -> None:
    async with rounds(database) as stage:
        await stage.create(service="inpost_locker_standard")
        await stage.live(120)
        assert await stage.rows("SELECT count(*) FROM deliveries") == [0]

        async def audit() -> Audit:
            return await database.survey(lambda it: survey(it, stage.now, None, settle=SETTLE, watch=lambda *_: None))

        balanced = await audit()
        assert found(balanced) == {}
        assert figures(balanced, "e") == {"bought": 1, "succeeded": 0, "adopted": 1, "in hand": 0, "reserved": 0}
        await database.write(lambda it: it.run(sql))
        assert found(await audit())["e"] == [difference]


@pytest.mark.parametrize("case", BREAKS, ids=[case.remark for case in BREAKS])
async def test_what_does_not_add_up_is_found_under_its_identity(case: Break, worn: Shop) -> None:
    ids = await _ids(worn)
    await worn.change(case.sql)
    audit = await worn.audit(later=61)
    assert found(audit) == case.differences
    assert not audit.is_balanced
    differences = [difference for identity in audit.identities for difference in identity.differences]
    for difference in differences:
        named = {str(value) for example in difference.examples for value in example.values()}
        assert difference.rows == len(difference.examples) or "no subject" in difference.what
        assert not difference.examples or named & ids or difference.what == WRONG_BUDGET, (difference, ids)
    # What is asked about a day finds the same of what had news on it; nothing tells of a subject that is not there.
    lately = await worn.audit(worn.now - timedelta(days=1), later=61)
    assert found(lately) == ({} if "no subject" in str(case.differences) else case.differences)


async def test_what_was_never_worked_off_is_found_however_old_it_is(worn: Shop) -> None:
    assert found(await worn.audit(worn.now + timedelta(seconds=60), later=120)) == {}
    await worn.change("UPDATE deliveries SET state = 0, verdict = NULL")
    audit = await worn.audit(worn.now + timedelta(seconds=60), later=120)
    assert found(audit) == {"a": ["deliveries without a verdict"]}


@pytest.mark.parametrize("state", ["wanted", "intended", "doubt"])
async def test_a_purchase_that_never_ends_is_found_however_old_it_is(database: ManagedDatabase, state: str) -> None:
    async with shop(database) as opened:
        shipment = await opened.create()
        await opened.simulator.advance(1)
        await opened.receive()
        if state != "wanted":
            await opened.work()
            await opened.change(f"UPDATE purchases SET state = '{state}'")
        [(kept, deadline, left_by)] = await opened.rows("SELECT state, deadline, left_by FROM purchases")
        ends = moment(deadline if state == "wanted" else left_by)
        patience = (ends + SETTLE + UNFINISHED_AFTER - opened.now).total_seconds()
        assert (kept, found(await opened.audit(later=patience))) == (state, {})
        for since in (None, opened.now + timedelta(seconds=1)):
            audit = await opened.audit(since, later=patience + 1)
            assert found(audit) == {"e": ["unfinished purchases"]}
            [difference] = audit.identities[-1].differences
            about = {"organization": ORGANIZATION, "subject": f"shipment/{shipment}"}
            assert difference.rows == 1
            assert difference.examples == ({**about, "state": state, "since": ends.isoformat()},)


async def test_what_is_given_up_late_by_design_is_no_difference(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        await opened.create()
        await opened.simulator.advance(1)
        await opened.receive()
        await opened.refuse_all()
        [deadline] = await opened.rows("SELECT deadline FROM purchases")
        given_up, states = moment(deadline) + GIVE_UP_AFTER, list[str]()
        while opened.now < given_up + timedelta(minutes=3):
            await opened.live(10)
            assert found(await opened.audit()) == {}
            if opened.now > given_up:
                states += await opened.rows("SELECT state FROM purchases")
        assert (states[0], states[-1]) == ("wanted", "expired")


async def _ids(worn: Shop) -> set[str]:
    """Give the ids of all that the breaks break."""
    delivery = await worn.rows(f"SELECT {DELIVERY}")
    events = await worn.rows(f"SELECT id FROM events WHERE subject_id = {SUBJECT}")
    return {
        *map(str, delivery),
        *events,
        f"shipment/{SHIPMENT}",
        "999999",
        *map(str, await worn.rows(f"SELECT {FIRST}")),
    }
