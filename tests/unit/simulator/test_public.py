"""The resources that need no token."""

from __future__ import annotations

import pytest

from .stage import Stage, as_object, scenario


async def test_the_dictionary_has_the_53_documented_names(stage: Stage) -> None:
    items = as_object(await stage.client.get("/v1/statuses?lang=pl_PL"))["items"]
    names = [item["name"] for item in items]
    assert (len(names), len(set(names))) == (53, 53)
    assert {"created", "canceled", "returned_to_sender", "other"} <= set(names)
    assert all(item["title"] and item["description"] for item in items)


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/v1/statuses?lang=pl", 400, "invalid_parameter"),
        ("/v1/tracking/620000000000000000000000", 404, "resource_not_found"),
    ],
)
async def test_errors_are_described_instead_of_messaged(stage: Stage, path: str, status: int, error: str) -> None:
    del stage.client.headers["Authorization"]
    answer = await stage.client.get(path)
    body = as_object(answer)
    assert (answer.status_code, body["error"], body["details"]) == (status, error, None)
    assert set(body) == {"status", "error", "description", "details"}


async def test_a_number_can_be_tracked_without_a_token(stage: Stage) -> None:
    shipment = await stage.bought()
    del stage.client.headers["Authorization"]
    tracking = as_object(await stage.client.get(f"/v1/tracking/{shipment['tracking_number']}"))
    assert (tracking["status"], tracking["service"]) == ("confirmed", "inpost_courier_standard")


@pytest.mark.parametrize("key", ["target_machine_id", "target_point_id"])
async def test_the_key_of_the_target_point_is_one_of_two(key: str) -> None:
    """The documents show both, eight years apart."""
    async with Stage(scenario(tracking={"point_key": key})) as stage:
        shipment = await stage.bought()
        tracking = as_object(await stage.client.get(f"/v1/tracking/{shipment['tracking_number']}"))
        assert tracking["custom_attributes"] == {"size": None, key: "KRA010", "end_of_week_collection": False}


async def test_the_newest_comes_first(stage: Stage) -> None:
    shipment = await stage.bought()
    for status in ("collected_from_sender", "delivered"):
        await stage.client.post(f"/_control/shipments/{shipment['id']}/statuses", json={"status": status})
    tracking = as_object(await stage.client.get(f"/v1/tracking/{shipment['tracking_number']}"))
    statuses = [detail["status"] for detail in tracking["tracking_details"]]
    assert (tracking["status"], statuses) == ("delivered", ["delivered", "collected_from_sender", "confirmed"])


@pytest.mark.parametrize("path", ["/v1/services", "/v1/sending_methods"])
async def test_dictionaries_need_no_token(stage: Stage, path: str) -> None:
    del stage.client.headers["Authorization"]
    assert (await stage.client.get(path)).status_code == 200


async def test_services_say_what_may_be_added_to_them(stage: Stage) -> None:
    services = {one["id"]: one for one in (await stage.client.get("/v1/services")).json()}
    extras = {name: [one["id"] for one in service["additional_services"]] for name, service in services.items()}
    assert (extras["inpost_courier_standard"], extras["inpost_locker_standard"]) == (["email", "saturday", "sms"], [])
