"""The resources that need no token."""

from __future__ import annotations

import pytest

from .stage import Stage, as_object


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
