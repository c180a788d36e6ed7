"""The list is late, paged, and silent about filters it does not know."""

from __future__ import annotations

import pytest

from .stage import PREPAID, Json, Stage, as_object, error_of, scenario

PATH = f"/v1/organizations/{PREPAID}/shipments"


async def _list(stage: Stage, query: str = "") -> Json:
    answer = await stage.client.get(f"{PATH}?{query}")
    assert answer.status_code == 200, answer.text
    return as_object(answer)


async def _ids(stage: Stage, query: str = "") -> list[int]:
    return [item["id"] for item in (await _list(stage, query))["items"]]


async def test_a_new_shipment_is_missing_for_a_while_but_not_by_its_id() -> None:
    async with Stage(scenario(delays={"list_lag": 5.4})) as stage:
        shipment = await stage.create()
        assert await _ids(stage) == []
        assert await _ids(stage, f"id={shipment['id']}") == [shipment["id"]]
        assert (await stage.read(shipment["id"]))["id"] == shipment["id"]
        await stage.advance(5.4)
        assert await _ids(stage) == [shipment["id"]]


async def test_a_cancelled_shipment_is_only_found_by_its_id(stage: Stage) -> None:
    shipment = await stage.create()
    await stage.client.delete(f"/v1/shipments/{shipment['id']}")
    assert await _ids(stage) == []
    assert await _ids(stage, f"id={shipment['id']}") == [shipment["id"]]


async def test_unknown_ids_are_left_out_and_impossible_ones_fail_the_whole_list(stage: Stage) -> None:
    shipment = await stage.create()
    assert await _ids(stage, f"id={shipment['id']},17") == [shipment["id"]]
    for wrong in ("0", "abc", "9" * 19, ""):
        assert error_of(await stage.client.get(f"{PATH}?id={shipment['id']},{wrong}")) == (400, "validation_failed")


async def test_another_account_s_shipments_do_not_exist(stage: Stage) -> None:
    shipment = await stage.create()
    async with stage.client_of("postpaid") as other:
        answer = await other.get(f"/v1/organizations/4822/shipments?id={shipment['id']}")
    assert answer.json()["items"] == []


async def test_filters_by_status_and_time(stage: Stage) -> None:
    old = await stage.bought()
    new = await stage.prepared()
    assert await _ids(stage, "status=offers_prepared") == [new["id"]]
    assert await _ids(stage, "status=offers_prepared,confirmed&sort_order=asc") == [old["id"], new["id"]]
    since = "2026-03-18T11:31:59Z"
    assert await _ids(stage, f"created_at_gteq={since}") == [new["id"]]
    assert await _ids(stage, f"created_at_lteq={since}") == [old["id"]]
    assert await _ids(stage, "created_at_gteq=0&sort_by=created_at&sort_order=asc") == [old["id"], new["id"]]
    assert await _ids(stage, f"tracking_number={old['tracking_number']}") == [old["id"]]


async def test_an_unknown_filter_is_dropped_and_missing_from_the_echo(stage: Stage) -> None:
    await stage.create()
    page = await _list(stage, "reference=nothing&status=created")
    assert page["count"] == 1
    assert page["href"].endswith("/shipments?status=created")


LEFT_OUT = ("offers", "selected_offer", "transactions")


@pytest.mark.parametrize("left_out", [[], ["offers"], list(LEFT_OUT)])
async def test_items_may_say_less_than_the_shipment_alone(left_out: list[str]) -> None:
    async with Stage(scenario(lists={"without": left_out})) as stage:
        shipment = await stage.prepared()
        [item] = (await _list(stage, f"id={shipment['id']}"))["items"]
        assert item == {key: value for key, value in shipment.items() if key not in left_out}


async def test_the_filter_by_id_may_take_only_so_many() -> None:
    async with Stage(scenario(lists={"most_ids": 2})) as stage:
        ids = [(await stage.create())["id"] for _ in range(3)]
        assert await _ids(stage, f"id={','.join(map(str, ids))}&sort_order=asc") == ids[:2]


async def test_pages(stage: Stage) -> None:
    ids = [(await stage.create())["id"] for _ in range(3)]
    assert await _ids(stage, "per_page=2") == ids[:0:-1]
    assert await _ids(stage, "per_page=2&page=2") == ids[:1]
    assert await _ids(stage, "per_page=2&page=0") == await _ids(stage, "per_page=2&page=1")
    beyond = await _list(stage, "page=9&per_page=500")
    assert (beyond["items"], beyond["count"], beyond["per_page"]) == ([], 3, 500)


@pytest.mark.parametrize("query", ["page=x", "per_page=-1", "created_at_gteq=soon", "sort_by=price", "page=%D9%A1"])
async def test_a_wrong_value_is_refused(stage: Stage, query: str) -> None:
    assert error_of(await stage.client.get(f"{PATH}?{query}")) == (400, "invalid_parameter")
