"""Orders: made, overwritten, extended, deleted; and what has come back holds them."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Opened
from .platform import ITEM, ORDER, RETURN, Platform

SOCKS = {**ITEM, "sku_code": "SKU-2", "sku_desc": "Socks"}


async def skus(platform: Platform) -> list[str]:
    order = await platform.done("orders/get", "order", type="reference", val="A-1")
    return [one["sku_code"] for one in order["item"]]


async def test_an_order_is_made_once(platform: Platform) -> None:
    made = await platform.done("orders/create", "order", **ORDER)
    assert made == {"message": "Order successfully created", "order_reference": "A-1", "order_id": 10_000}
    assert await platform.code("orders/create", "order", **ORDER) == "order_exists"
    assert await platform.deeds() == {"order_saved": 1}


async def test_another_account_does_not_see_it(platform: Platform) -> None:
    await platform.done("orders/create", "order", **ORDER)
    answer = await platform.post("orders/get", '{"order": {"type": "reference", "val": "A-1"}}', login="other")
    assert answer.json()["error"]["code"] == "order_nx"


async def test_it_can_be_overwritten_except_for_what_has_come_back(platform: Platform) -> None:
    over = {**ORDER, "overwrite_data": "1"}
    await platform.done("orders/create", "order", **{**over, "item": [ITEM, SOCKS]})
    await platform.booked(**RETURN, item=[{**ITEM, "quantity": 1}])
    assert (await platform.done("orders/create", "order", **over))["order_id"] == 10_000
    assert await skus(platform) == ["SKU-1"]
    assert await platform.code("orders/create", "order", **{**over, "item": [SOCKS]}) == "cannot_update_order"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"order_reference": ""}, "order_incorrect", "order_reference"),
        ({"order_date": "2026-03-01"}, "order_incorrect", "order_date"),
        ({"currency_code": "EURO"}, "order_incorrect", "currency_code"),
        ({"overwrite_data": "yes"}, "order_incorrect", "overwrite_data"),
        ({"rma": "x" * 256}, "order_incorrect", "rma"),
        ({"country": "Poland"}, "order_incorrect", "country"),
        ({"item": [{**ITEM, "quantity": 0}]}, "item_invalid", "quantity"),
        ({"item": [{**ITEM, "price": "dear"}]}, "item_invalid", "price"),
        ({"item": [{**ITEM, "weight_uom": "kg"}]}, "item_invalid", "weight_uom"),
        ({"item": "none"}, "item_invalid", "item"),
    ],
)
async def test_what_is_not_valid_is_refused_by_field(
    platform: Platform, changes: dict[str, Any], code: str, field: str
) -> None:
    error = (await platform.call("orders/create", "order", **{**ORDER, **changes}))["error"]
    assert error["code"] == code
    assert error["message"][0].endswith(f": {field}")


@pytest.mark.parametrize("date", ["03/01/2026", "2026/03/01", 1772323200, "1772323200"])
async def test_a_day_can_be_written_in_three_ways(platform: Platform, date: object) -> None:
    await platform.done("orders/create", "order", **{**ORDER, "order_date": date})
    order = await platform.done("orders/get", "order", type="id", val=10_000)
    assert order["order_date"] == "1772323200"


async def test_items_that_are_the_same_are_folded(platform: Platform) -> None:
    await platform.done("orders/create", "order", **{**ORDER, "item": [ITEM, ITEM]})
    order = await platform.done("orders/get", "order", type="reference", val="A-1")
    assert [one["quantity"] for one in order["item"]] == ["4"]
    other = {**ORDER, "order_reference": "A-2", "item": [ITEM, {**ITEM, "price": "9"}]}
    assert await platform.code("orders/create", "order", **other) == "unable_fold_items"


async def test_items_can_be_added_that_are_new(platform: Platform) -> None:
    await platform.done("orders/create", "order", **ORDER)
    await platform.done("orders/add_items", "order", order_reference="A-1", item=[SOCKS])
    assert await skus(platform) == ["SKU-1", "SKU-2"]
    for values, code in (
        ({"order_reference": "A-1", "item": [SOCKS]}, "cannot_add_order_items"),
        ({"order_reference": "A-9", "item": [SOCKS]}, "order_nx"),
        ({"order_reference": "A-1"}, "request_items_wrong"),
        ({"item": [SOCKS]}, "request_wrong"),
        ({"order_reference": "A-1", "item": [{}]}, "request_items_wrong"),
    ):
        assert await platform.code("orders/add_items", "order", **values) == code


async def test_an_order_can_be_deleted_unless_something_came_back(platform: Platform) -> None:
    await platform.done("orders/create", "order", **ORDER)
    await platform.done("orders/delete", "order", type="reference", val="A-1")
    assert await platform.code("orders/delete", "order", type="reference", val="A-1") == "order_nx"
    await platform.booked(add_items_data_to_order="1", item=[ITEM])
    assert await skus(platform) == ["SKU-1"]
    assert await platform.code("orders/delete", "order", type="reference", val="A-1") == "cannot_delete_order"


async def test_it_is_found_by_two_names_only(opened: Opened) -> None:
    platform = await opened()
    assert await platform.code("orders/get", "order", type="rma", val="1") == "request_wrong"
    assert await platform.code("orders/get", "order", type="id") == "request_wrong"
