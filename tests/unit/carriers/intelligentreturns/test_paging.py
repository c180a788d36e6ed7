"""Pages that follow each other: a search goes on from the last id, events by number."""

from __future__ import annotations

import json

import httpx
import pytest
import structlog
from pytest_httpx import HTTPXMock

from bridge.carriers.intelligentreturns.questions import ReturnFilter
from bridge.errors import CarrierUnavailable
from bridge.returns.progress import Progress

from .stage import at, client_on, refusal, sent
from .test_client import every


def page(first: int, last: int, *more: object, total: int | None = None) -> bytes:
    """Write a page of a search, newest first; with the count of those that are left, or another one."""
    found = [{"id": str(number), "order_reference": "A"} for number in range(first, last - 1, -1)]
    return json.dumps(
        {"success": {"total": str(first if total is None else total), "return": [*found, *more]}}
    ).encode()


def asked(mock: HTTPXMock) -> list[dict[str, object]]:
    return [json.loads(sent(request)["request"])["filter"] for request in mock.get_requests()]


async def test_a_search_goes_on_below_the_last_id_as_long_as_pages_are_full(
    http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    for first, last in [(2500, 1501), (1500, 501), (500, 1)]:
        httpx_mock.add_response(content=page(first, last))
    found = [one.id async for one in client_on(http).search(ReturnFilter(country="PL"))]
    assert found == [str(number) for number in range(2500, 0, -1)]
    assert asked(httpx_mock) == [
        {"country": "PL"},
        {"country": "PL", "id_last": 1501},
        {"country": "PL", "id_last": 501},
    ]


@pytest.mark.parametrize(
    ("totals", "nothing"),
    [
        pytest.param((250, 150, 50), False, id="those that are left"),
        pytest.param((250, 250, 250), True, id="those of every page: the end is found by one page more"),
    ],
)
async def test_a_page_that_is_not_full_is_not_the_last_one_where_there_are_more_by_their_count(
    totals: tuple[int, int, int], nothing: bool, http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    for (first, last), total in zip([(250, 151), (150, 51), (50, 1)], totals, strict=True):
        httpx_mock.add_response(content=page(first, last, total=total))
    if nothing:
        httpx_mock.add_response(content=refusal("return_nx"))
    found = [one.id async for one in client_on(http).search(ReturnFilter())]
    assert found == [str(number) for number in range(250, 0, -1)]


async def test_a_short_page_that_comes_again_ends_it(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    """Where the last id is still within, and the count is one of every page."""
    httpx_mock.add_response(content=page(3, 1, total=4))
    httpx_mock.add_response(content=page(1, 1, total=4))
    assert [one.id async for one in client_on(http).search(ReturnFilter())] == ["3", "2", "1", "1"]


async def test_that_nothing_more_is_found_ends_it(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(content=page(1000, 1))
    httpx_mock.add_response(content=refusal("return_nx"))
    assert len(await every(client_on(http).search(ReturnFilter()))) == 1000


async def test_a_search_that_does_not_go_on_ends_with_an_error(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    """Where the last id is ignored, the first page would come for ever."""
    httpx_mock.add_response(content=page(1000, 1), is_reusable=True)
    with pytest.raises(CarrierUnavailable, match="filter_dropped"):
        await every(client_on(http).search(ReturnFilter()))
    assert len(httpx_mock.get_requests()) == 2


async def test_one_return_that_cannot_be_read_spoils_no_other(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(content=page(1000, 2, {"order_reference": "without an id"}))
    httpx_mock.add_response(content=page(1, 1))
    with structlog.testing.capture_logs() as logs:
        found = await every(client_on(http).search(ReturnFilter()))
    assert len(found) == 1000
    assert [one["items"] for one in logs if one["event"] == "carrier.items_unreadable"] == [1]


def events(number: int, pages: int, parcel: str, **more: object) -> bytes:
    """Write a page of events."""
    parcels = [{"tracking_number": parcel, "events": [{"status": "20", "dt": "1794900000", "location": []}, "odd"]}]
    body = {"tracking_data": parcels, "total_events_count": 3, "current_page": number, "total_pages_count": pages}
    return json.dumps({"success": body | more}).encode()


async def test_events_come_page_by_page_and_a_parcel_may_come_twice(
    http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    for number, parcel in [(1, "a"), (2, "b"), (3, "a")]:
        httpx_mock.add_response(content=events(number, 3, parcel))
    found: list[Progress] = [one async for one in client_on(http).events(at(1), at(2), at_once=1)]
    assert [(one.tracking_number, len(one.scans), one.unread) for one in found] == [
        ("a", 1, 1),
        ("b", 1, 1),
        ("a", 1, 1),
    ]
    assert [(one["page"], one["count_per_page"]) for one in asked(httpx_mock)] == [(1, 1), (2, 1), (3, 1)]


async def test_that_there_are_no_more_events_ends_it(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(content=events(1, 2, "a"))
    httpx_mock.add_response(content=refusal("empty"))
    assert len(await every(client_on(http).events(at(1), at(2)))) == 1


async def test_another_page_than_the_one_asked_for_is_none(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(content=events(1, 2, "a"), is_reusable=True)
    with pytest.raises(CarrierUnavailable, match="filter_dropped"):
        await every(client_on(http).events(at(1), at(2)))
    assert len(httpx_mock.get_requests()) == 2
