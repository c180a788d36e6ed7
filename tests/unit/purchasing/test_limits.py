"""Purchases under a scarce rate, on a paused connection, and while the carrier is away, in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from bridge.limits.breaker import SUSPECTED_AFTER
from bridge.limits.connection import Limits
from bridge.model import DeliveryId, PurchaseWork, ShipmentId
from tests.unit.purchasing.stage import CONNECTION, ORGANIZATION, Inner, Stage, Trouble
from tests.unit.purchasing.troubles import answered, connected, delayed, lost
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time

MANY = 10_000


async def pause(stage: Stage) -> None:
    await stage.connections().prepare([CONNECTION])
    assert await stage.write(
        lambda transaction: stage.connections().pause(transaction, CONNECTION, reason="operator", by="somebody")
    )


async def resume(stage: Stage) -> None:
    assert await stage.write(lambda transaction: stage.connections().resume(transaction, CONNECTION))


def calls_in(stage: Stage, seconds: float) -> int:
    """Give the most calls that reached the carrier in any time so long."""
    times = sorted(call.at for call in stage.simulator.world.calls.after(stage.calls_of_the_merchant))
    window = timedelta(seconds=seconds)
    return max(sum(start <= one < start + window for one in times) for start in times)


# -- the rate ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "processes", "shipments"),
    [
        pytest.param(Limits(60, 2), 1, 12, id="one process at the default rate"),
        pytest.param(Limits(60, 2), 3, 18, id="three"),
        pytest.param(Limits(60, 1), 3, 12, id="one call at a time"),
        pytest.param(Limits(600, 10), 3, 100, id="a high rate"),
        pytest.param(Limits(6, 2), 2, 3, id="a low one"),
        pytest.param(Limits(1, 1), 1, 1, id="one call a minute: the purchase waits for its turn, before its intent"),
    ],
)
def test_everything_is_bought_and_the_carrier_is_never_asked_more_than_agreed(
    limits: Limits, processes: int, shipments: int
) -> None:
    async def story() -> None:
        async with Stage(limits=limits, funds="5000.00").open() as stage:
            wanted = [await stage.create() for _ in range(shipments)]
            stage.note_calls_of_the_merchant()
            for _ in range(processes):
                stage.start()
            stage.want(*wanted)
            for shipment in wanted:
                assert await stage.settled(shipment) == "succeeded"
            assert sorted(stage.charges()) == wanted
            assert calls_in(stage, 60) <= limits.per_minute

    in_virtual_time(story())


def test_a_purchase_that_gets_no_turn_is_not_intended_and_stays_wanted() -> None:
    async def story() -> None:
        async with Stage(limits=Limits(6000, 1)).open() as stage:
            slow, quick = await stage.create(), await stage.create()
            stage.troubles["POST"] = [delayed(after=9)]
            stage.want(slow)
            stage.start()
            await pass_time(0.1)
            stage.want(quick)
            await pass_time(8)
            assert (stage.state(quick), stage.types(quick)) == ("wanted", [])
            assert await stage.settled(quick) == "succeeded"
            assert sorted(stage.charges()) == sorted([slow, quick])

    in_virtual_time(story())


@pytest.mark.parametrize("state", ["wanted", "doubt"])
def test_nobody_waits_for_a_day_because_the_carrier_says_so(state: str) -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            limited = answered(429, retry_after="86400")
            stage.troubles["GET"] = [limited] if state == "wanted" else [delayed(), limited]
            stage.want(shipment)
            stage.start()
            await pass_time(119)
            assert stage.state(shipment) == state
            assert await stage.settled(shipment, seconds=5) == "succeeded"

    in_virtual_time(story())


def test_one_who_is_asked_to_wait_makes_all_wait() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            first, second = await stage.create(), await stage.create()
            stage.troubles["GET"] = [answered(429, retry_after="30")]
            stage.start()
            stage.start()
            stage.want(first)
            await pass_time(1)
            stage.want(second)
            stage.note_calls_of_the_merchant()
            await pass_time(28)
            assert list(stage.simulator.world.calls.after(stage.calls_of_the_merchant)) == []
            assert [await stage.settled(one, seconds=10) for one in (first, second)] == ["succeeded"] * 2

    in_virtual_time(story())


# -- a pause -----------------------------------------------------------------------------------------------------------


def test_on_a_paused_connection_nothing_is_asked_until_it_is_resumed() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            await pause(stage)
            stage.note_calls_of_the_merchant()
            stage.want(shipment)
            stage.start()
            stage.start()
            await pass_time(200)
            assert (stage.state(shipment), stage.types(shipment)) == ("wanted", [])
            assert list(stage.simulator.world.calls.after(stage.calls_of_the_merchant)) == []
            await resume(stage)
            await pass_time(1.1)
            assert stage.calls("/buy") == 1
            assert await stage.settled(shipment) == "succeeded"

    in_virtual_time(story())


def test_a_pause_stops_a_purchase_that_has_been_read_already_before_its_intent() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.troubles["GET"] = [delayed(after=2)]
            stage.want(shipment)
            stage.start()
            await pass_time(1)
            await pause(stage)
            await pass_time(60)
            assert (stage.state(shipment), stage.types(shipment), stage.calls("/buy")) == ("wanted", [], 0)
            await resume(stage)
            assert await stage.settled(shipment) == "succeeded"

    in_virtual_time(story())


def test_what_is_in_doubt_is_settled_on_a_paused_connection() -> None:
    async def story() -> None:
        async with Stage(purchase=5.0).open() as stage:
            shipment = await stage.create()
            stage.want(shipment)
            stage.start()
            while not stage.calls("/buy"):
                await pass_time(0.1)
            await pause(stage)
            assert await stage.settled(shipment) == "succeeded"

    in_virtual_time(story())


def test_what_is_paused_beyond_its_window_ends_as_the_carrier_says() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            await pause(stage)
            await pass_time(2)
            stage.want(shipment)
            stage.start()
            await pass_time(299)
            assert stage.state(shipment) == "wanted"
            assert await stage.settled(shipment, seconds=5) == "expired"
            assert stage.types(shipment) == ["offers_expired"]

    in_virtual_time(story())


def test_what_is_paused_until_its_offers_expire_ends_then_whatever_the_webhook_said_and_is_kept_apart() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            await pause(stage)
            now = stage.clock.now()
            work = PurchaseWork(ORGANIZATION, shipment, now + timedelta(seconds=30), DeliveryId("earlier"))
            stage.want_all([work])
            stage.start()
            await pass_time(290)
            assert stage.state(shipment) == "wanted"
            assert await stage.settled(shipment, seconds=20) == "expired"
            [told] = stage.told(shipment)
            assert told.type in ("offers_expired", "offer_selection_failed"), "whichever clock says so first"
            assert stage.reason(shipment) == "account_paused"
            assert stage.calls("/buy") == 0

    in_virtual_time(story())


# -- the breaker -------------------------------------------------------------------------------------------------------


def only_for(matches: Callable[[httpx.Request], bool], trouble: Trouble) -> Trouble:
    async def chosen(request: httpx.Request, inner: Inner) -> httpx.Response:
        return await (trouble(request, inner) if matches(request) else inner(request))

    return chosen


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(lost(httpx.ConnectError), id="no connection"),
        pytest.param(connected(after=9), id="a connection that takes longer than a permit is good for"),
        pytest.param(connected(after=3600), id="a connection that is never made"),
        pytest.param(lost(httpx.ReadTimeout, after=10), id="no answer"),
        pytest.param(answered(503), id="503"),
        pytest.param(answered(403), id="403 with a page"),
        pytest.param(answered(200), id="200 with a page"),
    ],
)
def test_a_carrier_that_is_away_is_left_alone_and_everything_is_bought_when_it_is_back(trouble: Trouble) -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipments = [await stage.create() for _ in range(8)]
            reached: list[str] = []

            async def away(request: httpx.Request, inner: Inner) -> httpx.Response:
                reached.append(request.url.path)
                return await trouble(request, inner)

            stage.troubles["GET"] = [away] * MANY
            stage.want(*shipments)
            stage.start()
            stage.start()
            await pass_time(100)
            probes = [path for path in reached if path == "/v1/organizations"]
            assert len(reached) - len(probes) <= SUSPECTED_AFTER + 2 * 4, "what was underway already"
            assert 2 <= len(probes) <= 9
            assert all(stage.state(one) == "wanted" for one in shipments)
            stage.troubles["GET"] = []
            for shipment in shipments:
                assert await stage.settled(shipment, seconds=90) == "succeeded"
            assert sorted(stage.charges()) == shipments
            assert (await stage.connection()).degraded_since is None

    in_virtual_time(story())


def test_a_shipment_that_the_carrier_cannot_show_keeps_no_other_from_being_bought() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            forged = ShipmentId(42)
            broken = only_for(lambda request: request.url.path.endswith("/42"), answered(500))
            stage.troubles["GET"] = [broken] * MANY
            stage.want(forged)
            stage.start()
            for _ in range(10):
                await pass_time(20)
                shipment = await stage.create()
                stage.want(shipment)
                assert await stage.settled(shipment, seconds=5) == "succeeded"
            assert (await stage.connection()).breaker.trips == 0
            assert len(stage.charges()) == 10

    in_virtual_time(story())


def test_what_is_in_doubt_stays_so_while_the_carrier_is_away_and_is_told_as_unknown() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.troubles = {"GET": [delayed(), *[answered(502)] * MANY], "POST": [answered(502, effect=True)]}
            stage.want(shipment)
            stage.start()
            await pass_time(180)
            assert stage.state(shipment) == "doubt"
            assert stage.types(shipment) == ["offer_selected", "purchase_requested", "purchase_unknown"]
            stage.troubles.clear()
            assert await stage.settled(shipment, seconds=70) == "succeeded"
            assert stage.charges() == [shipment]

    in_virtual_time(story())
