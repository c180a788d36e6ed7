"""What shipments would cost, without making them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from .stage import DRAFT, POSTPAID, PREPAID, Json, Stage, as_object, error_of

LOCKER, COURIER = "inpost_locker_standard", "inpost_courier_standard"


async def ask(stage: Stage, *shipments: Json, organization: int = PREPAID) -> httpx.Response:
    path = f"/v1/organizations/{organization}/shipments/calculate"
    return await stage.client.post(path, json={"shipments": list(shipments)})


def shipment(service: str | None = COURIER, **changes: Any) -> Json:
    return {**DRAFT, "service": service, **changes}


async def test_each_has_its_price_and_none_is_made(stage: Stage) -> None:
    answer = await ask(stage, shipment(id="a"), shipment(LOCKER, id=2))
    prices = [(one["id"], one["calculated_charge_amount"]) for one in answer.json()]
    assert prices == [("a", "13.50"), ("2", "12.99")]
    assert (await stage.control("state"))["shipments"] == []


async def test_one_alone_needs_no_id(stage: Stage) -> None:
    assert [one["calculated_charge_amount"] for one in (await ask(stage, shipment())).json()] == ["13.50"]


async def test_a_postpaid_account_is_told_nothing(stage: Stage) -> None:
    async with stage.client_of("postpaid") as stage.client:
        [price] = (await ask(stage, shipment(), organization=POSTPAID)).json()
        assert {value for key, value in price.items() if key != "id"} == {None}


@pytest.mark.parametrize(
    ("shipments", "details"),
    [
        ([], {"shipments": ["too_short"]}),
        ([shipment(), shipment()], {"shipments": [{"id": ["required", "required"]}]}),
        ([shipment(id=1), shipment(id="1")], {"shipments": [{"1": [{"id": ["invalid"]}]}]}),
        ([shipment(None, id="x")], {"shipments": [{"x": [{"service": ["required"]}]}]}),
        ([shipment(id="x", parcels=[])], {"shipments": [{"x": [{"parcels": ["too_short"]}]}]}),
    ],
)
async def test_what_is_wrong_is_named(stage: Stage, shipments: list[Json], details: Json) -> None:
    answer = await ask(stage, *shipments)
    assert (error_of(answer), as_object(answer)["details"]) == ((400, "validation_failed"), details)


async def test_a_missing_contract_is_named(stage: Stage) -> None:
    assert error_of(await ask(stage, shipment("inpost_courier_palette"))) == (400, "carrier_unavailable")
