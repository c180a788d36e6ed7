"""Offers made anew: an edit that changes nothing, and what is tried where the carrier wants something to change."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from pytest_httpx import HTTPXMock

from bridge.carriers.shipx.client import ShipxClient
from bridge.errors import CarrierError
from bridge.limits.connection import Purpose
from tests.support.permits import FreePermits

from .stage import SHIPMENT, client_on, refused, sample, unavailable

INVALID = sample("error_flat_details")


def asked(httpx_mock: HTTPXMock) -> list[tuple[str, str, Any]]:
    """List what was asked, each with its body."""
    requests = httpx_mock.get_requests()
    return [(one.method, one.url.path, json.loads(one.content) if one.content else None) for one in requests]


PATH = f"/v1/shipments/{SHIPMENT}"


async def test_an_empty_edit_is_all_that_is_asked(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    permits = FreePermits()
    httpx_mock.add_response(json={"whatever": "it says"})
    await client_on(http, permits=permits).regenerate(SHIPMENT)
    assert (asked(httpx_mock), permits.purposes) == ([("PUT", PATH, {})], [Purpose.read])


async def test_where_an_empty_edit_is_not_valid_the_comments_are_sent_back_as_they_are(
    client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(status_code=400, json=INVALID)
    httpx_mock.add_response(json=sample("shipment_offers_prepared") | {"comments": "proszę dzwonić"})
    httpx_mock.add_response(json={})
    await client.regenerate(SHIPMENT)
    assert asked(httpx_mock) == [
        ("PUT", PATH, {}),
        ("GET", PATH, None),
        ("PUT", PATH, {"comments": "proszę dzwonić"}),
    ]


@pytest.mark.parametrize("comments", [None, ""])
async def test_without_comments_there_is_nothing_else_to_try(
    comments: str | None, client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(status_code=400, json=INVALID)
    httpx_mock.add_response(json=sample("shipment_offers_prepared") | {"comments": comments})
    error = await refused(client.regenerate(SHIPMENT))
    assert (error.key, error.status, len(asked(httpx_mock))) == ("validation_failed", 400, 2)


async def test_what_is_refused_twice_is_not_tried_a_third_time(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=400, json=INVALID)
    httpx_mock.add_response(json=sample("shipment_offers_prepared") | {"comments": "proszę dzwonić"})
    httpx_mock.add_response(status_code=400, json=INVALID)
    assert (await refused(client.regenerate(SHIPMENT))).key == "validation_failed"


@pytest.mark.parametrize(
    ("name", "status"),
    [("error_invalid_action", 400), ("error_resource_not_found", 404), ("error_token_invalid", 401)],
)
async def test_another_refusal_stands(name: str, status: int, client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=status, json=sample(name))
    error = await refused(client.regenerate(SHIPMENT))
    assert (error.key, error.status, len(asked(httpx_mock))) == (sample(name)["error"], status, 1)


@pytest.mark.parametrize("answer", [{}, {"id": 5, "comments": "somebody else's"}, {"id": SHIPMENT, "comments": 5}])
async def test_comments_that_cannot_be_read_are_not_sent_back(
    answer: Any, client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(status_code=400, json=INVALID)
    httpx_mock.add_response(json=answer)
    await unavailable(client.regenerate(SHIPMENT))
    assert len(asked(httpx_mock)) == 2


async def test_comments_are_in_no_error(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=400, json=INVALID)
    httpx_mock.add_response(json=sample("shipment_offers_prepared") | {"comments": "proszę dzwonić"})
    httpx_mock.add_response(status_code=502)
    with pytest.raises(CarrierError) as caught:
        await client.regenerate(SHIPMENT)
    assert "dzwonić" not in f"{caught.value!r} {caught.value}"
