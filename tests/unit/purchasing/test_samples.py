"""Lists are believed once one was compared with the read of a shipment that was bought: only that shows payments."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.limits.connection import Limits
from bridge.model import ShipmentId
from tests.unit.purchasing.invariants import check
from tests.unit.purchasing.stage import Stage
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time

RARE = Limits(per_minute=12, at_once=2)
CROWD = 60
"""More than can be bought one by one at that rate."""


async def buy_all(stage: Stage, *, sampled: bool) -> list[ShipmentId]:
    """Want a crowd, and let it come to an end."""
    if sampled:
        await stage.bought_before()
    shipments = [await stage.create() for _ in range(CROWD)]
    stage.note_calls_of_the_merchant()
    stage.want(*shipments)
    stage.start()
    for shipment in shipments:
        await stage.settled(shipment, seconds=1800)
    await pass_time(10)
    check(stage, shipments)
    return shipments


def calls(stage: Stage) -> list[str]:
    """Name the calls of the bridge, in order: reads, lists, edits, and purchases of one and of many."""
    kinds = []
    for call in stage.simulator.world.calls.after(stage.calls_of_the_merchant):
        last = call.path.rpartition("/")[2]
        kinds.append({"shipments": "list", "buy": "buy", "bulk_buy": "bulk"}.get(last, "read"))
    return kinds


def renewals(stage: Stage) -> int:
    return sum(stage.disk.rows("SELECT sum(regenerations) FROM purchases")[0])


def test_at_a_low_rate_the_comparison_comes_first_and_the_crowd_is_bought_in_its_windows() -> None:
    async def story() -> None:
        async with Stage(limits=RARE).open() as stage:
            shipments = await buy_all(stage, sampled=True)
            assert calls(stage)[:2] == ["read", "list"]
            assert ("bulk" in calls(stage), renewals(stage)) == (True, 0)
            assert {stage.state(one) for one in shipments} == {"succeeded"}

    in_virtual_time(story())


def test_on_the_first_day_of_all_it_follows_the_first_purchase() -> None:
    async def story() -> None:
        async with Stage(limits=Limits(60, 2)).open() as stage:
            shipments = await buy_all(stage, sampled=False)
            kinds = calls(stage)
            assert kinds.index("list") > kinds.index("buy")
            assert (kinds.index("bulk") < 30, renewals(stage)) == (True, 0)
            assert {stage.state(one) for one in shipments} == {"succeeded"}

    in_virtual_time(story())


@pytest.mark.parametrize("sampled", [True, False])
def test_where_lists_leave_payments_out_none_is_believed(sampled: bool) -> None:
    async def story() -> None:
        changes: dict[str, Any] = {"lists": {"without": ["transactions"]}, "funds": "2000.00"}
        async with Stage(limits=Limits(60, 2), **changes).open() as stage:
            await buy_all(stage, sampled=sampled)
            tries = calls(stage).count("list")
            assert (1 <= tries <= (1 if sampled else 5), calls(stage).count("bulk")) == (True, 0)

    in_virtual_time(story())


def test_a_list_that_is_late_by_seconds_is_not_taken_for_one_that_differs() -> None:
    async def story() -> None:
        async with Stage(limits=Limits(60, 2), delays={"list_lag": 5.4}).open() as stage:
            shipments = await buy_all(stage, sampled=False)
            assert "bulk" in calls(stage)
            assert {stage.state(one) for one in shipments} == {"succeeded"}

    in_virtual_time(story())
