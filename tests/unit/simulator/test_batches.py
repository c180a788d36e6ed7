"""Many shipments in one call: all of them, or none."""

from __future__ import annotations

from typing import Any

import pytest

from .stage import DRAFT, PREPAID, Json, Stage, as_object, error_of, scenario

PATH = f"/v1/organizations/{PREPAID}/batches"
COURIER = "inpost_courier_standard"


def item(name: object, **changes: Any) -> Json:
    return {**DRAFT, "id": name, "reference": f"Order {name}", **changes}


async def sent(stage: Stage, *items: Json, **batch: Any) -> Json:
    answer = await stage.client.post(PATH, json={"shipments": list(items), **batch})
    assert answer.status_code == 201, answer.text
    return as_object(answer)


async def test_each_shipment_goes_its_own_way(stage: Stage) -> None:
    batch = await sent(stage, item("a", service=COURIER), item("b"))
    assert (batch["status"], [one["status"] for one in batch["shipments"]]) == ("in_progress", ["created"] * 2)
    await stage.advance(2)
    batch = as_object(await stage.client.get(f"/v1/batches/{batch['id']}"))
    first, second = batch["shipments"]
    assert (batch["status"], first["status"], second["status"]) == ("done", "confirmed", "offers_prepared")
    assert len(first["tracking_number"]) == 24
    assert stage.events().count("offers_prepared") == 2
    counts = (await stage.control("deeds"))["counts"]
    assert counts == {"shipment_created": 2, "batch_created": 1}


async def test_the_own_id_is_for_errors_only(stage: Stage) -> None:
    batch = await sent(stage, item("my-own-id"))
    shipment = await stage.read(batch["shipments"][0]["id"])
    assert shipment["reference"] == "Order my-own-id"
    assert "my-own-id" not in str({**batch, **shipment, "reference": None})


async def test_a_batch_may_be_parked_and_a_shipment_says_otherwise(stage: Stage) -> None:
    batch = await sent(
        stage,
        item("a", service=COURIER),
        item("b", service=COURIER, only_choice_of_offer=False),
        only_choice_of_offer=True,
    )
    await stage.advance(5)
    statuses = [(await stage.read(one["id"]))["status"] for one in batch["shipments"]]
    assert statuses == ["offer_selected", "confirmed"]


async def test_errors_are_nested_under_the_id_of_each_shipment_and_nothing_is_made(stage: Stage) -> None:
    items = [item("good"), item(7, reference="ab"), item("x y", parcels=[], receiver=None)]
    answer = await stage.client.post(PATH, json={"shipments": items})
    assert error_of(answer) == (400, "validation_failed")
    assert as_object(answer)["details"] == {
        "shipments": [{"7": [{"reference": ["too_short"]}], "x y": [{"parcels": ["too_short"]}]}]
    }
    assert (await stage.control("state"))["shipments"] == []


@pytest.mark.parametrize(
    ("items", "details"),
    [
        ([item("a"), item("b"), item("a")], {"shipments": [{"a": [{"id": ["invalid"]}]}]}),
        ([DRAFT], {"shipments": [{"id": ["required"]}]}),
        ([], {"shipments": ["too_short"]}),
        ([item(number) for number in range(2501)], {"shipments": ["too_long"]}),
        ("everything", {"shipments": ["invalid"]}),
    ],
)
async def test_a_batch_itself_can_be_wrong(stage: Stage, items: Any, details: Json) -> None:
    answer = await stage.client.post(PATH, json={"shipments": items})
    assert (error_of(answer), as_object(answer)["details"]) == ((400, "validation_failed"), details)


async def test_2500_are_taken(stage: Stage) -> None:
    batch = await sent(stage, *[item(number) for number in range(2500)])
    assert len({one["id"] for one in batch["shipments"]}) == 2500


async def test_a_missing_contract_refuses_all() -> None:
    async with Stage(scenario(organization={"services": []})) as stage:
        answer = await stage.client.post(PATH, json={"shipments": [item("a")]})
        assert error_of(answer) == (400, "no_carriers")


async def test_another_account_s_batch_does_not_exist(stage: Stage) -> None:
    batch = await sent(stage, item("a"))
    async with stage.client_of("postpaid") as other:
        assert error_of(await other.get(f"/v1/batches/{batch['id']}")) == (404, "resource_not_found")
        answer = await other.post(PATH, json={"shipments": [item("a")]})
        assert error_of(answer) == (403, "forbidden")
    assert error_of(await stage.client.get("/v1/batches/17")) == (404, "resource_not_found")


async def test_a_batch_whose_answer_is_lost_was_made(stage: Stage) -> None:
    await stage.client.post("/_control/faults", json={"kind": "lost", "method": "POST", "path": PATH})
    assert (await stage.client.post(PATH, json={"shipments": [item("a"), item("b")]})).status_code == 502
    deeds = (await stage.control("deeds"))["items"]
    created = [deed["reference"] for deed in deeds if deed["act"] == "shipment_created"]
    assert created == ["Order a", "Order b"]
