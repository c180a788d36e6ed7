"""Looking for what nobody told of: the pages of what was created since a moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pytest_httpx import HTTPXMock

from bridge.carriers.shipx.client import ShipxClient
from bridge.limits.connection import Purpose
from bridge.ports import Discovery, Page
from tests.support.permits import FreePermits

from .stage import CARRIER, DATE, OTHER, SHIPMENT, client_on, page, refused, sample, unavailable

PREPARED = sample("shipment_offers_prepared")
SINCE = datetime(2026, 3, 18, 11, 0, 0, 500_000, tzinfo=UTC)
PATH = "/v1/organizations/4821/shipments"
QUERY = "created_at_gteq=2026-03-18T11:00:00.500Z&sort_by=created_at&sort_order=asc&per_page=100"
ECHO = f"{CARRIER}{PATH}?{QUERY}&page=1"


def since(client: Discovery, number: int = 1, moment: datetime = SINCE) -> Any:
    return client.created_since(moment, number)


def listed(items: Sequence[object], count: int | None = None, href: str = ECHO) -> Any:
    return page(list(items), href=href, count=len(items) if count is None else count)


async def test_a_page_is_asked_for_by_when_it_was_created(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    permits = FreePermits()
    httpx_mock.add_response(json=listed([]))
    await since(client_on(http, permits=permits), 3)
    [request] = httpx_mock.get_requests()
    assert (request.method, str(request.url)) == ("GET", f"{CARRIER}{PATH}?{QUERY}&page=3")
    assert permits.purposes == [Purpose.sweep]


async def test_the_moment_is_asked_for_in_utc(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=listed([]))
    await since(client, moment=SINCE.astimezone(timezone(timedelta(hours=1))))
    [request] = httpx_mock.get_requests()
    assert request.url.params["created_at_gteq"] == "2026-03-18T11:00:00.500Z"


async def test_each_item_is_the_whole_shipment(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=listed([PREPARED]), headers=DATE)
    httpx_mock.add_response(json=PREPARED, headers=DATE)
    found = await since(client)
    alone = await client.read(SHIPMENT)
    assert found == Page((alone,), count=1, unread=0, is_last=True)
    assert alone.traits.created_at == datetime(2026, 3, 18, 11, 31, 58, 79_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "items", "count", "is_last"),
    [
        pytest.param(1, 0, 0, True, id="nothing at all"),
        pytest.param(1, 2, 2, True, id="all of them"),
        pytest.param(1, 2, 101, False, id="one more on the next"),
        pytest.param(2, 2, 102, True, id="the rest of them"),
        pytest.param(9, 0, 102, True, id="past the end, whatever the count"),
    ],
)
async def test_a_page_says_whether_others_follow(
    number: int, items: int, count: int, is_last: bool, client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(json=listed([PREPARED] * items, count))
    found = await since(client, number)
    assert (len(found.shipments), found.count, found.is_last) == (items, count, is_last)


async def test_what_cannot_be_read_is_counted_and_takes_nobody_along(
    client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(json=listed([{"id": "x"}, PREPARED | {"id": OTHER}], 300))
    found = await since(client)
    assert ([one.id for one in found.shipments], found.unread, found.is_last) == ([OTHER], 1, False)


@pytest.mark.parametrize("dropped", ["created_at_gteq", "sort_by", "sort_order"])
async def test_a_page_that_was_not_asked_for_like_that_is_no_answer(
    dropped: str, client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    kept = {key: one for key, [one] in parse_qs(urlsplit(ECHO).query).items() if key != dropped}
    httpx_mock.add_response(json=listed([PREPARED], href=str(httpx.URL(f"{CARRIER}{PATH}", params=kept))))
    assert (await unavailable(since(client))).reason == "filter_dropped"
    assert not client.lists_differ, "which says nothing of lists by id"


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("error_description", 400),
        ("error_flat_details", 400),
        ("error_nested_details", 400),
        ("error_null_details", 400),
        ("error_invalid_action", 400),
        ("error_token_invalid", 401),
        ("error_resource_not_found", 404),
    ],
)
async def test_a_refusal_is_one(name: str, status: int, client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=status, json=sample(name))
    error = await refused(since(client))
    assert (error.key, error.status) == (sample(name)["error"], status)


@pytest.mark.parametrize("answer", [{}, [], None, {"items": []}])
async def test_what_is_no_page_is_no_answer(answer: object, client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=answer)
    assert (await unavailable(since(client))).reason == "not_a_list"
