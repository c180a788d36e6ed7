"""Comments on an order: one is added once, and said in other words as often as it takes."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.dispatch.asked import AddDispatchComment, ChangeDispatchComment, PrintDispatchOrder
from bridge.model import CommandState
from tests.unit.purchasing.stage import Points
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time
from tests.unit.shipping.couriers import ADD, ADDRESS, ORDERS, at_carrier, bought, couriers, give, ordered
from tests.unit.shipping.stage import Stage, places

CHANGE = ChangeDispatchComment.operation
PRINT = PrintDispatchOrder.operation
COMMENT = f"{ORDERS}/*/comment"
FAULTS = ["lost", "crashed", "hung_up", "cut", "dropped", "unavailable", "limited"]


def texts(stage: Stage, number: int) -> list[str]:
    return [one.text for one in at_carrier(stage, number).comments]


@pytest.mark.parametrize("kind", [None, *FAULTS])
def test_a_comment_is_added_once_beside_those_that_are_there(kind: str | None) -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            stage.start()
            number = await ordered(stage, await bought(stage), comment="brama od podwórza")
            if kind is not None:
                await stage.fault(kind, method="POST", path=COMMENT)
            await give(stage, AddDispatchComment(dispatch_order_id=number, comment="rampa nr 3"))
            result = await stage.done(ADD)
            assert texts(stage, number) == ["brama od podwórza", "rampa nr 3"]
            assert result == {"dispatch_order_id": number, "comment_id": at_carrier(stage, number).comments[1].id}

    in_virtual_time(story())


def test_wherever_a_process_dies_a_comment_is_added_once() -> None:
    names = in_virtual_time(_dying(Points()))
    for at in places(names):
        in_virtual_time(_dying(Points(at)))


async def _dying(points: Points) -> list[str]:
    async with Stage(couriers).open() as stage:
        shipments = await bought(stage)
        made = await stage.merchant.post(ORDERS, json={"shipments": shipments, "address": ADDRESS})
        number = made.json()["id"]
        stage.start(points)
        await give(stage, AddDispatchComment(dispatch_order_id=number, comment="rampa nr 3"))
        await stage.done(ADD)
        assert texts(stage, number) == ["rampa nr 3"]
        await pass_time(1)
    return points.names


@pytest.mark.parametrize("kind", [None, *FAULTS])
def test_a_comment_says_what_was_asked_for_last(kind: str | None) -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            stage.start()
            number = await ordered(stage, await bought(stage), comment="rampa nr 3")
            comment = at_carrier(stage, number).comments[0].id
            if kind is not None:
                await stage.fault(kind, method="PUT", path=COMMENT)
            asked = ChangeDispatchComment(dispatch_order_id=number, comment_id=comment, comment="rampa nr 4")
            await give(stage, asked)
            await stage.done(CHANGE)
            assert texts(stage, number) == ["rampa nr 4"]

    in_virtual_time(story())


def test_a_comment_on_nothing_is_a_definite_no() -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            stage.start()
            await give(stage, AddDispatchComment(dispatch_order_id=999, comment="rampa nr 3"))
            standing = await stage.ended(ADD)
            result: Any = standing.result
            assert (standing.state, result["problem"]) == (CommandState.rejected, "not-found")

    in_virtual_time(story())


def test_the_list_to_sign_comes_as_a_file() -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            stage.start()
            number = await ordered(stage, await bought(stage))
            await give(stage, PrintDispatchOrder(dispatch_order_id=number))
            result = await stage.done(PRINT)
            assert result["media_type"] == "application/pdf"
            assert result["content"].startswith("JVBERi0")

    in_virtual_time(story())
