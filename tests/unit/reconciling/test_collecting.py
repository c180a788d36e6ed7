"""Orders to couriers are asked about until they are over: seldom where nothing moves, and none holds up the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from bridge.carriers.shipx.dispatching import ShipxDispatcher
from bridge.lifecycle import Stop
from bridge.reconciling.collecting import Collecting
from tests.unit.purchasing.stage import ORGANIZATION
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time
from tests.unit.shipping.couriers import bought, couriers, keeping, ordered, told
from tests.unit.shipping.stage import Parts, Stage, Worker

SLOW: dict[str, Any] = {"dispatch": {"steps": [{"status": "sent", "after": 60}, {"status": "done", "after": 3600}]}}


def collecting(worker: Worker) -> Collecting:
    parts: Parts = worker.parts
    dispatcher = ShipxDispatcher(parts.client.asker, ORGANIZATION)
    return Collecting(ORGANIZATION, dispatcher, keeping(parts), parts.stage.clock, Stop())


async def rounds(one: Collecting, seconds: int) -> None:
    """Look every fifteen seconds."""
    for _ in range(seconds // 15):
        await pass_time(15)
        await one.look()


def reads(stage: Stage) -> int:
    """Count how often an order was read."""
    calls = stage.simulator.world.calls.after(0)
    return sum(call.method == "GET" and call.path.startswith("/v1/dispatch_orders/") for call in calls)


def words(stage: Stage, number: int) -> Sequence[tuple[str, str | None]]:
    return [(kind, event["data"].get("carrier_status")) for kind, event in told(stage, number)]


def test_each_status_is_told_and_a_final_one_ends_it() -> None:
    async def story() -> None:
        async with Stage(couriers, **SLOW).open() as stage:
            worker = stage.start()
            number = await ordered(stage, await bought(stage))
            await rounds(collecting(worker), 2 * 3600)
            assert words(stage, number) == [
                ("dispatch_order.created", "new"),
                ("dispatch_order.status_changed", "sent"),
                ("dispatch_order.status_changed", "done"),
            ]
            assert reads(stage) < 20
            before = reads(stage)
            await rounds(collecting(worker), 3600)
            assert reads(stage) == before

    in_virtual_time(story())


@pytest.mark.parametrize(("word", "told_of"), [("rejected", True), ("beamed_up", False)])
def test_any_word_is_taken_and_one_that_gives_it_up_is_a_failure(word: str, told_of: bool) -> None:
    async def story() -> None:
        async with Stage(couriers, dispatch={"steps": []}).open() as stage:
            worker = stage.start()
            number = await ordered(stage, await bought(stage))
            await stage.merchant.post(f"/_control/dispatch_orders/{number}/statuses", json={"status": word})
            await rounds(collecting(worker), 60)
            kinds = [kind for kind, _ in words(stage, number)]
            assert kinds[1] == "dispatch_order.status_changed"
            assert ("dispatch_order.failed" in kinds) is told_of

    in_virtual_time(story())


def test_one_that_cannot_be_read_waits_behind_the_others() -> None:
    async def story() -> None:
        async with Stage(couriers, dispatch={"steps": [{"status": "sent", "after": 5}]}).open() as stage:
            worker = stage.start()
            shipments = await bought(stage, 2)
            first = await ordered(stage, shipments[:1])
            await stage.fault("crashed", method="GET", path=f"/v1/dispatch_orders/{first}", times=2)
            second = await ordered(stage, shipments[1:], key="another")
            await rounds(collecting(worker), 45)
            assert words(stage, second)[-1][1] == "sent"
            assert words(stage, first)[-1][1] == "new"
            await rounds(collecting(worker), 300)
            assert words(stage, first)[-1][1] == "sent"

    in_virtual_time(story())


def test_many_are_asked_about_by_one_call() -> None:
    async def story() -> None:
        async with Stage(couriers, dispatch={"steps": [{"status": "sent", "after": 5}]}).open() as stage:
            worker = stage.start()
            shipments = await bought(stage, 6)
            made = [await ordered(stage, [one], key=f"order {one}") for one in shipments]
            await pass_time(15)
            before = reads(stage)
            await collecting(worker).look()
            assert reads(stage) - before == 0
            assert {words(stage, one)[-1][1] for one in made} == {"sent"}

    in_virtual_time(story())


@pytest.mark.parametrize(("number", "calls"), [(3, 3), (6, 0)], ids=["three", "six"])
def test_while_the_carrier_is_away_it_is_not_asked_about_all_of_them(number: int, calls: int) -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            worker = stage.start()
            for one in await bought(stage, number):
                await ordered(stage, [one], key=f"order {one}")
            await pass_time(15)
            await stage.fault("crashed", method="GET", times=100)
            before = reads(stage)
            await collecting(worker).look()
            assert reads(stage) - before == calls

    in_virtual_time(story())
