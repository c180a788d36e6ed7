"""What waits for a person is looked at when its window is over: people hear of it once, and nothing else happens."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import structlog

from bridge.events.cloudevents import Envelope
from bridge.model import ShipmentId
from bridge.purchasing.terms import Mode
from bridge.store.approvals import SqlApprovals
from bridge.store.database import Transaction
from bridge.store.facts import Recorder
from bridge.store.listed import Listed
from bridge.store.orders import Order, Refused
from tests.unit.purchasing.stage import ORGANIZATION, Points, Stage
from tests.unit.purchasing.troubles import answered
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time

COURIER = "inpost_courier_standard"
HELD = ["offer_selected", "purchase_held"]
APPROVALS = SqlApprovals(Recorder(Envelope("test")))
Act = Callable[[Transaction, Order], Listed | Refused]


async def held(stage: Stage, mode: Mode = "approve", *, points: Points | None = None) -> ShipmentId:
    """Have a purchase decided about and held."""
    shipment = await stage.create()
    stage.want(shipment)
    process = stage.start(mode=mode)
    assert await stage.settled(shipment) == "held"
    await process.end()
    stage.processes.clear()
    stage.start(points, mode=mode)
    stage.note_calls_of_the_merchant()
    return shipment


async def order(stage: Stage, shipment: ShipmentId, act: str) -> None:
    """Have a person do something about it."""
    given = Order(shipment, ORGANIZATION, "anna", f"command-{act}")
    found = await stage.write(lambda it: getattr(APPROVALS, act)(it, given, stage.clock.now()))
    assert isinstance(found, Listed)


def calls(stage: Stage) -> int:
    return sum(1 for _ in stage.simulator.world.calls.after(0)) - stage.calls_of_the_merchant


@pytest.mark.parametrize(("mode", "why"), [("approve", "approval_required"), ("dry_run", "dry_run")])
def test_people_hear_once_that_the_window_of_what_waits_for_them_closed(mode: Mode, why: str) -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await held(stage, mode)
            stage.start(mode=mode)
            await pass_time(280)
            assert (stage.types(shipment), calls(stage)) == (HELD, 0)
            await pass_time(60)
            assert stage.types(shipment) == [*HELD, "offers_expired"]
            told = stage.told(shipment)[-1].data
            assert (told["held"], told["evidence"], stage.state(shipment)) == (why, "carrier", "held")
            assert calls(stage) == 1
            await pass_time(3600)
            assert (stage.types(shipment), calls(stage)) == ([*HELD, "offers_expired"], 1), "and that is all"

    in_virtual_time(story())


def test_what_a_person_holds_is_told_of_too() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.want(shipment)
            await order(stage, shipment, "hold")
            stage.start()
            await pass_time(330)
            assert stage.types(shipment) == ["purchase_held", "offers_expired"]
            assert (stage.state(shipment), stage.reason(shipment), stage.charges()) == ("held", "by_person", [])

    in_virtual_time(story())


def test_what_is_approved_after_its_window_has_its_offers_made_anew_and_is_bought() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await held(stage)
            await pass_time(900)
            assert stage.types(shipment) == [*HELD, "offers_expired"]
            await order(stage, shipment, "approve")
            assert await stage.settled(shipment) == "succeeded"
            assert stage.types(shipment)[3:6] == ["offer_selected", "purchase_requested", "purchase_succeeded"]
            assert stage.charges() == [shipment]

    in_virtual_time(story())


def test_no_offers_are_made_anew_for_what_waits_for_a_person() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await held(stage)
            await pass_time(400)
            for cause in ("a repeat", "forged", "a replay"):
                stage.want(shipment, cause=cause)
                assert await stage.settled(shipment) == "held"
            assert stage.reason(shipment) == "approval_required"
            assert stage.types(shipment) == [*HELD, "offers_expired"]
            edits = [call for call in stage.simulator.world.calls.after(0) if call.method == "PUT"]
            assert edits == []

    in_virtual_time(story())


def test_what_somebody_else_bought_meanwhile_is_adopted() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await held(stage)
            await pass_time(200)
            await stage.buy(shipment, COURIER)
            await pass_time(90)
            assert stage.state(shipment) == "held", "no webhook told of it"
            await pass_time(60)
            assert (stage.state(shipment), stage.reason(shipment)) == ("succeeded", "adopted")
            assert stage.types(shipment)[2:4] == ["purchase_succeeded", "confirmed"]
            assert "offers_expired" not in stage.types(shipment)

    in_virtual_time(story())


def test_a_window_that_is_open_longer_than_was_known_is_looked_at_when_that_one_closes() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await held(stage)
            await pass_time(200)
            await stage.merchant.put(f"/v1/shipments/{shipment}", json={})
            stage.note_calls_of_the_merchant()
            await pass_time(250)
            assert (stage.types(shipment), calls(stage)) == (HELD, 1)
            await pass_time(100)
            assert (stage.types(shipment), calls(stage)) == ([*HELD, "offers_expired"], 2)

    in_virtual_time(story())


def test_what_the_carrier_does_not_show_for_a_while_is_told_when_it_does() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await held(stage)
            stage.troubles["GET"] = [answered(502)] * 3
            await pass_time(330)
            assert stage.types(shipment) == HELD
            await pass_time(300)
            assert stage.types(shipment) == [*HELD, "offers_expired"]

    in_virtual_time(story())


def test_what_is_cancelled_waits_quietly() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await held(stage)
            await stage.merchant.delete(f"/v1/shipments/{shipment}")
            await pass_time(1000)
            assert (stage.state(shipment), stage.types(shipment)) == ("held", HELD)
            assert calls(stage) == 2, "the cancellation, and one look"

    in_virtual_time(story())


def test_many_windows_that_close_together_are_looked_at_by_one_list() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipments = [await stage.create() for _ in range(30)]
            stage.want(*shipments)
            stage.start(mode="approve")
            for shipment in shipments:
                assert await stage.settled(shipment) == "held"
            stage.note_calls_of_the_merchant()
            await pass_time(400)
            assert all(stage.types(one) == [*HELD, "offers_expired"] for one in shipments)
            assert calls(stage) <= 3

    in_virtual_time(story())


@pytest.mark.parametrize("freeze", [0.0, 30.0])
def test_wherever_a_process_dies_or_stands_still_people_hear_of_it_once(freeze: float) -> None:
    async def story(at: int) -> bool:
        async with Stage().open() as stage:
            points = Points(at, freeze)
            shipment = await held(stage, points=points)
            await beside(stage, freeze)
            assert stage.types(shipment) == [*HELD, "offers_expired"]
            assert (stage.state(shipment), stage.charges()) == ("held", [])
            return points.struck

    everywhere(story)


@pytest.mark.parametrize("freeze", [0.0, 30.0])
def test_wherever_a_process_dies_or_stands_still_what_somebody_else_bought_is_adopted_once(freeze: float) -> None:
    async def story(at: int) -> bool:
        async with Stage().open() as stage:
            shipment = await stage.create()
            await stage.buy(shipment, COURIER)
            stage.say(shipment, ShipmentId(1))
            points = Points(at, freeze)
            stage.start(points, mode="approve")
            await beside(stage, freeze)
            assert (stage.state(shipment), stage.reason(shipment)) == ("succeeded", "adopted")
            assert stage.state(ShipmentId(1)) == "not_ours"
            assert stage.types(ShipmentId(1)) == []
            told = ["purchase_succeeded", "confirmed", "tracking_number_assigned", "status_changed"]
            assert stage.types(shipment) == told
            return points.struck

    everywhere(story)


async def beside(stage: Stage, freeze: float) -> None:
    """Let another process work while one stands still, or after it died."""
    if freeze:
        stage.start(mode="approve")
    for _ in range(20):
        await pass_time(20)
        if all(process.crashed for process in stage.processes):
            stage.start(mode="approve")


def everywhere(story: Callable[[int], Coroutine[Any, Any, bool]]) -> None:
    """Play a story with a process that is struck at each place, until there is none left."""
    with structlog.testing.capture_logs():
        at = 1
        while in_virtual_time(story(at)):
            at += 1
        assert at > 5


def test_a_webhook_that_says_bought_puts_off_no_purchase() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.say(shipment, *map(ShipmentId, range(1, 500)))
            stage.start()
            for _ in range(5):
                stage.say(shipment)
                await pass_time(2)
            stage.want(shipment)
            stage.say(shipment)
            assert await stage.settled(shipment, seconds=5) == "succeeded"
            assert (stage.reason(shipment), stage.charges()) == (None, [shipment])

    in_virtual_time(story())
