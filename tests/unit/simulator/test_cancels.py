"""Cancelling: when it may be asked for, what it leaves, and what becomes of it."""

from __future__ import annotations

import httpx
import pytest

from .stage import PREPAID, Stage, as_object, error_of, scenario

COURIER = "inpost_courier_standard"
OVERWRITTEN = {"cancels_overwritten": {"share": 1}}


async def cancel(stage: Stage, shipment_id: int) -> httpx.Response:
    return await stage.client.delete(f"/v1/shipments/{shipment_id}")


async def listed(stage: Stage, query: str = "") -> list[int]:
    answer = await stage.client.get(f"/v1/organizations/{PREPAID}/shipments?{query}")
    return [item["id"] for item in as_object(answer)["items"]]


async def test_before_a_choice_it_is_done_at_once(stage: Stage) -> None:
    created, prepared = await stage.create(), await stage.prepared()
    for shipment in (created, prepared):
        assert (await cancel(stage, shipment["id"])).status_code == 204
        assert (await stage.read(shipment["id"]))["status"] == "canceled"
    assert (await stage.control("deeds"))["counts"]["shipment_cancelled"] == 2


@pytest.mark.parametrize("status", ["offer_selected", "confirmed", "canceled", "delivered"])
async def test_later_it_is_refused_with_the_status(stage: Stage, status: str) -> None:
    """One page allows `offer_selected`; the carrier did not (2026-10-10)."""
    shipment = await stage.prepared(service=COURIER, only_choice_of_offer=True)
    if status != "offer_selected":
        await stage.client.post(f"/_control/shipments/{shipment['id']}/statuses", json={"status": status})
    answer = await cancel(stage, shipment["id"])
    assert error_of(answer) == (400, "invalid_action")
    assert as_object(answer)["message"] == "shipment_status_incorrect"
    assert as_object(answer)["details"] == {"action": "cancel", "shipment_status": status}


async def test_what_is_cancelled_is_found_by_its_id_alone(stage: Stage) -> None:
    shipment = await stage.prepared()
    await cancel(stage, shipment["id"])
    for query in ("", "status=canceled", "created_at_gteq=0"):
        assert await listed(stage, query) == []
    assert await listed(stage, f"id={shipment['id']}") == [shipment["id"]]


async def test_the_carrier_s_own_purchase_may_overwrite_it() -> None:
    """Observed on 2026-10-10: read back as cancelled, and 0.36 s later it was not; lists never showed it again."""
    async with Stage(scenario(faults=OVERWRITTEN)) as stage:
        shipment = await stage.create(service=COURIER)
        assert (await cancel(stage, shipment["id"])).status_code == 204
        assert (await stage.read(shipment["id"]))["status"] == "canceled"
        await stage.advance(2)
        assert (await stage.read(shipment["id"]))["status"] == "confirmed"
        assert await stage.charges() == [(shipment["id"], "13.50")]
        assert await listed(stage) == []
        [mishap] = (await stage.control("faults/met"))["items"]
        assert (mishap["kind"], mishap["about"]) == ("overwritten", COURIER)


async def test_without_money_it_comes_back_unpaid() -> None:
    async with Stage(scenario(organization={"funds": "0"}, faults=OVERWRITTEN)) as stage:
        shipment = await stage.create(service=COURIER)
        await cancel(stage, shipment["id"])
        await stage.advance(2)
        assert (await stage.read(shipment["id"]))["status"] == "offer_selected"


async def test_in_offer_mode_nothing_is_under_way_that_could_overwrite_it() -> None:
    async with Stage(scenario(faults=OVERWRITTEN)) as stage:
        shipment = await stage.create()
        await cancel(stage, shipment["id"])
        await stage.advance(60)
        assert (await stage.read(shipment["id"]))["status"] == "canceled"
