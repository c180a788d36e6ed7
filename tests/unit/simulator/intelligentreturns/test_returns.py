"""Returns: booked, found, cancelled, priced and billed; each refusal has its code."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from .conftest import Opened
from .platform import ITEM, ORDER, RETURN, Platform

SYDNEY = {"country": "AU", "state": "NSW", "zip": "2000", "suburb": "Sydney", "service_id": 20062, "item": [ITEM]}
COURIER = {"service_id": 203}
WHEN = {"date": "2026/03/19", "time_from": "09:00", "time_to": "17:00"}


async def test_a_booking_gives_label_number_and_hub(platform: Platform) -> None:
    booked = await platform.done("returns/create", "return", **RETURN)
    assert base64.b64decode(booked["label"])[:5] == b"%PDF-"
    assert booked["secondary_barcode"] == f"sec_{booked['tracking']}"
    assert booked["cancel_available_until"] == int(platform.stage.clock.now().timestamp()) + 604_800
    assert await platform.deeds() == {"return_booked": 1}


async def test_a_label_may_come_late(opened: Opened) -> None:
    platform = await opened(label_lag=60)
    booked = await platform.done("returns/create", "return", **RETURN, external_id="R9")
    assert (booked["label"], booked["tracking"]) == ("", "526u111495")
    await platform.stage.advance(60)
    found = await platform.done("returns/get", "return", id="R9", type="external_id")
    assert base64.b64decode(found["label"])[:5] == b"%PDF-"


async def test_what_was_booked_elsewhere_is_only_registered(platform: Platform) -> None:
    booked = await platform.done("returns/create", "return", **RETURN, tracking="T-9")
    assert (booked["tracking"], booked["label"]) == ("T-9", "")
    assert await platform.code("returns/cancel", "return", tracking="T-9") == "can_not_cancel_return"
    assert await platform.deeds() == {"return_registered": 1}


@pytest.mark.parametrize(("label_format", "magic"), [("", b"%PDF-"), ("pdf_a4", b"%PDF-"), ("png", b"\x89PNG")])
async def test_some_carriers_have_several_label_formats(platform: Platform, label_format: str, magic: bytes) -> None:
    mail = {**RETURN, "country": "GB", "service_id": 5, "label_format": label_format, "item": [ITEM]}
    booked = await platform.done("returns/create", "return", **mail)
    assert base64.b64decode(booked["label"]).startswith(magic)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"order_reference": ""}, "order_reference_error"),
        ({"email": "ewa"}, "enter_valid_email"),
        ({"phone": "call me"}, "enter_valid_phone"),
        ({"currency_code": "zł"}, "currency_code_invalid"),
        ({"service_id": ""}, "service_id_empty"),
        ({"service_id": "", "carrier": "Nobody"}, "carrier_nx"),
        ({"service_id": 9999}, "service_nx"),
        ({"service_id": 5}, "account_setup_required"),
        ({"label_format": "pdf_a4"}, "label_format_is_not_available"),
        ({"label_format": "gif"}, "incorrect_label_format"),
        ({"name": ""}, "return_invalid"),
        ({"city": ""}, "return_invalid"),
        ({"display_id": "x" * 33}, "return_invalid"),
        ({"external_id": "R-1"}, "return_invalid"),
        ({"booking_type": 3}, "return_invalid"),
        ({"zip": "00838"}, "zip_incorrect"),
        ({**SYDNEY, "state": "New South Wales"}, "state_incorrect"),
        ({**SYDNEY, "suburb": ""}, "return_invalid"),
        ({**SYDNEY, "item": []}, "item_empty"),
        ({**SYDNEY, "service_id": 20063, "drop_off_point_id": "KRA010"}, "drop_off_point_not_found"),
        ({"item": [{**ITEM, "price": ""}]}, "item_invalid"),
        ({"collection_date": WHEN}, "home_collection_is_unavailable"),
        ({**COURIER, "collection_date": {**WHEN, "date": "19.03.2026"}}, "collection_date_format"),
        ({**COURIER, "collection_date": {**WHEN, "time_from": "9"}}, "collection_date_time_from_format"),
        ({**COURIER, "collection_date": {**WHEN, "time_to": ""}}, "collection_date_time_to_format"),
        ({**COURIER, "collection_date": {**WHEN, "time_to": "08:00"}}, "collection_time_error"),
        ({**COURIER, "collection_date": {**WHEN, "date": "2026/03/17"}}, "collection_date_error"),
        ({**COURIER, "collection_address": {"zip": "00-838", "city": "Warszawa"}}, "return_invalid"),
    ],
)
async def test_what_is_not_valid_has_its_code(platform: Platform, changes: dict[str, Any], code: str) -> None:
    assert await platform.code("returns/create", "return", **{**RETURN, **changes}) == code
    assert await platform.deeds() == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"service_id": "", "carrier": "inpost poland"},
        {**SYDNEY, "service_id": 20063, "drop_off_point_id": "PP-0042"},
        {**COURIER, "collection_date": WHEN, "collection_address": {"zip": "00-838", "city": "W", "addr1": "A 1"}},
        {"country": "HK", "service_id": 1, "zip": "", "item": [ITEM]},
        {"booking_type": "2", "verification_entity": "true", "sort_code": "AB12"},
    ],
)
async def test_what_is_valid_is_booked(opened: Opened, changes: dict[str, Any]) -> None:
    hong_kong = {"id": 1, "carrier": "C", "name": "N", "countries": ["HK"]}
    platform = await opened()
    services = [one.model_dump() for one in platform.stage.simulator.world.scenario.intelligentreturns.services]
    platform = await opened(services=[*services, hong_kong])
    await platform.booked(**{**RETURN, **changes})


async def test_an_account_without_services_books_nothing(opened: Opened) -> None:
    platform = await opened({"services": []})
    for method in ("returns/create", "returns/request_for_prices"):
        code = await platform.code(method, "return", **RETURN, item=[ITEM])
        assert code == "no_shipping_services_available"


async def test_what_was_sold_limits_what_comes_back(platform: Platform) -> None:
    stays = {**ITEM, "sku_code": "SKU-3", "non_returnable": "1", "non_returnable_message": "not hygienic"}
    never = {**ITEM, "sku_code": "SKU-4", "days_for_return": 0}
    soon = {**ITEM, "sku_code": "SKU-5", "non_returnable": "1", "days_for_return": 3}
    await platform.done("orders/create", "order", **{**ORDER, "item": [ITEM, stays, never, soon]})
    for item, code in (
        ({**ITEM, "quantity": 3}, "return_items_different_from_order"),
        ({**ITEM, "sku_code": "SKU-9"}, "return_items_different_from_order"),
        (stays, "item_can_not_be_returned"),
        (never, "item_can_not_be_returned"),
    ):
        assert await platform.code("returns/create", "return", **RETURN, item=[item]) == code
    await platform.booked(item=[soon])
    await platform.booked(item=[{**ITEM, "sku_code": "SKU-9"}], add_items_data_to_order="1")


async def test_an_external_id_finds_its_return_and_is_unique(opened: Opened) -> None:
    platform = await opened()
    number = await platform.booked(external_id="R1")
    assert await platform.code("returns/create", "return", **RETURN, external_id="R1") == "return_invalid"
    found = await platform.done("returns/get", "return", id="R1", type="external_id")
    assert (found["tracking"], found["current_tracking_status"]) == (number, "10")
    lenient = await opened(same_external_id="accept")
    assert await lenient.booked(external_id="R1") != await lenient.booked(external_id="R1")


async def test_without_a_type_the_earliest_that_is_called_so_is_found(platform: Platform) -> None:
    await platform.booked()
    first, second = (await platform.ids())[0], await platform.booked(order_reference="111495")
    assert (await platform.done("returns/get", "return", id="111495"))["id"] == str(first)
    by_order = await platform.done("returns/get", "return", id="111495", type="order_reference")
    assert by_order["tracking"] == second
    for values, code in (({}, "id_empty"), ({"id": "1", "type": "rma"}, "incorrect_type"), ({"id": "1"}, "return_nx")):
        assert await platform.code("returns/get", "return", **values) == code


async def test_a_search_is_paged_by_the_last_id_and_ends_with_an_error(opened: Opened) -> None:
    platform = await opened(most_items=2)
    for _ in range(3):
        await platform.booked()
    ids = await platform.ids()
    page = await platform.done("returns/items", "filter")
    assert (page["total"], [int(one["id"]) for one in page["return"]]) == ("3", [ids[2], ids[1]])
    assert "label" not in page["return"][0]
    page = await platform.done("returns/items", "filter", id_last=ids[1])
    assert [int(one["id"]) for one in page["return"]] == [ids[0]]
    assert await platform.code("returns/items", "filter", id_last=ids[0]) == "return_nx"


async def test_a_search_has_the_filters_of_the_page(platform: Platform) -> None:
    await platform.booked(external_id="R1")
    await platform.booked(order_reference="B-2", service_id=190)
    await platform.move("60", place=1)
    first, second = (str(one) for one in await platform.ids())
    for values, expected in (
        ({"order_reference": "B-2"}, [second]),
        ({"quick_search": "ewa r1"}, [first]),
        ({"current_tracking_status": 60}, [second]),
        ({"status": 1}, [second]),
        ({"carrier": "inpost poland"}, [first]),
        ({"service_id": "190"}, [second]),
        ({"country": "PL", "date_from": "2026/03/18", "date_to": "03/18/2026"}, [second, first]),
    ):
        found = await platform.done("returns/items", "filter", **values)
        assert [one["id"] for one in found["return"]] == expected
    for values in ({"date_to": "2026/03/17"}, {"country": "DE"}, {"virtual_tracking_status": 300}):
        assert await platform.code("returns/items", "filter", **values) == "return_nx"
    assert await platform.code("returns/items", "filter", date_from="today") == "request_wrong"


async def test_a_cancel_is_asked_for_and_comes_true_later(platform: Platform) -> None:
    number = await platform.booked(external_id="R1")
    assert await platform.code("returns/cancel", "return", external_id="R1", tracking="x") == "return_nx"
    result = (await platform.done("returns/cancel", "return", external_id="R1"))["result"]
    assert (result["tracking"], result["status"]) == (number, "Return cancel requested")
    assert await platform.code("returns/cancel", "return", external_id="R1") == "can_not_cancel_return"
    await platform.stage.advance(1)
    track = (await platform.done("tracking/get", "tracking", code=number))["track"]
    assert [one["status"] for one in track] == ["10", "300", "310"]
    assert await platform.deeds() == {"return_booked": 1, "return_cancel_requested": 1}


async def test_a_cancel_may_come_to_nothing(opened: Opened) -> None:
    platform = await opened(cancels="ignored")
    number = await platform.booked()
    await platform.done("returns/cancel", "return", tracking=number)
    await platform.stage.advance(60)
    track = (await platform.done("tracking/get", "tracking", code=number))["track"]
    assert [one["status"] for one in track] == ["10", "300"]


async def test_a_cancel_has_its_time(opened: Opened) -> None:
    platform = await opened(cancel_until=60)
    assert await platform.code("returns/cancel", "return") == "external_id_or_tracking_required"
    sent, late = await platform.booked(), await platform.booked()
    await platform.move("20")
    assert await platform.code("returns/cancel", "return", tracking=sent) == "can_not_cancel_return"
    await platform.stage.advance(61)
    assert await platform.code("returns/cancel", "return", tracking=late) == "cancellation_time_expired"


async def test_prices_are_those_of_the_services_that_cover_the_address(platform: Platform) -> None:
    found = await platform.done("returns/request_for_prices", "return", **RETURN, item=[ITEM], currency_code="PLN")
    assert [one["service_id"] for one in found["result"]] == [243, 190, 20179, 203]
    assert (found["result"][0]["first_mile_price"], found["result"][0]["collection_dates"]) == ("3.10 PLN", False)
    assert [one["date"] for one in found["result"][3]["collection_dates"]] == ["2026/03/19", "2026/03/20"]
    sydney = await platform.done("returns/request_for_prices", "return", lat="-33.9", lng=151.2, item=[ITEM])
    assert [one["service_id"] for one in sydney["result"]] == [20062, 20063]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"item": [ITEM]}, "address_or_coordinates_required"),
        ({"item": [ITEM], "lat": 0, "lng": 0}, "cannot_find_address_by_coordinates"),
        ({"item": [ITEM], "country": "PL"}, "return_invalid"),
        ({**RETURN, "currency_code": "z", "item": [ITEM]}, "currency_code_invalid"),
        (RETURN, "items_empty"),
        ({**RETURN, "item": [{}]}, "item_invalid"),
        ({**RETURN, "country": "FR", "item": [ITEM]}, "no_results_found"),
    ],
)
async def test_there_are_no_prices_without_address_and_items(
    platform: Platform, values: dict[str, Any], code: str
) -> None:
    assert await platform.code("returns/request_for_prices", "return", **values) == code


async def test_a_bill_comes_with_the_first_scan(platform: Platform) -> None:
    await platform.done("orders/create", "order", **ORDER, free_return="1")
    await platform.booked()
    before = (await platform.done("returns/billing", "return", order_reference="A-1"))["returns"][0]
    assert before["contractual_amount"] == {"transactions": [], "total": {"EUR": "0.00", "GBP": "0.00"}}
    await platform.move("20")
    after = (await platform.done("returns/billing", "return", order_reference="A-1"))["returns"][0]
    assert after["approximate_invoice_amount"] == {"EUR": "3.10", "GBP": "2.64"}
    assert await platform.code("returns/billing", "return") == "parameter_required"
    assert await platform.code("returns/billing", "return", tracking="x") == "return_nx"
