"""What the simulator writes has the shape of what the documents show."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from .shapes import SAMPLES, differences, sample
from .stage import DRAFT, POSTPAID, PREPAID, Json, Stage, as_object, scenario

ADDRESS = {"street": "Malborska", "building_number": "130", "city": "Kraków", "post_code": "30-624"}


def assert_like(name: str, actual: object) -> None:
    assert list(differences(sample(name), actual)) == []


def test_every_sample_has_its_origin_written_down() -> None:
    origins = (SAMPLES / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in SAMPLES.glob("*.json") if f"`{path.name}`" not in origins] == []


async def test_confirmation_webhook(stage: Stage) -> None:
    await stage.bought()
    assert_like("webhook_shipment_confirmed", stage.received[-1])


async def test_status_webhook(stage: Stage) -> None:
    shipment = await stage.bought()
    await stage.client.post(f"/_control/shipments/{shipment['id']}/statuses", json={"status": "ready_to_pickup"})
    await stage.advance(1)
    assert_like("webhook_shipment_status_changed", stage.received[-1])


async def test_return_webhook(stage: Stage) -> None:
    shipment = await stage.bought()
    await stage.client.post(f"/_control/shipments/{shipment['id']}/statuses", json={"status": "returned_to_sender"})
    await stage.advance(1)
    assert_like("webhook_returned_to_sender", stage.received[-1])


async def test_offers_webhook(stage: Stage) -> None:
    """The sample mixes what the two kinds of account see: a price, and none at all."""
    async with stage.client_of("postpaid") as postpaid:
        wishes = {"custom_attributes": {"target_point": "KRA010"}, "additional_services": ["email", "sms"]}
        await postpaid.post(f"/v1/organizations/{POSTPAID}/shipments", json={**DRAFT, **wishes})
    await stage.create(custom_attributes={}, additional_services=[])
    await stage.advance(1)
    without_price, with_price = stage.received
    assert_like("webhook_offers_prepared", without_price)
    assert_like("webhook_offers_prepared", with_price)
    assert with_price["payload"]["offers"][0]["rate"] == 13.5
    published = offers_of(sample("webhook_offers_prepared"))
    for service, fields in offers_of(without_price).items():
        if service in published and published[service]["additional_services"]:
            assert differing(fields, published[service]) <= {"id", "expires_at"}


def offers_of(notice: object) -> dict[str, Json]:
    assert isinstance(notice, dict)
    return {offer["service"]["id"]: offer for offer in notice["payload"]["offers"]}


def differing(one: Json, other: Json) -> set[str]:
    return {key for key in one if one[key] != other[key]}


async def test_one_unavailable_offer_webhook() -> None:
    smart = [{"id": "inpost_locker_standard_smart", "rate": "9.99"}]
    huge = {"dimensions": {"length": 70, "width": 50, "height": 50, "unit": "cm"}, "weight": {"amount": 3}}
    async with Stage(scenario(organization={"services": smart})) as stage:
        await stage.prepared(parcels=[huge])
        assert_like("webhook_offers_prepared_unavailable", stage.received[-1])


async def test_read_of_a_shipment_with_offers(stage: Stage) -> None:
    assert_like("shipment_offers_prepared", await stage.prepared())


async def test_read_of_a_confirmed_shipment(stage: Stage) -> None:
    assert_like("shipment_confirmed", await stage.bought())


async def test_read_of_a_shipment_whose_payment_failed() -> None:
    async with Stage(scenario(organization={"funds": "0"})) as stage:
        assert_like("shipment_payment_failed", await stage.bought())


async def test_request_of_the_offer_mode_page_is_accepted(stage: Stage) -> None:
    answer = await stage.client.post(f"/v1/organizations/{PREPAID}/shipments", json=sample("request_create_offer_mode"))
    assert answer.status_code == 201
    assert answer.json()["status"] == "created"
    assert answer.headers["location"].endswith(str(answer.json()["id"]))


async def test_list_envelope(stage: Stage) -> None:
    assert_like("shipments_list", as_object(await stage.client.get(f"/v1/organizations/{PREPAID}/shipments")))


async def test_status_dictionary(stage: Stage) -> None:
    assert_like("statuses", as_object(await stage.client.get("/v1/statuses?lang=en_GB")))


async def test_tracking(stage: Stage) -> None:
    shipment = await stage.bought()
    assert_like("tracking", as_object(await stage.client.get(f"/v1/tracking/{shipment['tracking_number']}")))


async def test_batch(stage: Stage) -> None:
    shipments = [{**DRAFT, "id": number, "service": "inpost_courier_standard"} for number in (1, 2)]
    body = {"shipments": shipments}
    batch = as_object(await stage.client.post(f"/v1/organizations/{PREPAID}/batches", json=body))
    await stage.advance(2)
    assert_like("batch", as_object(await stage.client.get(f"/v1/batches/{batch['id']}")))


async def _collected(stage: Stage, *shipments: Json) -> Json:
    body = {"shipments": [one["id"] for one in shipments], "address": ADDRESS, "comment": "Wejście od podwórza"}
    return as_object(await stage.client.post(f"/v1/organizations/{PREPAID}/dispatch_orders", json=body))


async def test_dispatch_order(stage: Stage) -> None:
    order = await _collected(stage, await stage.bought())
    await stage.advance(1)
    assert_like("dispatch_order_resource", as_object(await stage.client.get(f"/v1/dispatch_orders/{order['id']}")))


async def test_price_list_of_dispatch_orders(stage: Stage) -> None:
    collected, courier, locker = [
        await stage.bought(offer)
        for offer in ("inpost_courier_standard", "inpost_courier_standard", "inpost_locker_standard")
    ]
    await _collected(stage, collected)
    body = {"shipments": [one["id"] for one in (collected, courier, locker)]}
    answer = await stage.client.post(f"/v1/organizations/{PREPAID}/dispatch_orders/calculate", json=body)
    prices = as_object(answer)
    assert prices["invalid_shipments"] == {str(collected["id"]): ["already_dispatched"]}
    named_as_there = {"24906": ["already_dispatched"]}
    assert_like("dispatch_price_list", {**prices, "invalid_shipments": named_as_there})


async def test_prices_of_shipments(stage: Stage) -> None:
    body = {"shipments": [{**DRAFT, "id": "SHIPMENT1", "service": "inpost_courier_standard"}]}
    answer = await stage.client.post(f"/v1/organizations/{PREPAID}/shipments/calculate", json=body)
    assert_like("shipment_prices", answer.json())


async def test_service(stage: Stage) -> None:
    services = (await stage.client.get("/v1/services")).json()
    assert_like("service", next(one for one in services if one["id"] == "inpost_courier_standard"))


async def test_sending_methods(stage: Stage) -> None:
    assert_like("sending_methods", as_object(await stage.client.get("/v1/sending_methods")))


async def _missing(stage: Stage) -> httpx.Response:
    return await stage.client.get("/v1/shipments/1")


async def _no_token(stage: Stage) -> httpx.Response:
    return await stage.client.get("/v1/organizations", headers={"Authorization": "Bearer nobody"})


async def _cancel_selected(stage: Stage) -> httpx.Response:
    shipment = await stage.prepared(service="inpost_courier_standard", only_choice_of_offer=True)
    return await stage.client.delete(f"/v1/shipments/{shipment['id']}")


async def _post(stage: Stage, **changes: Any) -> httpx.Response:
    return await stage.client.post(f"/v1/organizations/{PREPAID}/shipments", json={**DRAFT, **changes})


async def _not_contracted(stage: Stage) -> httpx.Response:
    return await _post(stage, service="inpost_courier_palette")


async def _unknown_cost_centre(stage: Stage) -> httpx.Response:
    return await _post(stage, mpk="nowhere")


async def _no_target_point(stage: Stage) -> httpx.Response:
    return await _post(stage, service="inpost_locker_standard", custom_attributes={})


async def _label_too_early(stage: Stage) -> httpx.Response:
    shipment = await stage.prepared(service="inpost_courier_standard", only_choice_of_offer=True)
    return await stage.client.get(f"/v1/shipments/{shipment['id']}/label")


async def _label_of_cancelled(stage: Stage) -> httpx.Response:
    shipment = await stage.prepared()
    await stage.client.delete(f"/v1/shipments/{shipment['id']}")
    return await stage.client.get(f"/v1/shipments/{shipment['id']}/label")


async def _impossible_id(stage: Stage) -> httpx.Response:
    return await stage.client.get(f"/v1/organizations/{PREPAID}/shipments?id=abc")


async def _wrong_in_a_batch(stage: Stage) -> httpx.Response:
    wrong = {**DRAFT, "id": 7, "service": "inpost_locker_standard", "custom_attributes": {}}
    return await stage.client.post(f"/v1/organizations/{PREPAID}/batches", json={"shipments": [wrong]})


async def _bad_language(stage: Stage) -> httpx.Response:
    return await stage.client.get("/v1/statuses?lang=pl")


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("error_resource_not_found", _missing),
        ("error_token_invalid", _no_token),
        ("error_invalid_action", _cancel_selected),
        ("error_null_details", _not_contracted),
        ("error_flat_details", _unknown_cost_centre),
        ("error_nested_details", _no_target_point),
        ("error_label_too_early", _label_too_early),
        ("error_label_of_cancelled", _label_of_cancelled),
        ("error_impossible_id", _impossible_id),
        ("error_batch", _wrong_in_a_batch),
        ("error_description", _bad_language),
    ],
)
async def test_error_envelopes_are_the_samples_word_for_word(stage: Stage, name: str, call: Any) -> None:
    answer = await call(stage)
    assert answer.json() == sample(name)
    assert answer.status_code == answer.json()["status"]


async def test_the_error_of_an_account_without_a_courier_contract() -> None:
    async with Stage(scenario(organization={"services": [{"id": "inpost_locker_standard", "rate": "12.99"}]})) as stage:
        answer = await _post(stage, service="inpost_courier_standard")
        assert answer.json() == sample("error_missing_trucker_id")


async def test_the_error_of_a_point_that_does_not_exist() -> None:
    async with Stage(scenario(creates={"points": ["WAW001"]})) as stage:
        assert (await _post(stage)).json() == sample("error_unknown_target_point")
