"""Tracking: of one parcel, of a time, and what a shop may add; and the services and their points."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Opened
from .platform import Platform

NOW = 1773833518
ALL = {"date_from": "2026/03/18 00:00:00", "date_to": "03/19/2026 00:00:00"}


async def test_a_parcel_has_its_events_with_codes_of_all_kinds(platform: Platform) -> None:
    number = await platform.booked(external_id="R1")
    for status in ("20", "V51"):
        await platform.move(status)
    told = await platform.done("tracking/get", "tracking", code=number)
    assert [one["status"] for one in told["track"]] == ["10", "20", "V51"]
    assert told["track"][0] == {"dt": str(NOW), "status": "10", "location": {"country": "PL", "state": "", "city": ""}}
    assert (told["service_id"], told["external_id"], told["source_country"]) == ("243", "R1", "PL")


async def test_a_parcel_that_is_not_known_has_no_events(platform: Platform) -> None:
    assert await platform.code("tracking/get", "tracking", code="x") == "empty"
    assert await platform.code("tracking/get", "tracking") == "code_empty"
    assert await platform.code("tracking/get", "code") == "request_wrong"


async def test_a_late_event_is_found_by_the_time_it_was_added(platform: Platform) -> None:
    await platform.booked()
    await platform.stage.advance(3600)
    await platform.move("20", ago=3000)
    window = {"date_from": NOW + 3500, "date_to": NOW + 3700}
    assert await platform.code("tracking/get_by_date_range", "filter", **window) == "empty"
    found = await platform.done("tracking/get_by_date_added_range", "filter", **window)
    [event] = found["tracking_data"][0]["events"]
    assert (event["status"], event["dt"], event["date_added"]) == ("20", str(NOW + 600), str(NOW + 3600))


async def test_pages_count_events_and_may_part_a_parcel(platform: Platform) -> None:
    first, second = await platform.booked(), await platform.booked()
    await platform.move("20")
    pages = []
    for page in (1, 2):
        found = await platform.done("tracking/get_by_date_range", "filter", **ALL, page=page, count_per_page="2")
        assert (found["total_events_count"], found["total_pages_count"], found["current_page"]) == (3, 2, page)
        pages.append([(one["tracking_number"], len(one["events"])) for one in found["tracking_data"]])
    assert pages == [[(first, 2)], [(second, 1)]]
    assert await platform.code("tracking/get_by_date_range", "filter", **ALL, page=3, count_per_page=2) == "empty"


@pytest.mark.parametrize("method", ["tracking/get_by_date_range", "tracking/get_by_date_added_range"])
@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({**ALL, "page": 0}, "page_wrong"),
        ({**ALL, "page": "x"}, "page_wrong"),
        ({**ALL, "count_per_page": -1}, "count_per_page_wrong"),
        ({**ALL, "count_per_page": 20_001}, "count_per_page_max"),
        ({"date_from": "2026/03/18 00:00:00"}, "date_filter_is_missing"),
        ({**ALL, "date_to": "soon"}, "date_filter_is_missing"),
        ({**ALL, "source_country": "DE"}, "empty"),
    ],
)
async def test_a_filter_has_rules(platform: Platform, method: str, values: dict[str, Any], code: str) -> None:
    await platform.booked()
    assert await platform.code(method, "filter", **values) == code
    assert await platform.code(method, "other", **values) == "request_wrong"


async def test_a_shop_may_say_that_it_has_paid_once(platform: Platform) -> None:
    number = await platform.booked()
    paid = {"tracking": number, "date": NOW + 1, "status": "70", "location": {"country": "GB"}}
    told = await platform.done("tracking/add_status", "tracking_status", **paid)
    assert told == {"code": "success", "message": [f"Return {number} update successfully"]}
    assert await platform.code("tracking/add_status", "tracking_status", **paid) == "status_already_present"
    assert await platform.deeds() == {"return_booked": 1, "return_status_added": 1}
    found = await platform.done("returns/get", "return", id=number[4:], type="id")
    assert found["current_tracking_status"] == "10"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tracking": ""}, "tracking_required"),
        ({"date": ""}, "date_required"),
        ({"status": ""}, "status_required"),
        ({"date": "2026-03-18"}, "incorrect_date"),
        ({"date_added": "now"}, "incorrect_date_added"),
        ({"status": "x"}, "incorrect_status"),
        ({"status": 30}, "status_not_allowed"),
        ({"tracking": "x"}, "return_not_found"),
        ({"date": NOW - 1}, "has_later_date"),
        ({"location": {"city": "\ud800"}}, "request_wrong"),
    ],
)
async def test_a_status_has_rules(platform: Platform, changes: dict[str, Any], code: str) -> None:
    paid = {"tracking": await platform.booked(), "date": NOW + 1, "status": 70}
    assert await platform.code("tracking/add_status", "tracking_status", **{**paid, **changes}) == code


async def test_returns_go_the_ways_of_the_scenario_and_events_need_their_time(opened: Opened) -> None:
    course = {"name": "home", "steps": [{"status": "20", "after": 10}, {"status": "60", "after": 10}]}
    platform = await opened(courses=[course], scan_lag=4)
    going, cancelled = await platform.booked(), await platform.booked()
    await platform.done("returns/cancel", "return", tracking=cancelled)
    await platform.stage.advance(20)
    for number, codes in ((going, ["10", "20", "60"]), (cancelled, ["10", "300", "310"])):
        track = (await platform.done("tracking/get", "tracking", code=number))["track"]
        assert [one["status"] for one in track] == codes
    told = (await platform.done("tracking/get", "tracking", code=going))["track"]
    assert told[2]["dt"] == str(NOW + 20 - 4)


async def test_services_are_those_of_the_account_in_a_country(opened: Opened) -> None:
    platform = await opened({"services": [243, 203]})
    for asked in ({"country": "PL"}, {"lat": 52.2, "lng": "21.0"}):
        found = await platform.done("services/get_available", "request", **asked)
        assert [one["service_id"] for one in found["services"]] == ["243", "203"]
    for values, code in (
        ({"country": "FR"}, "service_not_found"),
        ({"country": "pol"}, "country_incorrect"),
        ({"lat": 0, "lng": 0}, "cannot_find_address_by_coordinates"),
        ({"lat": 52}, "lng_empty"),
    ):
        assert await platform.code("services/get_available", "request", **values) == code


async def test_points_are_found_by_address_or_by_distance(platform: Platform) -> None:
    async def points(**asked: Any) -> list[str]:
        found = await platform.done("services/get_drop_off_points", "request", **asked)
        return [one["id"] for c in found["carriers"] for service in c["services"] for one in service["points"]]

    warsaw = {"lat": 52.2, "lng": 21.0}
    assert await points(address={"country": "PL"}, coordinates={"lat": 0, "lng": 0}) == ["KRA010", "WAW020"]
    assert await points(coordinates=warsaw, services=[243]) == ["WAW020", "KRA010"]
    assert await points(coordinates=warsaw, radius=100) == ["WAW020"]
    assert await points(coordinates=warsaw, max_num="1.9") == ["WAW020"]
    assert await points(address={"country": "PL"}, max_num=-1) == ["KRA010", "WAW020"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({}, "location_empty"),
        ({"coordinates": {"lng": 1}}, "lat_empty"),
        ({"coordinates": {"lat": 1}}, "lng_empty"),
        ({"coordinates": {"lat": 1, "lng": 1}}, "cannot_find_address_by_coordinates"),
        ({"address": {"city": "Kraków"}}, "carrier_empty"),
        ({"address": {"country": "Poland"}}, "country_incorrect"),
        ({"address": {"country": "PL"}, "services": [1]}, "service_not_found"),
        ({"address": {"country": "PL"}, "services": [190]}, "no_drop_off_points_found"),
    ],
)
async def test_there_are_no_points_without_a_place(platform: Platform, values: dict[str, Any], code: str) -> None:
    assert await platform.code("services/get_drop_off_points", "request", **{"radius": 5, **values}) == code


async def test_a_point_is_found_by_its_id_and_service(platform: Platform) -> None:
    found = await platform.done("services/get_drop_off_by_id", "request", drop_off_point_id="PP-0042", service_id=20063)
    assert found["point"]["address_detail"]["suburb"] == "Sydney"
    for values, code in (
        ({"drop_off_point_id": "PP-0042", "service_id": 243}, "point_not_found"),
        ({"drop_off_point_id": "PP-0042", "service_id": 1}, "service_not_found"),
    ):
        assert await platform.code("services/get_drop_off_by_id", "request", **values) == code
