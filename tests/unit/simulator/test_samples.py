"""What the simulator writes has the shape of what the documents show."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from .shapes import SAMPLES, differences, sample
from .stage import DRAFT, POSTPAID, PREPAID, Json, Stage, as_object, scenario


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
        ("error_description", _bad_language),
    ],
)
async def test_error_envelopes_are_the_samples_word_for_word(stage: Stage, name: str, call: Any) -> None:
    answer = await call(stage)
    assert answer.json() == sample(name)
    assert answer.status_code == answer.json()["status"]
