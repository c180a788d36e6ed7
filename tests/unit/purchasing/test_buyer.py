"""The buyer against the simulated carrier, in virtual time."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest

from bridge.app.buying import real_mode
from bridge.errors import CarrierUnavailable
from bridge.limits.connection import Purpose
from bridge.model import DeliveryId, OrganizationId, PurchaseWork, ShipmentId, micros
from bridge.ports import Turn
from bridge.purchasing.hand import Account
from bridge.purchasing.nobody import Nobody
from bridge.purchasing.sending import SEND_WITHIN
from bridge.purchasing.shipment import Shipment
from bridge.purchasing.terms import Mode, Terms
from bridge.settings import load
from bridge.store.outlook import Errand, Take
from tests.support.purchases import taken
from tests.unit.purchasing.policy.making import preferring
from tests.unit.purchasing.stage import (
    CALL_WITHIN,
    CAPS,
    LIMITS,
    ORGANIZATION,
    POLICY,
    SETTLE,
    Inner,
    Points,
    Process,
    Stage,
    Trouble,
)
from tests.unit.purchasing.troubles import answered, delayed, lost
from tests.unit.purchasing.virtual_time import START, in_virtual_time, pass_time

AFTER_THE_INTENT = 6
"""The place: a claim, a permit, a read and its answer, a turn to buy, then the intent: a process can freeze at each."""
BEFORE_THE_CALL = 11
"""The place where it dies with an intent and a turn: before and after each of those four commits, around the read."""


def test_a_purchase_is_told_from_the_decision_to_the_number_under_one_intent() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.want(shipment)
            stage.start()
            assert await stage.settled(shipment) == "succeeded"
            told = stage.told(shipment)
            intent = told[0].data["intent_id"]
            number = f"62{shipment:022d}"
            assert [(one.type, one.facet, one.key) for one in told] == [
                ("offer_selected", "default", intent),
                ("purchase_requested", "", intent),
                ("purchase_succeeded", "", intent),
                ("confirmed", "", "confirmed"),
                ("tracking_number_assigned", "", number),
                ("status_changed", "label_created", "confirmed#1"),
            ]
            about = {
                "shipment_id": shipment,
                "organization_id": ORGANIZATION,
                "evidence": "carrier",
                "current": True,
                "first_seen": False,
            }
            which = {"intent_id": intent, "offer_id": 1700000001, "service_id": "inpost_locker_standard"}
            price = {"amount": "12.99", "currency": "PLN"}
            rejected = [
                {"offer_id": 1700000002, "reason": "unavailable"},
                {"offer_id": 1700000003, "reason": "not_preferred"},
            ]
            decided = {"rule_id": "default", "policy_sha256": POLICY.sha256, "price": price, "rejected": rejected}
            assert told[0].data.pop("seconds_left") == pytest.approx(299.2, abs=1)
            assert told[0].data == about | which | decided
            assert told[1].data == about | which
            assert told[2].data == about | which | {"price": price, "adopted": False}
            assert stage.charges() == [shipment]

    in_virtual_time(story())


@pytest.mark.parametrize(("mode", "why"), [("approve", "approval_required"), ("dry_run", "dry_run")])
def test_a_buyer_that_may_not_spend_decides_and_holds(mode: Mode, why: str) -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.want(shipment)
            stage.start(mode=mode)
            assert await stage.settled(shipment) == "held"
            await pass_time(60)
            assert [(one.type, one.facet) for one in stage.told(shipment)] == [
                ("offer_selected", "default"),
                ("purchase_held", why),
            ]
            assert (stage.calls("/buy"), stage.charges()) == (0, [])

    in_virtual_time(story())


def test_a_held_purchase_that_is_asked_for_again_is_told_once_and_later_bought_under_its_intent() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.want(shipment)
            asking = stage.start(mode="approve")
            await stage.settled(shipment)
            for cause in ("a repeat", "a status"):
                stage.want(shipment, cause=cause)
                stage.want(shipment, cause=f"{cause} again")
                await stage.settled(shipment)
            held = stage.told(shipment)
            assert [one.type for one in held] == ["offer_selected", "purchase_held"]
            await asking.end()
            stage.start(mode="auto")
            stage.want(shipment, cause="one more")
            assert await stage.settled(shipment) == "succeeded"
            assert len({one.data["intent_id"] for one in stage.told(shipment) if "intent_id" in one.data}) == 1
            assert stage.charges() == [shipment]

    in_virtual_time(story())


def test_a_purchase_that_failed_while_the_window_is_open_is_made_again_and_is_another_purchase() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.troubles["POST"] = [lost(httpx.ConnectError)]
            stage.want(shipment)
            stage.start()
            assert await stage.settled(shipment) == "succeeded"
            told = stage.told(shipment)
            first, second = told[0].data["intent_id"], told[3].data["intent_id"]
            assert [(one.type, one.data.get("intent_id")) for one in told[:6]] == [
                ("offer_selected", first),
                ("purchase_requested", first),
                ("purchase_failed", first),
                ("offer_selected", second),
                ("purchase_requested", second),
                ("purchase_succeeded", second),
            ]
            assert first != second

    in_virtual_time(story())


def test_no_news_of_a_settled_purchase_is_told_when_the_carrier_stays_away_from_the_next() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.troubles["POST"] = [lost(httpx.ConnectError)] * 3
            stage.want(shipment)
            stage.start()
            assert await stage.settled(shipment) == "failed"
            await pass_time(60)
            stage.troubles["GET"] = [lost(httpx.ConnectError)] * 4
            stage.want(shipment, cause="a new delivery")
            await stage.settled(shipment)
            assert "purchase_unknown" not in stage.types(shipment)

    in_virtual_time(story())


def test_two_buyers_over_one_database_buy_each_shipment_once() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipments = [await stage.create() for _ in range(10)]
            stage.start()
            stage.start()
            stage.want(*shipments)
            for shipment in shipments:
                assert await stage.settled(shipment) == "succeeded"
            assert stage.calls("/buy") == 10
            assert sorted(stage.charges()) == shipments

    in_virtual_time(story())


def test_webhooks_that_come_while_a_purchase_is_under_way_change_nothing() -> None:
    async def story() -> None:
        async with Stage(purchase=10.0).open() as stage:
            shipment = await stage.create()
            stage.start()
            for number in range(40):
                stage.want(shipment, cause=f"delivery {number}")
                await pass_time(0.5)
            assert await stage.settled(shipment) == "succeeded"
            assert stage.types(shipment).count("offer_selected") == 1
            assert (stage.calls("/buy"), stage.charges()) == (1, [shipment])

    in_virtual_time(story())


def nobody_touches_it(_: Stage) -> None:
    """Leave the clock alone."""


def is_set_back(stage: Stage) -> None:
    stage.clock.set_back = timedelta(minutes=5)


def ran_on(stage: Stage) -> None:
    stage.clock.set_back = -timedelta(seconds=30)


@pytest.mark.parametrize(
    ("seconds", "wall_clock"),
    [
        pytest.param(6.0, nobody_touches_it, id="longer than it may take from the intent to the call"),
        pytest.param(6.0, is_set_back, id="and the wall clock was set back meanwhile"),
        pytest.param(1.0, ran_on, id="by the wall clock alone: the other stands still while a machine sleeps"),
    ],
)
def test_a_process_that_slept_after_its_intent_sends_nothing(
    seconds: float, wall_clock: Callable[[Stage], None]
) -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.want(shipment)
            points = Points(AFTER_THE_INTENT, freeze=seconds)
            stage.start(points)
            while not points.struck:
                await pass_time(0.05)
            assert stage.types(shipment) == ["offer_selected", "purchase_requested"]
            wall_clock(stage)
            await pass_time(seconds)
            stage.clock.set_back = timedelta(0)
            assert await stage.settled(shipment) == "succeeded"
            assert (stage.calls("/buy"), stage.charges()) == (1, [shipment])

    in_virtual_time(story())


def test_a_purchase_is_kept_while_the_carrier_takes_longer_than_the_lease() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.troubles = {"GET": [delayed(before=9)], "POST": [delayed(after=9)]}
            stage.want(shipment)
            slow = stage.start()
            await pass_time(0.1)
            idle = stage.start()
            await pass_time(17)
            assert (slow.points.names[-1], idle.points.names) == ("after a permit's commit", [])
            await pass_time(2)
            assert "after POST" in slow.points.names
            assert await stage.settled(shipment) == "succeeded"
            assert slow.points.names.count("before POST") == stage.calls("/buy") == 1

    in_virtual_time(story())


def test_a_purchase_that_nobody_hears_of_is_told_as_unknown_once() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.troubles = {
                "GET": [delayed(), *[lost(httpx.ConnectError)] * 12],
                "POST": [answered(502, effect=True)],
            }
            stage.want(shipment)
            stage.start()
            assert await stage.settled(shipment) == "succeeded"
            types = stage.types(shipment)
            assert types[:4] == ["offer_selected", "purchase_requested", "purchase_unknown", "purchase_succeeded"]
            assert types.count("purchase_unknown") == 1

    in_virtual_time(story())


def underway(state: str = "initiated") -> Trouble:
    """Show the shipment with a payment that has not ended, and nothing else of it."""

    async def trouble(request: httpx.Request, inner: Inner) -> httpx.Response:
        answer = await inner(request)
        await answer.aread()
        shown = json.loads(answer.content) | {"status": "offers_prepared", "selected_offer": None}
        shown["transactions"] = [{"id": 1, "status": state, "offer_id": shown["offers"][0]["id"], "details": {}}]
        return httpx.Response(200, json=shown, headers={"date": answer.headers["date"]})

    return trouble


@pytest.mark.parametrize("state", ["initiated", "a_word_nobody_documented"])
def test_a_payment_under_way_is_waited_for_however_long_it_takes(state: str) -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.troubles["GET"] = [delayed(), *[underway(state)] * 15]
            stage.want(shipment)
            stage.start()
            await pass_time(90)
            assert stage.state(shipment) == "doubt"
            assert await stage.settled(shipment) == "succeeded"
            assert stage.types(shipment).count("purchase_unknown") == 1
            assert stage.charges() == [shipment]

    in_virtual_time(story())


def test_nothing_is_bought_while_somebody_elses_payment_is_under_way() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.troubles["GET"] = [underway()] * 3
            stage.want(shipment)
            stage.start()
            await pass_time(3)
            assert (stage.state(shipment), stage.calls("/buy")) == ("wanted", 0)
            assert await stage.settled(shipment) == "succeeded"

    in_virtual_time(story())


def test_without_a_token_nothing_is_bought_and_nothing_in_doubt_is_given_up() -> None:
    async def story() -> None:
        async with Stage(purchase=15.0).open() as stage:
            bought, wanted = await stage.create(), await stage.create()
            stage.want(bought)
            first = stage.start()
            while not stage.calls("/buy"):
                await pass_time(0.1)
            await first.end()
            tokenless = stage.start(token=False)
            stage.want(wanted)
            assert await stage.settled(wanted) == "not_ours"
            await pass_time(300)
            assert stage.state(bought) == "doubt"
            assert stage.types(bought) == ["offer_selected", "purchase_requested", "purchase_unknown"]
            await tokenless.end()
            stage.start()
            assert await stage.settled(bought) == "succeeded"
            assert stage.charges() == [bought]

    in_virtual_time(story())


def test_a_shipment_the_carrier_never_shows_is_left_alone_quietly() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            forged = ShipmentId(42)
            stage.want(forged)
            stage.start()
            assert await stage.settled(forged) == "not_ours"
            assert (stage.reason(forged), stage.told(forged)) == ("not_found", [])
            assert 5 <= stage.calls("/42") <= 12

    in_virtual_time(story())


def refused(status: int, key: str) -> Trouble:
    """Refuse a call as the carrier itself does."""

    async def trouble(_: httpx.Request, __: Inner) -> httpx.Response:
        return httpx.Response(status, json={"status": status, "error": key, "message": "…", "details": {}})

    return trouble


@pytest.mark.parametrize(
    ("status", "key"), [(404, "resource_not_found"), (401, "token_invalid"), (403, "forbidden"), (400, "other")]
)
def test_a_read_that_is_refused_for_a_while_ends_no_purchase(status: int, key: str) -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.troubles["GET"] = [refused(status, key)] * 4
            stage.want(shipment)
            stage.start()
            await pass_time(5)
            assert stage.state(shipment) == "wanted"
            since = micros(START + timedelta(seconds=0.5)) if status in (401, 403) else None
            assert (await stage.connection()).degraded_since == since
            assert await stage.settled(shipment) == "succeeded"
            assert ((await stage.connection()).degraded_since, stage.charges()) == (None, [shipment])

    in_virtual_time(story())


@pytest.mark.parametrize(
    ("trouble", "minutes", "kept", "told"),
    [
        pytest.param(
            lost(httpx.ConnectError), 15, "carrier_unreachable", ("carrier_unavailable", "webhook"), id="unreachable"
        ),
        pytest.param(
            refused(400, "x"), 15, "carrier_unreachable", ("carrier_unavailable", "webhook"), id="refused oddly"
        ),
        pytest.param(
            refused(401, "token_invalid"), 5, "account_refused", ("account_paused", "carrier"), id="a wrong token"
        ),
        pytest.param(refused(403, "forbidden"), 5, "account_refused", ("account_paused", "carrier"), id="not allowed"),
    ],
)
def test_what_could_not_be_decided_about_ends_after_its_window_and_is_told(
    trouble: Trouble, minutes: int, kept: str, told: tuple[str, str]
) -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.troubles["GET"] = [trouble] * 100
            stage.want(shipment)
            stage.start()
            await pass_time(minutes * 60 - 1)
            assert stage.state(shipment) == "wanted"
            assert await stage.settled(shipment, seconds=62) == "expired"
            [event] = stage.told(shipment)
            assert (event.type, event.facet, stage.reason(shipment)) == ("offer_selection_failed", told[0], kept)
            assert (event.data["evidence"], event.data["policy_sha256"]) == (told[1], POLICY.sha256)

    in_virtual_time(story())


def shown_as(status: str) -> Trouble:
    async def trouble(request: httpx.Request, inner: Inner) -> httpx.Response:
        answer = await inner(request)
        await answer.aread()
        return httpx.Response(200, json=json.loads(answer.content) | {"status": status, "offers": []})

    return trouble


def test_a_shipment_whose_offers_never_come_ends_after_its_window_and_is_told() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.troubles["GET"] = [shown_as("created")] * 100
            stage.want(shipment)
            stage.start()
            assert await stage.settled(shipment, seconds=962) == "declined"
            [event] = stage.told(shipment)
            assert (event.type, event.facet) == ("offer_selection_failed", "none_available")

    in_virtual_time(story())


@pytest.mark.parametrize(
    ("minutes", "kept"),
    [pytest.param(60 * 24 * 365, 5, id="in a year"), pytest.param(-60, 0, id="an hour ago"), pytest.param(3, 3)],
)
def test_a_deadline_lies_in_the_five_minutes_that_offers_live(minutes: int, kept: int) -> None:
    """It comes from a body that anybody may have written."""

    async def story() -> None:
        async with Stage().open() as stage:
            for cause in ("first", "again"):
                now = stage.clock.now()
                work = PurchaseWork(ORGANIZATION, ShipmentId(1), now + timedelta(minutes=minutes), DeliveryId(cause))
                stage.want_all([work])
                [claimed] = await taken(stage.purchases(cause), now, Take(Errand.buy, 1), Take(Errand.renew, 1))
                assert claimed.deadline == now + timedelta(minutes=kept)
                await pass_time(10)

    in_virtual_time(story())


def test_what_is_in_doubt_comes_first_and_windows_that_are_over_come_last() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            now = stage.clock.now()
            later = now + timedelta(minutes=3)
            for number, minutes in ((1, 1), (2, 2), (3, 5), (4, 4), (5, 5)):
                work = PurchaseWork(ORGANIZATION, ShipmentId(number), now + timedelta(minutes=minutes), DeliveryId("d"))
                stage.want_all([work])
            stage.disk.rows("UPDATE purchases SET state = 'doubt' WHERE shipment IN (2, 5)")
            claimed = await taken(stage.purchases("a process"), later, *(Take(errand, 9) for errand in Errand))
            assert [one.shipment for one in claimed] == [2, 5, 4, 3, 1]

    in_virtual_time(story())


def test_a_slow_read_holds_up_neither_its_organization_nor_any_other() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipments = [await stage.create() for _ in range(12)]
            stage.troubles["GET"] = [delayed(before=9.5)] * 3
            stage.want(*shipments)
            stage.start()
            await pass_time(9)
            assert [stage.state(one) for one in shipments].count("succeeded") == 9
            for shipment in shipments:
                assert await stage.settled(shipment) == "succeeded"

    in_virtual_time(story())


def test_an_organization_whose_reads_hang_stops_no_other() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            theirs = OrganizationId(ORGANIZATION - 1)
            hanging = [PurchaseWork(theirs, ShipmentId(n), stage.clock.now(), DeliveryId("d")) for n in range(1, 21)]
            stage.want_all(hanging)
            shipment = await stage.create()
            never = Never()
            process = stage.start(others={theirs: Account(never, TERMS_OF_OTHERS, LIMITS)})
            await pass_time(1)
            stage.want(shipment)
            assert await stage.settled(shipment, seconds=5) == "succeeded"
            assert never.begun == 4, "as many at once as an organization may have"
            never.end.set()
            await process.end()

    in_virtual_time(story())


TERMS_OF_OTHERS = Terms("auto", POLICY, CAPS, SETTLE, CALL_WITHIN, 3)


class Never(Nobody):
    """A carrier that answers when the test ends."""

    def __init__(self) -> None:
        self.begun = 0
        self.end = asyncio.Event()

    async def read(self, shipment: ShipmentId, purpose: Purpose = Purpose.read) -> Shipment:
        self.begun += 1
        await self.end.wait()
        raise CarrierUnavailable("never", status=shipment)

    @asynccontextmanager
    async def turn_to_buy(self) -> AsyncIterator[Turn]:
        raise AssertionError("nothing was ever shown")
        yield


class Broken(Never):
    """A carrier with a bug."""

    async def read(self, shipment: ShipmentId, purpose: Purpose = Purpose.read) -> Shipment:
        raise ZeroDivisionError(shipment)


def test_a_bug_in_one_purchase_crashes_the_loop() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            stage.want(ShipmentId(1))
            process = stage.start(others={ORGANIZATION: Account(Broken(), TERMS_OF_OTHERS)})
            await pass_time(1)
            with pytest.raises(ExceptionGroup) as caught:
                await process.task
            assert caught.value.subgroup(ZeroDivisionError) is not None
            stage.processes.remove(process)

    in_virtual_time(story())


def test_a_sender_that_died_is_given_the_whole_time_its_call_could_have_taken() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.want(shipment)
            dying = stage.start(Points(at=BEFORE_THE_CALL))
            assert await stage.settled(shipment) == "succeeded"
            assert dying.points.names[-1] == "before POST"
            times = [row[0] for row in stage.disk.rows("SELECT occurred_at FROM events ORDER BY sequence")]
            assert times[2] - times[1] > (SEND_WITHIN + CALL_WITHIN + SETTLE) / timedelta(microseconds=1) - 1_000_000

    in_virtual_time(story())


@pytest.mark.parametrize("asked_after", [0.01, 0.3, 3.0], ids=["before the call", "during the call", "in doubt"])
def test_offers_that_come_during_a_doubt_are_bought_when_it_ends_unbought(asked_after: float) -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.troubles = {"GET": [delayed(before=0.1)], "POST": [lost(httpx.ConnectError, after=1)]}
            stage.want(shipment)
            stage.start()
            await pass_time(asked_after)
            stage.want(shipment, cause="newer")
            assert stage.calls("/buy") == 0
            for _ in range(90):
                await pass_time(1)
                types = stage.types(shipment)
            assert types[:3] == ["offer_selected", "purchase_requested", "purchase_failed"]
            assert types[3:6] == ["offer_selected", "purchase_requested", "purchase_succeeded"]
            times = [row[0] for row in stage.disk.rows("SELECT occurred_at FROM events ORDER BY sequence")]
            assert times[2] - times[1] > SETTLE / timedelta(microseconds=1), "only reads end a doubt"
            assert stage.charges() == [shipment]

    in_virtual_time(story())


def test_offers_that_come_during_a_purchase_are_forgotten_when_it_succeeds() -> None:
    async def story() -> None:
        async with Stage(purchase=3.0).open() as stage:
            shipment = await stage.create()
            stage.want(shipment)
            stage.start()
            await pass_time(2)
            stage.want(shipment, cause="newer")
            assert await stage.settled(shipment) == "succeeded"
            await pass_time(60)
            assert (stage.state(shipment), stage.calls("/buy"), stage.charges()) == ("succeeded", 1, [shipment])

    in_virtual_time(story())


@pytest.mark.parametrize(
    ("prefer", "reason"),
    [
        pytest.param("inpost_courier_c2c", "no_rule_match", id="what is listed is not on offer"),
        pytest.param("inpost_locker_allegro", "no_rule_match", id="what is listed is unavailable, others are not"),
    ],
)
def test_what_the_policy_does_not_list_is_not_bought_and_told_once(prefer: str, reason: str) -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.start(policy=preferring(prefer, rule="strict"))
            for cause in ("first", "second"):
                stage.want(shipment, cause=cause)
                assert await stage.settled(shipment) == "declined"
            [told] = stage.told(shipment)
            assert (told.type, told.facet) == ("offer_selection_failed", reason)
            assert len(told.data["rejected"]) == 3

    in_virtual_time(story())


def test_a_shipment_that_the_carrier_buys_is_told_once_whatever_its_offers_look_like_at_the_time() -> None:
    async def story() -> None:
        async with Stage(purchase=60.0).open() as stage:
            shipment = await stage.create(service="inpost_courier_standard")
            stage.start()
            offers: list[list[object]] = [
                [],
                [{"id": 9, "status": "selected", "service": {"id": "inpost_courier_standard"}}],
            ]
            for shown in offers:
                stage.troubles["GET"] = [with_offers(shown)]
                stage.want(shipment, cause=str(len(shown)))
                assert await stage.settled(shipment) == "not_ours"
            [told] = stage.told(shipment)
            assert (told.type, told.facet) == ("offer_selection_failed", "carrier_owned_purchase")
            assert stage.calls("/buy") == 0

    in_virtual_time(story())


def with_offers(shown: list[object]) -> Trouble:
    async def trouble(request: httpx.Request, inner: Inner) -> httpx.Response:
        answer = await inner(request)
        await answer.aread()
        return httpx.Response(200, json=json.loads(answer.content) | {"offers": shown})

    return trouble


def test_a_purchase_of_another_offer_than_ours_is_somebody_elses() -> None:
    async def story() -> None:
        async with Stage(again="refuse", purchase=3.0).open() as stage:
            shipment = await stage.create()
            await stage.buy(shipment, "inpost_courier_standard")
            stage.want(shipment)
            stage.start()
            assert await stage.settled(shipment) == "succeeded"
            [requested] = [one for one in stage.told(shipment) if one.type == "purchase_requested"]
            [succeeded] = [one for one in stage.told(shipment) if one.type == "purchase_succeeded"]
            assert requested.data["service_id"] == "inpost_locker_standard"
            assert succeeded.data["service_id"] == "inpost_courier_standard"
            assert (succeeded.data["adopted"], succeeded.data["price"]["amount"]) == (True, "13.50")
            assert succeeded.key == requested.key

    in_virtual_time(story())


def test_a_purchase_that_was_not_made_is_told_as_happening_after_it_was_requested() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.troubles["POST"] = [lost(httpx.ConnectError)] * 3
            stage.want(shipment)
            stage.start()
            await stage.settled(shipment)
            times = [row[0] for row in stage.disk.rows("SELECT occurred_at FROM events ORDER BY sequence")]
            assert times == sorted(times)
            assert times[2] - times[1] > 20_000_000

    in_virtual_time(story())


def test_what_expires_first_is_bought_first() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipments = [await stage.create() for _ in range(12)]
            now = stage.clock.now()
            windows = {one: now + timedelta(seconds=300 - 10 * index) for index, one in enumerate(shipments)}
            work = [PurchaseWork(ORGANIZATION, one, at, DeliveryId("d")) for one, at in windows.items()]
            stage.want_all(work)
            purchases = stage.purchases("a process")
            claimed = [await taken(purchases, now, Take(Errand.buy, 2)) for _ in range(2)]
            assert [one.shipment for some in claimed for one in some] == shipments[:-5:-1]

    in_virtual_time(story())


def test_what_another_process_holds_is_not_due_before_its_lease_ends() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            now = stage.clock.now()
            one, other = stage.purchases("one"), stage.purchases("other")
            assert await other.next_due() is None
            stage.want(shipment)
            assert await other.next_due() == now
            await taken(one, now, Take(Errand.buy, 1))
            assert await other.next_due() == now + timedelta(seconds=8)

    in_virtual_time(story())


def test_a_buyer_ends_when_asked_and_leaves_nothing_half_done() -> None:
    async def story() -> Process:
        async with Stage(purchase=5.0).open() as stage:
            shipment = await stage.create()
            stage.troubles["POST"] = [delayed(before=3)]
            stage.want(shipment)
            process = stage.start()
            while "before POST" not in process.points.names:
                await pass_time(0.1)
            await process.end()
            assert (stage.state(shipment), stage.calls("/buy")) == ("doubt", 1)
            stage.start()
            assert await stage.settled(shipment) == "succeeded"
            return process

    assert in_virtual_time(story()).task.exception() is None


@pytest.mark.parametrize(
    ("base_url", "wanted", "done"),
    [
        pytest.param("http://127.0.0.1:9000", "auto", "auto", id="a carrier on this machine takes play money"),
        pytest.param("http://localhost:9000", "auto", "auto", id="by name"),
        pytest.param("https://sandbox-api-shipx-pl.easypack24.net", "auto", "approve", id="the sandbox asks a person"),
        pytest.param("https://api-shipx-pl.easypack24.net", "auto", "approve", id="production asks a person"),
        pytest.param("https://127.0.0.1.example.com", "auto", "approve", id="a name that only looks like loopback"),
        pytest.param("https://api-shipx-pl.easypack24.net", "dry_run", "dry_run", id="less is never made more"),
        pytest.param("http://127.0.0.1:9000", "approve", "approve", id="nor here"),
    ],
)
def test_money_is_spent_unasked_only_at_a_carrier_on_this_machine(base_url: str, wanted: str, done: str) -> None:
    environ = {
        "BRIDGE_SHIPX__BASE_URL": base_url,
        "BRIDGE_SHIPX__ORGANIZATION_ID": "4821",
        "BRIDGE_SHIPX__TOKEN": "carrier-token",
        "BRIDGE_SHIPX__WEBHOOK_SECRETS": "a1" * 16,
        "BRIDGE_PERSONAL_DATA__KEYS": base64.b64encode(bytes(range(224, 256))).decode(),
        "BRIDGE_PURCHASING__MODE": wanted,
    }
    assert real_mode(load(environ)) == done


def test_virtual_time_begins_where_the_tests_say() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            await pass_time(60)
            assert stage.clock.now() == START + timedelta(seconds=60)

    in_virtual_time(story())
