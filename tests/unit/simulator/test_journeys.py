"""After the purchase: the statuses of a parcel."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from .stage import Stage, as_object, error_of, scenario

DELIVERED = {
    "name": "delivered",
    "share": 3,
    "steps": [{"status": "dispatched_by_sender", "after": 60}, {"status": "delivered", "after": 120}],
}
RETURNED = {"name": "returned", "share": 1, "steps": [{"status": "returned_to_sender", "after": 60}]}


async def test_a_parcel_walks_through_its_journey() -> None:
    async with Stage(scenario(journeys=[DELIVERED])) as stage:
        shipment = await stage.bought()
        await stage.advance(59)
        assert stage.events() == ["offers_prepared", "shipment_confirmed"]
        await stage.advance(1)
        assert stage.events()[2:] == ["dispatched_by_sender"]
        await stage.advance(120)
        assert stage.events()[2:] == ["dispatched_by_sender", "delivered"]
        assert stage.simulator.idle
        tracking = as_object(await stage.client.get(f"/v1/tracking/{shipment['tracking_number']}"))
        history = [one["status"] for one in tracking["tracking_details"]]
        assert history == ["delivered", "dispatched_by_sender", "confirmed"]


async def test_speed_shortens_the_journey_only() -> None:
    async with Stage(scenario(journeys=[DELIVERED], speed=60)) as stage:
        await stage.bought()
        await stage.advance(3)
        assert stage.events()[-1] == "delivered"


async def test_the_way_back_has_its_own_number() -> None:
    async with Stage(scenario(journeys=[RETURNED])) as stage:
        shipment = await stage.bought()
        assert "return_tracking_number" not in shipment
        await stage.advance(60)
        number = stage.received[-1]["payload"]["return_tracking_number"]
        assert number.startswith("52")
        assert (await stage.read(shipment["id"]))["return_tracking_number"] == number


async def test_shares_come_out_evenly() -> None:
    async with Stage(scenario(journeys=[DELIVERED, RETURNED], organization={"funds": "10000"})) as stage:
        for _ in range(40):
            await stage.bought()
        await stage.advance(600)
        assert Counter(stage.events())["returned_to_sender"] in (9, 10, 11)


async def test_without_journeys_nothing_moves_past_confirmed_as_on_the_sandbox(stage: Stage) -> None:
    shipment = await stage.bought()
    await stage.advance(86_400)
    assert (await stage.read(shipment["id"]))["status"] == "confirmed"


async def test_a_status_can_be_pushed_by_hand_even_an_unknown_one(stage: Stage) -> None:
    shipment = await stage.bought()
    path = f"/_control/shipments/{shipment['id']}/statuses"
    await stage.client.post(path, json={"status": "abducted_by_aliens"})
    back = {"status": "returned_to_sender", "return_tracking_number": "520000000000000000000099"}
    await stage.client.post(path, json=back)
    await stage.advance(1)
    assert stage.events()[2:] == ["abducted_by_aliens", "returned_to_sender"]
    assert stage.received[-1]["payload"]["return_tracking_number"] == back["return_tracking_number"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"status": "Loud"},
        {"status": "delivered", "return_tracking_number": "5" * 24},
        {"status": "delivered", "x": 1},
    ],
)
async def test_a_wrong_push_is_refused(stage: Stage, body: dict[str, Any]) -> None:
    shipment = await stage.bought()
    answer = await stage.client.post(f"/_control/shipments/{shipment['id']}/statuses", json=body)
    assert error_of(answer) == (400, "validation_failed")


async def test_a_missing_shipment_cannot_be_pushed(stage: Stage) -> None:
    answer = await stage.client.post("/_control/shipments/1/statuses", json={"status": "delivered"})
    assert error_of(answer) == (404, "resource_not_found")
