"""What a courier signs for, and what a visit costs."""

from __future__ import annotations

import io
import zipfile

from .pickups import COURIER, DOCK, LOCKER, ORDERS, counts, ordered
from .stage import POSTPAID, Json, Stage, as_object, error_of, scenario


async def test_printouts_of_an_order_and_of_shipments(stage: Stage) -> None:
    first, second, locker = await stage.bought(), await stage.bought(), await stage.bought(LOCKER)
    order = await ordered(stage, first, second)
    answer = await stage.client.get(f"/v1/dispatch_orders/{order['id']}/printout?format=Pdf")
    assert (answer.headers["content-type"], answer.content[:8]) == ("application/pdf", b"%PDF-1.4")
    assert all(one["tracking_number"].encode() in answer.content for one in (first, second))
    other = await stage.bought()
    answer = await stage.client.get(f"{ORDERS}/printouts?{_ids(locker, other)}&format=Pdf")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == [f"{LOCKER}_printout.pdf", f"{COURIER}_printout.pdf"]


async def test_printouts_that_there_are_not(stage: Stage) -> None:
    ordered_one, free, early = await stage.bought(), await stage.bought(), await stage.prepared()
    order = await ordered(stage, ordered_one)
    mixed = await stage.client.get(f"{ORDERS}/printouts?{_ids(ordered_one, free)}")
    assert error_of(mixed) == (400, "cannot_mix_shipments_with_and_without_dispatch_order")
    assert error_of(await stage.client.get(f"{ORDERS}/printouts?{_ids(early)}")) == (400, "invalid_action")
    assert error_of(await stage.client.get(f"{ORDERS}/printouts")) == (400, "validation_failed")
    wrong = await stage.client.get(f"/v1/dispatch_orders/{order['id']}/printout?format=Zpl")
    assert error_of(wrong) == (400, "validation_failed")


def _ids(*shipments: Json) -> str:
    return "&".join(f"shipment_ids[]={one['id']}" for one in shipments)


async def test_a_visit_costs_once_for_each_kind_of_service() -> None:
    async with Stage(scenario(organization={"dispatch_points": [DOCK]})) as stage:
        shipments = [await stage.bought(offer) for offer in (COURIER, COURIER, LOCKER)]
        ids = [one["id"] for one in shipments]
        for place in ({}, {"dispatch_point_id": 10}):
            answer = await stage.client.post(f"{ORDERS}/calculate", json={"shipments": [*ids, 17], **place})
            assert as_object(answer) == {
                "total_success_count": 3,
                "total_error_count": 1,
                "total_price": {"amount": 16.3, "currency": "PLN"},
                "price_list": {
                    "courier": {"count": 2, "price": {"amount": "12.00", "currency": "PLN"}, "shipments": ids[:2]},
                    "locker": {"count": 1, "price": {"amount": "4.30", "currency": "PLN"}, "shipments": ids[2:]},
                },
                "invalid_shipments": {"17": ["does_not_exist"]},
            }
        wrong = await stage.client.post(f"{ORDERS}/calculate", json={"shipments": ids, "dispatch_point_id": 11})
        assert error_of(wrong) == (400, "validation_failed")
        assert await counts(stage) == {}


async def test_a_postpaid_account_is_not_told_the_price(stage: Stage) -> None:
    async with stage.client_of("postpaid") as stage.client:
        shipment = await stage.create(POSTPAID, service=COURIER)
        await stage.advance(2)
        path = f"/v1/organizations/{POSTPAID}/dispatch_orders/calculate"
        prices = as_object(await stage.client.post(path, json={"shipments": [shipment["id"]]}))
        assert prices["total_price"] == prices["price_list"]["courier"]["price"] == {"amount": None, "currency": None}
