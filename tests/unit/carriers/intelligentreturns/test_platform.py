"""The provider in our words: what each question becomes over there."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from decimal import Decimal

import httpx
import pytest
from pytest_httpx import HTTPXMock

from bridge.carriers.intelligentreturns.platform import IntelligentPlatform
from bridge.errors import CarrierRefused, FieldProblem
from bridge.ports.return_platform import ReturnPlatform
from bridge.returns.draft import Address
from bridge.returns.order import OrderItems
from bridge.returns.query import PointQuery, ReturnQuery, Whereabouts

from .stage import at, client_on, refusal, sample, sent
from .test_client import CALLS, every
from .test_drafts import DRAFT, ORDER, SHIRT

Call = Callable[[ReturnPlatform], Awaitable[object]]
SYDNEY = Whereabouts(Address("George St", "1", "Sydney", "2000", "AU", "NSW"), suburb="Sydney")
ON_THE_MAP = Whereabouts(latitude=Decimal("52.2"), longitude=Decimal("21.0"))

QUESTIONS: dict[str, tuple[str, Call, dict[str, object]]] = {
    "a return by our own id": (
        "returns/get",
        lambda one: one.find("RMA7F3K21"),
        {"id": "RMA7F3K21", "type": "external_id"},
    ),
    "returns that fit": (
        "returns/items",
        lambda one: every(one.search(ReturnQuery(reference="A-1001", since=at(10), return_status=900))),
        {"order_reference": "A-1001", "date_from": 10, "status": 900},
    ),
    "a cancel by both ids": (
        "returns/cancel",
        lambda one: one.cancel("RMA7F3K21", "526u8we"),
        {"external_id": "RMA7F3K21", "tracking": "526u8we"},
    ),
    "bills": ("returns/billing", lambda one: one.bills(reference="A-1001"), {"order_reference": "A-1001"}),
    "a parcel": ("tracking/get", lambda one: one.track("526u8we"), {"code": "526u8we"}),
    "what was learned": (
        "tracking/get_by_date_added_range",
        lambda one: every(one.learned(at(10), at(20))),
        {"date_from": 10, "date_to": 20, "page": 1, "count_per_page": 1000},
    ),
    "what happened": (
        "tracking/get_by_date_range",
        lambda one: every(one.happened(at(10), at(20))),
        {"date_from": 10, "date_to": 20, "page": 1, "count_per_page": 1000},
    ),
    "a refund": (
        "tracking/add_status",
        lambda one: one.refunded("526u8we", at(10)),
        {"tracking": "526u8we", "date": 10, "status": 70},
    ),
    "services at an address": (
        "services/get_available",
        lambda one: one.services(SYDNEY),
        {"country": "AU", "state": "NSW", "zip": "2000", "city": "Sydney", "suburb": "Sydney", "addr1": "George St 1"},
    ),
    "services on the map": (
        "services/get_available",
        lambda one: one.services(ON_THE_MAP),
        {"lat": "52.2", "lng": "21.0"},
    ),
    "points near an address": (
        "services/get_drop_off_points",
        lambda one: one.points(PointQuery(SYDNEY, (20063,), radius_km=10, most=20)),
        {
            "services": [20063],
            "address": {
                "country": "AU",
                "state": "NSW",
                "zip": "2000",
                "city": "Sydney",
                "suburb": "Sydney",
                "addr1": "George St 1",
            },
            "radius": 10,
            "max_num": 20,
        },
    ),
    "points on the map": (
        "services/get_drop_off_points",
        lambda one: one.points(PointQuery(ON_THE_MAP)),
        {"coordinates": {"lat": "52.2", "lng": "21.0"}},
    ),
    "a point": (
        "services/get_drop_off_by_id",
        lambda one: one.point("Leavesden", 20030),
        {"drop_off_point_id": "Leavesden", "service_id": 20030},
    ),
    "an order": (
        "orders/get",
        lambda one: one.find_order("A-1001"),
        {"type": "reference", "val": "A-1001"},
    ),
    "an order that goes": (
        "orders/delete",
        lambda one: one.delete_order("A-1001"),
        {"type": "reference", "val": "A-1001"},
    ),
}


@pytest.mark.parametrize(("method", "call", "request_"), QUESTIONS.values(), ids=QUESTIONS)
async def test_a_question_of_ours_becomes_one_of_theirs(
    method: str, call: Call, request_: object, http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(content=sample(f"{method.replace('/', '_')}_answer", "json"))
    await call(IntelligentPlatform(client_on(http)))
    (request,) = httpx_mock.get_requests()
    assert request.url.path == f"/api/{method}/json"
    assert list(json.loads(sent(request)["request"]).values()) == [request_]


async def test_a_draft_is_made_under_our_own_id(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(content=sample("returns_create_answer", "json"))
    platform = IntelligentPlatform(client_on(http))
    assert platform.broken(DRAFT) == []
    assert await platform.create(DRAFT, "X1") == CALLS["returns/create"].answer
    (request,) = httpx_mock.get_requests()
    booked = json.loads(sent(request)["request"])["return"]
    assert (booked["external_id"], booked["order_reference"], booked["service_id"]) == ("X1", "A-1001", 243)


async def test_a_draft_is_priced(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(content=sample("returns_request_for_prices_answer", "json"))
    platform = IntelligentPlatform(client_on(http))
    assert platform.broken_for_quotes(DRAFT) == []
    assert await platform.quotes(DRAFT) == CALLS["returns/request_for_prices"].answer


async def test_an_order_and_more_articles_are_told(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(content=sample("orders_create_answer", "json"))
    httpx_mock.add_response(content=sample("orders_add_items_answer", "json"))
    platform = IntelligentPlatform(client_on(http))
    more = OrderItems("A-1001", (SHIRT,))
    assert (platform.broken(ORDER), platform.broken(more)) == ([], [])
    assert (await platform.create_order(ORDER), await platform.add_items(more)) == ("10000", "10000")


WRONG: dict[str, tuple[Call, list[FieldProblem]]] = {
    "nowhere": (lambda one: one.services(Whereabouts()), [FieldProblem("country_code", "missing")]),
    "half on the map": (
        lambda one: one.services(Whereabouts(latitude=Decimal(1))),
        [FieldProblem("longitude", "missing")],
    ),
    "off the map": (
        lambda one: one.points(PointQuery(Whereabouts(latitude=Decimal(91), longitude=Decimal(1)))),
        [FieldProblem("latitude", "too_big")],
    ),
    "Hong Kong has states where points are": (
        lambda one: one.points(PointQuery(Whereabouts(Address(country_code="HK")))),
        [FieldProblem("state", "missing")],
    ),
    "a radius of nothing": (
        lambda one: one.points(PointQuery(SYDNEY, radius_km=0)),
        [FieldProblem("radius_km", "too_small")],
    ),
    "a status that is none": (
        lambda one: every(one.search(ReturnQuery(return_status=6))),
        [FieldProblem("status", "invalid")],
    ),
}


@pytest.mark.parametrize(("call", "fields"), WRONG.values(), ids=WRONG)
async def test_what_is_wrong_is_told_in_our_words_and_not_sent(
    call: Call, fields: list[FieldProblem], http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    with pytest.raises(CarrierRefused) as refused:
        await call(IntelligentPlatform(client_on(http)))
    assert (list(refused.value.fields), httpx_mock.get_requests()) == (fields, [])


async def test_a_country_that_they_do_not_know_is_told_in_our_words(
    http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(content=refusal("country_incorrect"))
    with pytest.raises(CarrierRefused) as refused:
        await IntelligentPlatform(client_on(http)).services(Whereabouts(Address(country_code="XX")))
    assert refused.value.fields == (FieldProblem("country_code", "invalid"),)
