"""Effects that are there, and charged, and that reads do not show yet."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.simulator.faults import Effect

from .stage import PREPAID, Json, Stage, error_of, scenario
from .test_faults import BUY, fail

DELIVERED = {"name": "delivered", "steps": [{"status": "delivered", "after": 1}]}


def hiding(*effects: Effect, seconds: float = 10, **changes: Any) -> Stage:
    """Make a stage where reads lag behind these effects."""
    return Stage(scenario(faults={"hidden": {"share": 1, "of": effects, "seconds": [seconds, seconds]}}, **changes))


async def statuses(stage: Stage, shipment: Json) -> tuple[str, str, str]:
    """Give the status by id, in the list, and in truth."""
    listed = (await stage.client.get(f"/v1/organizations/{PREPAID}/shipments?id={shipment['id']}")).json()["items"][0]
    truth = (await stage.control("state"))["shipments"][0]
    return (await stage.read(shipment["id"]))["status"], listed["status"], truth["status"]


async def test_a_purchase_is_charged_and_told_while_reads_show_it_as_before() -> None:
    async with hiding("purchase") as stage:
        shipment = await stage.prepared()
        await stage.buy(shipment)
        await stage.advance(1)
        assert await statuses(stage, shipment) == ("offers_prepared", "offers_prepared", "confirmed")
        assert await stage.read(shipment["id"]) == shipment
        assert (len(await stage.charges()), stage.events()) == (1, ["offers_prepared", "shipment_confirmed"])
        assert (await stage.control("idle"))["idle"] is False
        await stage.advance(9.7)
        assert await statuses(stage, shipment) == ("confirmed", "confirmed", "confirmed")
        assert stage.simulator.idle


async def test_lists_filter_by_what_they_show() -> None:
    async with hiding("purchase") as stage:
        await stage.buy(await stage.prepared())
        await stage.advance(1)
        path = f"/v1/organizations/{PREPAID}/shipments?status="
        found = [(await stage.client.get(path + word)).json()["count"] for word in ("offers_prepared", "confirmed")]
        assert found == [1, 0]


async def test_a_hidden_number_cannot_be_tracked_yet() -> None:
    async with hiding("purchase") as stage:
        await stage.buy(await stage.prepared())
        await stage.advance(1)
        number = (await stage.control("state"))["shipments"][0]["tracking_number"]
        assert (await stage.client.get(f"/v1/tracking/{number}")).status_code == 404
        await stage.advance(10)
        assert (await stage.client.get(f"/v1/tracking/{number}")).status_code == 200


async def test_a_second_purchase_is_refused_by_the_truth() -> None:
    async with hiding("purchase") as stage:
        shipment = await stage.prepared()
        await stage.buy(shipment)
        await stage.advance(1)
        assert error_of(await stage.buy(await stage.read(shipment["id"]))) == (400, "offer_unavailable")


@pytest.mark.parametrize(
    ("effect", "method", "before", "after"),
    [("cancel", "DELETE", "offers_prepared", "canceled"), ("edit", "PUT", "offers_prepared", "created")],
)
async def test_other_effects_can_be_hidden(effect: Effect, method: str, before: str, after: str) -> None:
    async with hiding(effect) as stage:
        shipment = await stage.prepared()
        answer = await stage.client.request(method, f"/v1/shipments/{shipment['id']}")
        assert answer.is_success
        assert await statuses(stage, shipment) == (before, before, after)


async def test_offers_that_were_announced_may_not_be_there_yet() -> None:
    async with hiding("offers") as stage:
        shipment = await stage.prepared()
        assert (stage.events(), shipment["status"], shipment["offers"]) == (["offers_prepared"], "created", [])
        await stage.advance(10)
        assert (await stage.read(shipment["id"]))["status"] == "offers_prepared"


async def test_a_failed_payment_can_be_hidden() -> None:
    async with hiding("purchase", organization={"funds": 0}) as stage:
        shipment = await stage.prepared()
        await stage.buy(shipment)
        await stage.advance(1)
        assert (await stage.read(shipment["id"]))["transactions"] == []
        await stage.advance(10)
        assert (await stage.read(shipment["id"]))["transactions"][0]["status"] == "failure"


async def test_reads_never_go_back_in_time() -> None:
    """The later change would be seen sooner; it waits for the earlier one."""
    async with hiding("purchase", journeys=[DELIVERED]) as stage:
        shipment = await stage.prepared()
        await stage.buy(shipment)
        await stage.advance(5)
        assert await statuses(stage, shipment) == ("offers_prepared", "offers_prepared", "delivered")
        await stage.advance(5.7)
        assert await statuses(stage, shipment) == ("delivered", "delivered", "delivered")


async def test_changes_come_to_light_one_after_the_other() -> None:
    async with hiding("purchase", "status", journeys=[DELIVERED]) as stage:
        shipment = await stage.prepared()
        await stage.buy(shipment)
        await stage.advance(10.7)
        assert (await stage.read(shipment["id"]))["status"] == "confirmed"
        await stage.advance(1)
        assert (await stage.read(shipment["id"]))["status"] == "delivered"


async def test_what_a_call_changes_can_be_hidden_on_request(stage: Stage) -> None:
    shipment = await stage.prepared()
    await fail(stage, kind="hidden", path=BUY, seconds=[5, 5])
    assert (await stage.buy(shipment)).status_code == 200
    await stage.advance(4.9)
    assert await statuses(stage, shipment) == ("offers_prepared", "offers_prepared", "confirmed")
    await stage.advance(0.1)
    assert await statuses(stage, shipment) == ("confirmed", "confirmed", "confirmed")


async def test_healing_lets_what_is_hidden_come_to_light_in_its_time() -> None:
    async with hiding("purchase") as stage:
        shipment = await stage.prepared()
        await stage.buy(shipment)
        await stage.advance(1)
        await stage.client.delete("/_control/faults")
        assert (await stage.read(shipment["id"]))["status"] == "offers_prepared"
        await stage.advance(10)
        assert (await stage.read(shipment["id"]))["status"] == "confirmed"
