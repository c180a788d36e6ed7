"""What a checkout asks: services, points and prices, in our words, and no more often than the provider bears."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bridge.carriers.intelligentreturns.formats import Name
from tests.unit.shipping.checkouts import POINTS, QUOTE, QUOTES, RETURNS, SERVICES, SHIRT, counter
from tests.unit.shipping.returning import CODES, SENDER, TICKETS

SYDNEY = {"country_code": "AU", "state": "NSW", "post_code": "2000", "suburb": "Sydney", "street": "1 George St"}
FORMATS: tuple[Name, ...] = ("json", "xml")


@pytest.mark.parametrize("form", FORMATS)
async def test_services_of_a_country_are_told(tmp_path: Path, form: Name) -> None:
    async with counter(tmp_path, form=form) as at:
        answer = await at.ask("GET", SERVICES, country_code="AU", token="reader")
        assert answer.json() == {
            "items": [
                {
                    "service_id": 20062,
                    "carrier": "Parcel Point",
                    "name": "ParcelPoint Home Collection",
                    "kind": "home_collection",
                    "needs_drop_off_point": False,
                    "coverage": [{"country_code": "AU", "states": None}],
                },
                {
                    "service_id": 20063,
                    "carrier": "Parcel Point",
                    "name": "ParcelPoint Drop Off",
                    "kind": "drop_off",
                    "needs_drop_off_point": True,
                    "coverage": [{"country_code": "AU", "states": None}],
                },
            ],
            "next": None,
        }
        on_the_map = await at.ask("GET", SERVICES, latitude="-33.86", longitude="151.2")
        assert on_the_map.json() == answer.json()
        assert (await at.ask("GET", SERVICES, country_code="FR")).json() == {"items": [], "next": None}


@pytest.mark.parametrize("form", FORMATS)
async def test_points_near_a_place_are_told_and_one_is_read_again(tmp_path: Path, form: Name) -> None:
    async with counter(tmp_path, form=form) as at:
        [point] = (await at.ask("GET", POINTS, **SYDNEY, service_id=20063, limit=5)).json()["items"]
        assert point == {
            "drop_off_point_id": "PP-0042",
            "service_id": 20063,
            "service": "ParcelPoint Drop Off",
            "carrier": "Parcel Point",
            "title": "Corner shop",
            "address": {
                "country_code": "AU",
                "state": "NSW",
                "post_code": "2000",
                "city": "Sydney",
                "suburb": "Sydney",
                "line1": "2 George St",
                "line2": None,
            },
            "hours": None,
            "opening_hours": {"mo": ["08:00-12:00", "13:00-18:00"]},
            "latitude": -33.861,
            "longitude": 151.209,
        }
        read = (await at.ask("GET", f"{POINTS}/PP-0042", service_id=20063)).json()
        assert read == point | {"service": None, "carrier": None}
        near = await at.ask("GET", POINTS, latitude="50.03", longitude="19.97", radius_km=10)
        assert [one["drop_off_point_id"] for one in near.json()["items"]] == ["KRA010"]
        several = await at.ask("GET", POINTS, country_code="PL", service_id=[243, 20063])
        assert [one["drop_off_point_id"] for one in several.json()["items"]] == ["KRA010", "WAW020"]


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        (SERVICES, {}, "country_code"),
        (SERVICES, {"latitude": "1"}, "longitude"),
        (SERVICES, {"latitude": "91", "longitude": "1"}, "latitude"),
        (SERVICES, {"latitude": "NaN", "longitude": "1"}, "latitude"),
        (SERVICES, {"country_code": "pl"}, "country_code"),
        (SERVICES, {"country_code": "PL", "city": ""}, "city"),
        (SERVICES, {"country_code": "PL", "street": "x" * 256}, "street"),
        (SERVICES, {"country_code": "PL", "provider": "dhl"}, "provider"),
        (POINTS, {}, "country_code"),
        (POINTS, {"country_code": "HK"}, "state"),
        (POINTS, {"latitude": "1"}, "longitude"),
        (POINTS, {"longitude": "1"}, "latitude"),
        (POINTS, {"country_code": "PL", "radius_km": "0"}, "radius_km"),
        (POINTS, {"country_code": "PL", "limit": "201"}, "limit"),
        (POINTS, {"country_code": "PL", "service_id": ["243", "x"]}, "service_id"),
        (POINTS, {"country_code": "PL", "service_id": ["1"] * 51}, "service_id"),
        (f"{POINTS}/KRA010", {}, "service_id"),
        (f"{POINTS}/KRA010", {"service_id": str(2**31)}, "service_id"),
    ],
)
async def test_a_bad_parameter_is_named_and_nobody_is_asked(
    tmp_path: Path, path: str, query: dict[str, Any], field: str
) -> None:
    async with counter(tmp_path) as at:
        answer = await at.ask("GET", path, **query)
        assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (400, [field])
        assert await at.calls() == []


async def test_what_the_provider_does_not_know_is_told_by_its_field(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        await at.refuse("services/get_available", "country_incorrect")
        answer = await at.ask("GET", SERVICES, country_code="XX")
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/carrier-refused")
        assert [one["field"] for one in answer.json()["errors"]] == ["country_code"]
        nowhere = await at.ask("GET", SERVICES, latitude="0", longitude="0")
        assert (nowhere.status_code, "cannot_find_address_by_coordinates" in nowhere.text) == (422, True)


@pytest.mark.parametrize("point", ["NOWHERE", "x" * 256, "%00"])
async def test_a_point_that_is_not_there_is_not_found(tmp_path: Path, point: str) -> None:
    async with counter(tmp_path) as at:
        assert (await at.ask("GET", f"{POINTS}/{point}", service_id=243)).status_code == 404


# -- how often the provider is asked -----------------------------------------------------------------------------------


async def test_places_are_asked_for_once_in_a_minute_and_prices_each_time(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:

        async def all_of_it() -> None:
            await asyncio.gather(*(at.ask("GET", SERVICES, country_code="PL") for _ in range(5)))
            await at.ask("GET", POINTS, country_code="PL")
            await at.ask("GET", f"{POINTS}/KRA010", service_id=243)
            assert (await at.ask("POST", QUOTES, QUOTE)).status_code == 200

        places = ["services/get_available", "services/get_drop_off_points", "services/get_drop_off_by_id"]
        await all_of_it()
        assert await at.calls() == [*places, "returns/request_for_prices"]
        at.now = 59.9
        await all_of_it()
        assert (await at.calls())[4:] == ["returns/request_for_prices"]
        at.now = 60.0
        await all_of_it()
        assert (await at.calls())[5:] == [*places, "returns/request_for_prices"]


async def test_an_account_that_is_refused_is_no_fault_of_the_question(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        for code in ("no_shipping_services_available", "access_denied"):
            await at.refuse("returns/request_for_prices", code)
            answer = await at.ask("POST", QUOTES, QUOTE)
            assert (answer.status_code, answer.json()["type"]) == (503, "/problems/carrier-unavailable")
            assert (answer.headers["retry-after"], code in answer.json()["detail"]) == ("60", True)


@pytest.mark.parametrize("kind", ["unavailable", "hung_up", "page", "cut", "limited"])
async def test_a_provider_that_is_away_is_a_503(tmp_path: Path, kind: str) -> None:
    async with counter(tmp_path) as at:
        await at.fault(kind, "services/get_available")
        answer = await at.ask("GET", SERVICES, country_code="PL")
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/carrier-unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        at.now = 2.0
        assert (await at.ask("GET", SERVICES, country_code="PL")).status_code == 200


# -- prices ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
async def test_each_service_is_told_with_what_it_costs(tmp_path: Path, form: Name) -> None:
    async with counter(tmp_path, form=form) as at:
        items = (await at.ask("POST", QUOTES, QUOTE, token="reader")).json()["items"]
        found = {one["service_id"]: one for one in items}
        assert found.keys() == {243, 190, 20179, 203}
        nothing = {"amount": "0", "currency": "EUR"}
        assert found[243]["price"] == {
            "first_mile": {"amount": "3.10", "currency": "EUR"},
            **dict.fromkeys(("processing", "final_mile", "customs", "government_duty"), nothing),
            "total": {"amount": "3.10", "currency": "EUR"},
        }
        assert (found[243]["collection_days"], found[243]["needs_drop_off_point"]) == ([], False)
        first, second = found[203]["collection_days"]
        assert (first["time_from"], first["time_to"], first["minimum_hours"]) == ("09:00", "17:00", 3)
        assert (second["time_from"], second["minimum_hours"]) == (None, None)


async def test_a_price_may_be_asked_for_before_much_is_known(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        on_the_map = {"sender": {}, "items": [SHIRT], "provider_options": {"lat": "50.03", "lng": "19.97"}}
        assert len((await at.ask("POST", QUOTES, on_the_map)).json()["items"]) == 4
        collected = QUOTE | {"collection": {"address": SENDER["address"]}, "reference": "NEW", "connection": "main"}
        assert len((await at.ask("POST", QUOTES, collected)).json()["items"]) == 4
        from_france = QUOTE | {"sender": {"address": SENDER["address"] | {"country_code": "FR"}}}
        assert (await at.ask("POST", QUOTES, from_france)).json() == {"items": [], "next": None}


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"items": []}, ["items"]),
        ({"items": [SHIRT | {"price": None}]}, ["items.0.price"]),
        ({"items": [SHIRT | {"quantity": 0}]}, ["items.0.quantity"]),
        ({"sender": {}}, ["sender.address.country_code"]),
        ({"sender": None}, ["sender"]),
        ({"service_id": 243}, ["service_id"]),
        ({"reference": "x" * 256}, ["reference"]),
        ({"connection": "other"}, ["connection"]),
        ({"provider": "dhl"}, ["provider"]),
        ({"receiver": {"phone": "+48500100200"}}, ["receiver.phone"]),
        ({"provider_options": {"country": "PL"}}, ["provider_options.country"]),
        ({"provider_options": {"colour": "red"}}, ["provider_options.colour"]),
    ],
)
async def test_a_bad_field_is_named_and_nobody_is_asked(
    tmp_path: Path, changes: dict[str, Any], fields: list[str]
) -> None:
    async with counter(tmp_path) as at:
        answer = await at.ask("POST", QUOTES, QUOTE | changes)
        assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, fields)
        assert await at.calls() == []


# -- who may ask, and who answers --------------------------------------------------------------------------------------

REQUESTS: list[tuple[str, str, Any, dict[str, str]]] = [
    ("GET", SERVICES, None, {"country_code": "PL"}),
    ("GET", POINTS, None, {"country_code": "PL"}),
    ("GET", f"{POINTS}/KRA010", None, {"service_id": "243"}),
    ("POST", QUOTES, QUOTE, {}),
]


@pytest.mark.parametrize(("method", "path", "asked", "query"), REQUESTS)
async def test_whoever_may_read_may_ask(
    tmp_path: Path, method: str, path: str, asked: Any, query: dict[str, str]
) -> None:
    async with counter(tmp_path) as at:
        for token, status in {"reader": 200, "ours": 200, "writer": 403, "nobody": 401}.items():
            assert (await at.ask(method, path, asked, token=token, **query)).status_code == status


@pytest.mark.parametrize(("method", "path", "asked", "query"), REQUESTS)
async def test_another_provider_does_not_know_it(
    tmp_path: Path, method: str, path: str, asked: Any, query: dict[str, str]
) -> None:
    async with counter(tmp_path) as at:
        for provider in (TICKETS, CODES):
            named = query if asked is not None else query | {"provider": provider}
            body = None if asked is None else asked | {"provider": provider}
            answer = await at.ask(method, path, body, **named)
            assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-supported")
            assert provider in answer.json()["detail"]
        assert await at.calls() == []


@pytest.mark.parametrize(("method", "path", "asked", "query"), REQUESTS)
async def test_where_it_is_not_set_up_that_is_said(
    tmp_path: Path, method: str, path: str, asked: Any, query: dict[str, str]
) -> None:
    async with counter(tmp_path, only=TICKETS) as at:
        answer = await at.ask(method, path, asked, **query)
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-supported")
        assert "intelligentreturns" in answer.json()["detail"]


# -- where to drop off -------------------------------------------------------------------------------------------------


async def test_a_return_says_where_it_is_to_be_dropped_off(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        [point, *_] = (await at.ask("GET", POINTS, country_code="PL", service_id=243)).json()["items"]
        made = await at.returned(drop_off_point_id=point["drop_off_point_id"])
        shown = (await at.ask("GET", f"{RETURNS}/{made['return_id']}")).json()
        assert shown == shown | made | {"timeline": []}
        assert (made["drop_off"]["drop_off_point_id"], made["drop_off"]["service_id"]) == ("KRA010", 243)
        path, _, query = made["drop_off"]["url"].partition("?")
        read = await at.ask("GET", path, **dict([query.split("=")]))
        assert read.json()["address"] == point["address"]
        assert (await at.returned(key="r-2"))["drop_off"] is None
