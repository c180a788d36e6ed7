"""A courier is called off: said to be done only when a read shows it, whatever becomes of the calls."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.dispatch.asked import CancelDispatchOrder
from bridge.model import CommandState
from tests.unit.purchasing.stage import Points
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time
from tests.unit.shipping.couriers import ADDRESS, CANCEL, ORDERS, at_carrier, bought, couriers, give, ordered, told
from tests.unit.shipping.stage import Stage, places

DELETED = "/v1/dispatch_orders/*"


def test_a_cancelled_order_is_told_as_the_carrier_shows_it() -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            stage.start()
            number = await ordered(stage, await bought(stage))
            await give(stage, CancelDispatchOrder(dispatch_order_id=number))
            result = await stage.done(CANCEL)
            assert (result["state"], result["carrier_status"]) == ("cancelled", "canceled")
            kind, event = told(stage, number)[-1]
            assert (kind, event["causationid"]) == ("dispatch_order.status_changed", "one")
            data = event["data"]
            assert (data["state"], data["previous_carrier_status"], data["terminal"]) == ("cancelled", "new", True)
            assert stage.disk.rows("SELECT state, due_at FROM dispatch_orders") == [("cancelled", None)]

    in_virtual_time(story())


@pytest.mark.parametrize("kind", ["lost", "crashed", "hung_up", "dropped", "unavailable", "failed", "limited"])
def test_whatever_becomes_of_the_answer_it_is_cancelled(kind: str) -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            stage.start()
            number = await ordered(stage, await bought(stage))
            await stage.fault(kind, method="DELETE", path=DELETED)
            await give(stage, CancelDispatchOrder(dispatch_order_id=number))
            assert (await stage.done(CANCEL))["state"] == "cancelled"
            assert at_carrier(stage, number).statuses.count("canceled") == 1

    in_virtual_time(story())


def test_one_that_the_carrier_does_not_know_any_more_after_it_took_the_cancel_in_is_gone() -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            stage.start()
            number = await ordered(stage, await bought(stage))
            await stage.fault("unavailable", method="GET", path=DELETED)
            await give(stage, CancelDispatchOrder(dispatch_order_id=number))
            await pass_time(1.5)
            at_carrier(stage, number).organization = None  # the carrier shows it to nobody any more
            assert (await stage.done(CANCEL))["state"] == "gone"
            kind, event = told(stage, number)[-1]
            assert (kind, event["data"]["reason"]) == ("dispatch_order.failed", "gone")
            assert event["causationid"] == "one"
            assert stage.disk.rows("SELECT state, due_at FROM dispatch_orders") == [("gone", None)]

    in_virtual_time(story())


def test_one_that_the_carrier_never_knew_is_not_gone_though_an_answer_was_lost() -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            stage.start()
            await stage.fault("dropped", method="DELETE", path=DELETED)
            await give(stage, CancelDispatchOrder(dispatch_order_id=999))
            assert (await stage.ended(CANCEL, seconds=2 * 3600)).state is CommandState.unknown

    in_virtual_time(story())


def test_wherever_a_process_dies_it_is_cancelled_and_told_once() -> None:
    names = in_virtual_time(_dying(Points()))
    assert "before DELETE" in names
    for at in places(names):
        in_virtual_time(_dying(Points(at)))


async def _dying(points: Points) -> list[str]:
    async with Stage(couriers).open() as stage:
        shipments = await bought(stage)
        made = await stage.merchant.post(ORDERS, json={"shipments": shipments, "address": ADDRESS})
        number = made.json()["id"]
        stage.start(points)
        await give(stage, CancelDispatchOrder(dispatch_order_id=number))
        assert (await stage.done(CANCEL))["state"] == "cancelled"
        assert [kind for kind, _ in told(stage, number)] == ["dispatch_order.status_changed"]
        await pass_time(1)
    return points.names


def test_one_that_was_cancelled_before_is_cancelled() -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            stage.start()
            number = await ordered(stage, await bought(stage))
            assert (await stage.merchant.delete(f"/v1/dispatch_orders/{number}")).status_code == 204
            await give(stage, CancelDispatchOrder(dispatch_order_id=number))
            assert (await stage.done(CANCEL))["state"] == "cancelled"

    in_virtual_time(story())


@pytest.mark.parametrize(("number", "problem"), [(None, "carrier-refused"), (999, "not-found")])
def test_what_cannot_be_cancelled_is_a_definite_no(number: int | None, problem: str) -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            stage.start()
            wanted = number or await ordered(stage, await bought(stage))
            if number is None:
                moved = await stage.merchant.post(
                    f"/_control/dispatch_orders/{wanted}/statuses", json={"status": "done"}
                )
                assert moved.status_code == 200
            await give(stage, CancelDispatchOrder(dispatch_order_id=wanted))
            standing = await stage.ended(CANCEL)
            result: Any = standing.result
            assert (standing.state, result["problem"]) == (CommandState.rejected, problem)

    in_virtual_time(story())
