"""Who may see what, and the headers on every answer."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest

from .stage import DRAFT, POSTPAID, PREPAID, Stage, as_object, error_of


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer x"}, {"Authorization": "prepaid"}, {"Authorization": "Basic prepaid"}]
)
@pytest.mark.parametrize("path", ["/v1/organizations", f"/v1/organizations/{PREPAID}/shipments", "/v1/shipments/1"])
async def test_without_the_right_token(stage: Stage, path: str, header: dict[str, str]) -> None:
    del stage.client.headers["Authorization"]
    answer = await stage.client.get(path, headers=header)
    assert error_of(answer) == (401, "token_invalid")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        (f"/v1/organizations/{POSTPAID}", (403, "forbidden")),
        (f"/v1/organizations/{POSTPAID}/shipments", (403, "forbidden")),
        ("/v1/organizations/77", (404, "resource_not_found")),
        ("/v1/organizations/abc", (404, "resource_not_found")),
        ("/v1/shipments/77", (404, "resource_not_found")),
        ("/v1/shipments/-1", (404, "resource_not_found")),
        ("/v1/shipments/٣", (404, "resource_not_found")),
        ("/v1/nothing", (404, "resource_not_found")),
        ("/", (404, "resource_not_found")),
    ],
)
async def test_what_is_not_there_or_not_yours(stage: Stage, path: str, refusal: tuple[int, str]) -> None:
    assert error_of(await stage.client.get(path)) == refusal


async def test_creating_for_another_organization_says_that_it_does_not_exist(stage: Stage) -> None:
    answer = await stage.client.post(f"/v1/organizations/{POSTPAID}/shipments", json=DRAFT)
    assert error_of(answer) == (404, "resource_not_found")


async def test_another_account_s_shipment_does_not_exist(stage: Stage) -> None:
    shipment = await stage.prepared()
    async with stage.client_of("postpaid") as stage.client:
        assert error_of(await stage.client.get(f"/v1/shipments/{shipment['id']}")) == (404, "resource_not_found")
        assert error_of(await stage.buy(shipment)) == (404, "resource_not_found")
        assert error_of(await stage.client.put(f"/v1/shipments/{shipment['id']}", json={})) == (
            404,
            "resource_not_found",
        )


async def test_a_method_nobody_documented_is_not_found(stage: Stage) -> None:
    assert error_of(await stage.client.patch("/v1/organizations")) == (404, "resource_not_found")


async def test_the_own_organization(stage: Stage) -> None:
    listed = as_object(await stage.client.get("/v1/organizations"))["items"]
    assert listed == [as_object(await stage.client.get(f"/v1/organizations/{PREPAID}"))]
    assert (listed[0]["id"], listed[0]["carriers"]) == (PREPAID, ["inpost_courier", "inpost_locker"])
    assert "prepaid" not in str(listed)  # the token


async def test_every_answer_carries_the_carrier_s_time_and_the_request_id(stage: Stage) -> None:
    for path in ("/v1/organizations", "/v1/nothing"):
        answer = await stage.client.get(path, headers={"X-Request-ID": "mine"})
        assert answer.headers["x-request-id"] == "mine"
        assert parsedate_to_datetime(answer.headers["date"]) == stage.clock.now().replace(microsecond=0)
    assert (await stage.client.get("/")).headers["x-request-id"]
