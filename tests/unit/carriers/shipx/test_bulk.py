"""Buying many at once: whom a refusal names, and when nothing is known of any of them."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from pytest_httpx import HTTPXMock

from bridge.carriers.shipx.bulk import named
from bridge.carriers.shipx.client import ShipxClient
from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.limits.connection import Outcome, Purpose, Verdict
from bridge.model import OfferId, ShipmentId
from bridge.purchasing.shipment import Choice
from tests.support.permits import FreePermits

from .stage import MANY, OFFER, OTHER, SHIPMENT, buy, client_on, refused, unavailable

OFFER_GONE = [{"offer_id": ["does_not_exist"]}]


def refusal(key: str, status: int, details: object = None) -> dict[str, Any]:
    return {"status": status, "error": key, "message": key, "details": details}


@pytest.mark.parametrize("status", [204, 200])
async def test_many_are_accepted_together(status: int, client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=status)
    await buy(client, *MANY)


@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("offer_unavailable", 400),
        ("offer_unavailable", 422),
        ("offer_expired", 400),
        ("resource_not_found", 404),
        ("validation_failed", 400),
        ("validation_failed", 422),
    ],
)
async def test_a_refusal_of_many_names_those_that_are_its_reason(
    key: str, status: int, client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    details = {"shipments": [{"3900000019": OFFER_GONE, "Anna": ["x"]}]}
    httpx_mock.add_response(status_code=status, json=refusal(key, status, details))
    error = await refused(buy(client, *MANY))
    assert (error.key, error.status, error.items) == (key, status, frozenset({OTHER}))


@pytest.mark.parametrize(
    ("details", "items"),
    [
        pytest.param({"shipments": [{"3900000019": OFFER_GONE}]}, {OTHER}, id="nested through an array"),
        pytest.param({"shipments": {"3900000019": OFFER_GONE}}, {OTHER}, id="nested without one"),
        pytest.param(
            {"shipments": [{"3900000018": OFFER_GONE}, {"3900000019": OFFER_GONE}]}, {SHIPMENT, OTHER}, id="two arrays"
        ),
        pytest.param({"shipments": [{"3900000017": OFFER_GONE}]}, set(), id="one that was not sent"),
        pytest.param({"shipments": [{"03900000019": OFFER_GONE}]}, set(), id="another spelling"),
        pytest.param({"shipments": [{"x": [{"3900000019": ["x"]}]}]}, set(), id="below something else"),
        pytest.param({"3900000019": OFFER_GONE}, set(), id="not under shipments"),
        pytest.param({"shipments": ["3900000019", 3900000019, None]}, set(), id="values are not keys"),
        pytest.param({"shipments": []}, set(), id="an empty array"),
        pytest.param({"shipments": "3900000019"}, set(), id="text"),
        pytest.param({"shipments": None}, set(), id="null"),
        pytest.param({}, set(), id="empty details"),
        pytest.param([], set(), id="a list for details"),
        pytest.param(None, set(), id="null details"),
    ],
)
def test_only_what_was_sent_can_be_named(details: object, items: set[ShipmentId]) -> None:
    body = json.dumps(refusal("validation_failed", 400, details)).encode()
    assert named(body, [SHIPMENT, OTHER]) == items


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b"<html>"])
def test_what_cannot_be_read_names_nobody(body: bytes) -> None:
    assert named(body, [SHIPMENT]) == frozenset()


async def test_a_refusal_of_one_names_nobody(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    details = {"shipments": [{"3900000018": OFFER_GONE}]}
    httpx_mock.add_response(status_code=400, json=refusal("offer_unavailable", 400, details))
    assert (await refused(buy(client))).items == frozenset()


async def test_after_a_failed_payment_all_of_many_are_in_doubt_and_the_carrier_was_there(
    http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    permits = FreePermits()
    httpx_mock.add_response(status_code=422, json=refusal("transaction_failed", 422))
    error = await unavailable(buy(client_on(http, permits=permits), *MANY))
    assert (error.reason, error.status, error.retry_after) == ("transaction_failed", 422, None)
    assert (permits.purposes, permits.outcomes) == ([Purpose.buy], [Outcome(Verdict.answered)])


async def test_a_failed_payment_of_one_is_a_refusal(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=422, json=refusal("transaction_failed", 422))
    error = await refused(buy(client))
    assert (error.key, error.status) == ("transaction_failed", 422)


async def test_many_too_many_calls_were_never_asked_for(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    """With 429 nothing is in doubt."""
    httpx_mock.add_response(status_code=429, headers={"retry-after": "3"})
    error = await unavailable(buy(client, *MANY))
    assert (error.status, error.retry_after) == (429, 3)


@pytest.mark.parametrize("number", [0, 101])
async def test_it_is_one_to_a_hundred_at_once(number: int, client: ShipxClient) -> None:
    choices = [Choice(ShipmentId(one + 1), OfferId(one + 1)) for one in range(number)]
    async with client.turn_to_buy() as turn:
        with pytest.raises(AssertionError, match="one to a hundred"):
            await turn.buy(choices)


async def test_a_turn_is_used_up_by_a_purchase_of_many(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=502)
    async with client.turn_to_buy() as turn:
        with pytest.raises(CarrierUnavailable):
            await turn.buy(MANY)
        with pytest.raises(AssertionError, match="one turn, one call"):
            await turn.buy([Choice(SHIPMENT, OFFER)])


async def test_a_refusal_says_nothing_of_what_the_details_held(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    details = {"shipments": [{"3900000019": [{"Anna Kowalska": ["x"]}]}]}
    httpx_mock.add_response(status_code=400, json=refusal("validation_failed", 400, details))
    with pytest.raises(CarrierRefused) as caught:
        await buy(client, *MANY)
    assert "Anna" not in f"{caught.value!r} {caught.value} {vars(caught.value)}"
