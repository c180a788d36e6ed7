"""What never arrived is found all the same, in time, as the same facts under the same ids."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from bridge.events.projection import Projection
from bridge.events.readback import ReadBack
from bridge.events.shipment import ShipmentState
from bridge.model import OrganizationId, ShipmentId
from bridge.observability import Metrics
from bridge.reconciling.reading import Reading
from bridge.store.answers import Answer
from bridge.store.audit import survey
from bridge.store.database import ManagedDatabase
from bridge.store.watched import Phase
from tests.contract.store.round import ORGANIZATION, Round, rounds
from tests.contract.store.test_plans import Explaining
from tests.unit.reconciling.shipments import shipment

HOUR = 3600
READ = shipment(status="confirmed")
READS_IT_ALL = re.compile(
    r"(?:^SCAN|Seq Scan on) (?:deliveries|events|facts|polled|purchases|subjects|sweeps)\b"
    r"(?! USING INDEX \w+_pending$)",
    re.MULTILINE,
)
STORY: dict[str, Any] = {
    "delays": {"list_lag": 5.4, "offers": 2.0},
    "webhooks": {"also_announce": ["canceled"]},
    "journeys": [
        {
            "name": "out",
            "share": 0.6,
            "steps": [
                {"status": "taken_by_courier", "after": HOUR},
                {"status": "adopted_at_source_branch", "after": HOUR},
                {"status": "ready_to_pickup", "after": HOUR},
                {"status": "delivered", "after": HOUR},
            ],
        },
        {
            "name": "back",
            "share": 0.4,
            "steps": [
                {"status": "taken_by_courier", "after": HOUR},
                {"status": "returned_to_sender", "after": HOUR},
            ],
        },
    ],
}


async def story(stage: Round, *, asks: bool) -> None:
    """Eight parcels, one after the other: one is cancelled, the others are bought as soon as wanted, and delivered."""
    cancelled = None
    for number in range(8):
        shipment = await stage.create(reference=f"ORDER-{number}")
        await stage.live(20, asks=asks)
        if number == 3:
            assert (await stage.merchant.delete(f"/v1/shipments/{shipment}")).status_code == 204
            cancelled = shipment
        for wanted in set(await stage.wanted()) - {cancelled}:
            await stage.buy(wanted)
    await stage.live(20, asks=asks)
    for wanted in set(await stage.wanted()) - {cancelled}:
        await stage.buy(wanted)
    await stage.database.write(lambda it: it.run("UPDATE purchases SET state = 'not_ours' WHERE state = 'wanted'"))
    await stage.live(4.5 * HOUR, 60, asks=asks)


async def test_with_all_webhooks_lost_the_same_events_are_made_under_the_same_ids(
    database: ManagedDatabase, another_database: ManagedDatabase
) -> None:
    async with rounds(database, hears=True, **STORY) as told:
        await story(told, asks=False)
        by_webhooks = await told.facts()
    async with rounds(another_database, **STORY) as asked:
        await story(asked, asks=True)
        found = await asked.facts()
        health = {key: text for key, text in found.items() if "webhook.health_changed" in text}
        assert {text.rpartition(".")[2] for text in health.values()} == {"silent"}
        assert {key: found[key] for key in found if key not in health} == by_webhooks
        assert sum("status_changed.delivered" in text for text in by_webhooks.values()) > 0
        assert sum("return_leg_started" in text for text in by_webhooks.values()) > 0
        assert sum("status_changed.cancelled" in text for text in by_webhooks.values()) == 1
        settle = timedelta(seconds=20)
        books = await another_database.survey(
            lambda it: survey(it, asked.now, None, settle=settle, watch=lambda *_: None)
        )
        assert [one for one in books.identities if not one.is_balanced] == []
        returning = [text for text in found.values() if text.endswith("status_changed.returning")]
        assert set(await asked.watched()) == {int(text.split()[0].removeprefix("shipment/")) for text in returning}


async def test_with_all_webhooks_lost_each_purchase_is_wanted_soon_and_once(database: ManagedDatabase) -> None:
    async with rounds(database, **STORY) as stage:
        shipment = await stage.create()
        await stage.live(25)
        assert await stage.wanted() == [shipment]
        left = "SELECT deadline FROM purchases"
        assert (await stage.rows(left))[0] / 1e6 - stage.now.timestamp() > 270
        await stage.database.write(lambda it: it.run("UPDATE purchases SET state = 'declined'"))
        await stage.live(200)
        assert await stage.wanted() == [], "the same offers are not decided about again"


async def test_new_offers_of_a_shipment_are_wanted_again(database: ManagedDatabase) -> None:
    async with rounds(database, **STORY) as stage:
        shipment = await stage.create()
        await stage.live(25)
        await stage.database.write(lambda it: it.run("UPDATE purchases SET state = 'expired'"))
        assert (await stage.merchant.put(f"/v1/shipments/{shipment}", json={})).status_code == 200
        await stage.live(25)
        assert await stage.wanted() == [shipment]


@pytest.mark.parametrize(
    ("reason", "later", "after"),
    [
        ("carrier_unreachable", 20 * 60, "wanted"),
        ("carrier_unreachable", 2 * HOUR, "expired"),
        (None, 20 * 60, "expired"),
    ],
    ids=["after an outage", "long after", "decided"],
)
async def test_what_an_outage_kept_from_being_decided_about_is_wanted_again_for_an_hour(
    reason: str | None, later: int, after: str, database: ManagedDatabase
) -> None:
    async with rounds(database) as stage:
        await stage.create()
        await stage.live(60)
        await stage.live(later, 60, asks=False)
        sql = "UPDATE purchases SET state = 'expired', reason = ?, answer = NULL"
        await database.write(lambda it: it.run(sql, (reason,)))
        await stage.live(60)
        assert await stage.rows("SELECT state FROM purchases") == [after]


async def test_what_a_webhook_told_of_is_adopted_when_a_sweep_shows_it(database: ManagedDatabase) -> None:
    async with rounds(database, hears=True, **STORY) as stage:
        await stage.create(service="inpost_locker_standard")
        await stage.live(5)
        left = "UPDATE purchases SET state = 'not_ours', look_at = NULL WHERE said_at IS NOT NULL RETURNING state"
        assert await stage.database.write(lambda it: it.run(left)) == [("not_ours",)], "it was looked at too early"
        await stage.live(600)
        assert await stage.rows("SELECT state, reason, said_at FROM purchases") == [("succeeded", "adopted", None)]


async def test_what_the_carrier_buys_itself_is_adopted(database: ManagedDatabase) -> None:
    async with rounds(database, **STORY) as stage:
        shipment = await stage.create(service="inpost_locker_standard")
        await stage.live(60)
        assert await stage.rows("SELECT state, reason FROM purchases") == [("succeeded", "adopted")]
        [(intent, offer, service)] = await stage.rows("SELECT intent_id, offer_id, service_id FROM purchases")
        assert (intent, service) == (f"adopted-{ORGANIZATION}-{shipment}", "inpost_locker_standard")
        [told] = await stage.rows("SELECT body FROM events WHERE type = 'shipment.purchase_succeeded'")
        data = json.loads(told)["data"]
        assert (data["intent_id"], data["offer_id"], data["adopted"]) == (intent, offer, True)
        types = {text.split()[1] for text in (await stage.facts()).values()}
        assert types == {
            "shipx.shipment.confirmed",
            "shipx.shipment.purchase_succeeded",
            "shipx.shipment.tracking_number_assigned",
            "shipx.shipment.status_changed.label_created",
        }


async def test_a_shipment_that_moved_on_unseen_is_told_as_confirmed_too(database: ManagedDatabase) -> None:
    async with rounds(database, **STORY) as stage:
        shipment = await stage.create()
        await stage.live(25)
        await stage.buy(shipment)
        await stage.live(HOUR + 60, 60, asks=False)
        await stage.ask()
        types = {text.split()[1] for text in (await stage.facts()).values()}
        assert {"shipx.shipment.confirmed", "shipx.shipment.status_changed.picked_up"} <= types


async def test_a_status_is_known_within_half_an_hour_however_long_it_was_quiet(database: ManagedDatabase) -> None:
    async with rounds(database, journeys=[]) as stage:
        shipment = await stage.create()
        await stage.live(25)
        await stage.buy(shipment)
        await stage.live(30)
        reads = []
        for _ in range(90):
            before = len(stage.permits.purposes)
            await stage.live(60, 60)
            reads.append(any(one.name == "tracking" for one in stage.permits.purposes[before:]))
        gaps = [len(gap) for gap in "".join("x" if read else "." for read in reads).split("x")]
        assert max(gaps) <= 30


async def test_news_that_webhooks_told_is_not_told_again(database: ManagedDatabase) -> None:
    async with rounds(database, hears=True, metrics=Metrics(), **STORY) as stage:
        await stage.create()
        await stage.live(10)
        told = await stage.facts()
        await stage.live(60)
        assert await stage.facts() == told
        assert stage.metrics.found_by_poll._metrics == {}
        assert await stage.rows("SELECT state FROM webhook_health") == []


async def test_facts_found_first_by_asking_are_counted(database: ManagedDatabase) -> None:
    async with rounds(database, metrics=Metrics(), **STORY) as stage:
        shipment = await stage.create()
        await stage.live(25)
        await stage.buy(shipment)
        await stage.live(30)
        counted = {
            sample.labels["fact"]: sample.value for sample in next(iter(stage.metrics.found_by_poll.collect())).samples
        }
        assert counted == {
            "shipment.offers_prepared": 1,
            "shipment.confirmed": 1,
            "shipment.tracking_number_assigned": 1,
            "shipment.status_changed": 1,
        }


async def test_shipments_that_webhooks_told_of_are_taken_in(database: ManagedDatabase) -> None:
    async with rounds(database, hears=True, **STORY) as stage:
        shipment = await stage.create()
        await stage.live(10, asks=False)
        await stage.sweeping.take_in()
        assert await stage.watched() == {shipment: "open"}
        stage.hears = False
        await stage.buy(shipment)
        await stage.live(1)
        await stage.live(10)
        await stage.sweeping.sweep(Phase.open, timedelta(seconds=30))
        assert await stage.watched() == {shipment: "tracking"}
        assert "confirmed" in str(await stage.facts())


async def test_who_has_no_shipments_takes_none_in(database: ManagedDatabase) -> None:
    async with rounds(database, hears=True, **STORY) as stage:
        await stage.create()
        await stage.live(10, asks=False)
        for _ in range(3):
            await stage.sweeps.take_in(OrganizationId(1), stage.now)
        assert await stage.watched() == {}


async def test_a_shipment_that_the_carrier_does_not_know_is_given_up_after_a_day(database: ManagedDatabase) -> None:
    async with rounds(database, hears=True, **STORY) as stage:
        shipment = await stage.create()
        await stage.live(10)
        assert await stage.watched() == {shipment: "open"}
        stage.simulator.world.shipments._by_id.clear()
        await stage.live(120)
        assert await stage.watched() == {shipment: "tracking"}, "one that is not known is not urgent"
        await stage.live(23 * HOUR, 600)
        assert shipment in await stage.watched()
        await stage.live(2 * HOUR, 600)
        assert await stage.watched() == {}


async def test_a_cancelled_shipment_is_looked_at_once_more_before_it_is_believed(database: ManagedDatabase) -> None:
    async with rounds(database, **STORY) as stage:
        shipment = await stage.create()
        await stage.live(25)
        assert (await stage.merchant.delete(f"/v1/shipments/{shipment}")).status_code == 204
        await stage.live(15)
        assert any("status_changed.cancelled" in text for text in (await stage.facts()).values())
        assert await stage.watched() == {shipment: "open"}
        await stage.live(45)
        assert await stage.watched() == {}


async def test_an_answer_that_our_code_cannot_take_in_blocks_no_other(database: ManagedDatabase) -> None:
    def broken(_known: ShipmentState | None) -> Projection:
        raise ZeroDivisionError

    def read(number: int, status: str) -> Answer:
        one = replace(READ, id=ShipmentId(number), status=status)
        return Answer(one.id, Reading(ORGANIZATION, one).project)

    async with rounds(database, **STORY) as stage:
        await stage.sweeps.settle(ORGANIZATION, [read(2, "created")], stage.now, None)
        answers = [Answer(ShipmentId(2), broken), read(1, "confirmed")]
        learned = await stage.sweeps.settle(ORGANIZATION, answers, stage.now, None)
        assert (learned.broken, learned.facts["shipment.confirmed"]) == ((2,), 1)
        assert 2 not in await stage.sweeps.due(ORGANIZATION, Phase.open, stage.now + timedelta(minutes=59), 10)
        assert 2 in await stage.sweeps.due(ORGANIZATION, Phase.open, stage.now + timedelta(minutes=61), 10)


@pytest.mark.parametrize("read_back", ["purchases", "terminal"])
async def test_no_statement_of_a_round_reads_a_whole_table(database: ManagedDatabase, read_back: ReadBack) -> None:
    explaining = Explaining(database)
    hears = read_back != "purchases"
    async with rounds(cast(ManagedDatabase, explaining), hears=hears, read_back=read_back, journeys=[]) as stage:
        for _ in range(4):
            await stage.create()
        await stage.live(30)
        for shipment in await stage.wanted():
            await stage.buy(shipment)
        stage.simulator.world.shipments._by_id.popitem()
        explaining.plans.clear()
        await stage.live(180)
    assert len(explaining.plans) >= 15
    for sql, plan in explaining.plans.items():
        assert not READS_IT_ALL.search(plan), f"{sql}\n{plan}"
