"""Asking for couriers, and looking at what became of it."""

from __future__ import annotations

from typing import Any

import httpx

from .stage import PREPAID, Json, Stage, as_object

ORDERS = f"/v1/organizations/{PREPAID}/dispatch_orders"
LOCKER, COURIER = "inpost_locker_standard", "inpost_courier_standard"
ADDRESS = {"street": "Malborska", "building_number": "130", "city": "Kraków", "post_code": "30-624"}
DOCK = {"id": 10, "street": "Rampowa", "building_number": "1", "city": "Kraków", "post_code": "30-002"}


async def ask(stage: Stage, *shipments: Json, **changes: Any) -> httpx.Response:
    body = {"shipments": [one["id"] for one in shipments], "address": ADDRESS, **changes}
    return await stage.client.post(ORDERS, json=body)


async def ordered(stage: Stage, *shipments: Json, **changes: Any) -> Json:
    answer = await ask(stage, *shipments, **changes)
    assert answer.status_code == 201, answer.text
    return as_object(answer)


async def read(stage: Stage, order: Json) -> Json:
    return as_object(await stage.client.get(f"/v1/dispatch_orders/{order['id']}"))


async def move(stage: Stage, order: Json, status: str) -> None:
    await stage.client.post(f"/_control/dispatch_orders/{order['id']}/statuses", json={"status": status})


async def counts(stage: Stage) -> Json:
    found = (await stage.control("deeds"))["counts"]
    assert isinstance(found, dict)
    return {act: number for act, number in found.items() if "shipment" not in act and "purchase" not in act}
