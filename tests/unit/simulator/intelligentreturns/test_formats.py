"""Every method in both formats, against requests and answers typed from the page."""

from __future__ import annotations

import json
import re

import pytest

from bridge.simulator import load_scenario

from ..stage import Stage, as_object
from .conftest import Opened
from .platform import ITEM, ORDER, PREFIX, RETURN, Platform, lacking, paths_of, read, sample

POINT = {"id": "P", "title": "Shop", "zip": "1", "city": "C", "addr1": "A 1", "lat": 41.4, "lng": 2.1}
SERVICE = {"carrier": "Carrier", "name": "Service"}
TERMS = {
    "services": [
        {**SERVICE, "id": 20062, "type": "home_collection", "countries": ["AU", "PL"]},
        {**SERVICE, "id": 20063, "countries": ["ES", "DE", "PL"]},
        {**SERVICE, "id": 20030, "countries": ["GB", "ES"]},
    ],
    "points": [
        {**POINT, "service_id": 20063, "country": "ES"},
        {**POINT, "service_id": 20030, "country": "GB", "id": "Leavesden"},
    ],
}
METHODS = [
    "orders/create",
    "orders/get",
    "orders/delete",
    "orders/add_items",
    "returns/create",
    "returns/get",
    "returns/items",
    "returns/request_for_prices",
    "returns/cancel",
    "returns/billing",
    "tracking/get",
    "tracking/get_by_date_range",
    "tracking/get_by_date_added_range",
    "tracking/add_status",
    "services/get_available",
    "services/get_drop_off_points",
    "services/get_drop_off_by_id",
]
OPTIONAL = re.compile(r"custom_fields|neighborhood|final_dest|suburbs|detail_hours|/states/|transactions|minimum")
"""What is there only where it is set, or where other data have it."""


async def prepare(platform: Platform, method: str) -> dict[str, str]:
    """Let there be what the method's sample is about, and say what is called otherwise here."""
    names = {}
    if method in ("orders/get", "orders/delete", "orders/add_items"):
        order = {**ORDER, "order_reference": "A-1001", "item": [{**ITEM, "sku_code": "SKU-0"}]}
        names["3103"] = str((await platform.done("orders/create", "order", **order))["order_id"])
    if method.startswith("tracking") or method in ("returns/get", "returns/items", "returns/cancel", "returns/billing"):
        sent = {"order_reference": "A-1001", "external_id": "RMA7F3K21", "service_id": 20063, "drop_off_point_id": "P"}
        item = {**ITEM, "reason": [{"action": "Refund", "reason": "Too small"}]}
        names["526u8we"] = await platform.booked(**{**RETURN, **sent, "item": [item]})
    return names


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("method", METHODS)
async def test_a_sample_is_understood_and_answered_in_kind(opened: Opened, method: str, form: str) -> None:
    platform = await opened(**TERMS)
    await platform.stage.advance(1794900100 - platform.stage.clock.now().timestamp())
    names = await prepare(platform, method)
    request = sample(f"{method.replace('/', '_')}_request", form)
    if method == "returns/items":  # every filter at once, which nothing meets
        assert "return_nx" in (await platform.post(method, request, form)).text
        request = '{"filter": {"quick_search": "Ewa shirt"}}' if form == "json" else "<filter/>"
    for theirs, ours in names.items():
        request = request.replace(theirs, ours)
    answer = await platform.post(method, request, form)
    assert "error" not in answer.text, answer.text
    name = f"{method.replace('/', '_')}_answer"
    if form == "json":
        missing = list(lacking(json.loads(sample(name, form)), as_object(answer)))
    else:
        theirs = re.sub(r"&(?![a-z]+;)|<(?![/?a-zA-Z])", "", sample(name, form))
        missing = sorted(paths_of(read(theirs)) - paths_of(read(answer.text)))
    assert [one for one in missing if not OPTIONAL.search(one)] == []


@pytest.mark.parametrize("form", ["json", "xml"])
async def test_the_time_can_be_had_without_a_login(platform: Platform, form: str) -> None:
    answer = await platform.stage.client.post(f"{PREFIX}/check/available/{form}")
    now = str(int(platform.stage.clock.now().timestamp()))
    assert now in answer.text


async def test_the_message_of_an_error_is_a_list_in_json_and_a_text_in_xml(platform: Platform) -> None:
    answer = await platform.post("orders/get", "<order><type>id</type><val>7</val></order>", "xml")
    assert (answer.status_code, read(answer.text).tag) == (200, "error")
    assert {one.tag: one.text for one in read(answer.text)} == {"code": "order_nx", "message": "Order not found"}
    told = await platform.call("orders/get", "order", type="id", val="7")
    assert told == {"error": {"code": "order_nx", "message": ["Order not found"]}}


@pytest.mark.parametrize(
    ("method", "request_text", "form", "fields", "code"),
    [
        ("orders/get", "{}", "json", {"login": ""}, "login_empty"),
        ("orders/get", "{}", "json", {"api_key": ""}, "api_key_empty"),
        ("orders/get", "", "json", {}, "request_empty"),
        ("orders/get", "{}", "json", {"login": "nobody"}, "access_denied"),
        ("orders/get", "{}", "json", {"api_key": "wrong"}, "access_denied"),
        ("orders/get", "{", "json", {}, "json_invalid"),
        ("orders/get", "[]", "json", {}, "request_wrong"),
        ("orders/get", "{}", "json", {}, "request_wrong"),
        ("orders/get", "<order>", "xml", {}, "xml_invalid"),
        ("orders/get", "<a>" * 9999 + "</a>" * 9999, "xml", {}, "xml_invalid"),
        ("orders/get", "[" * 99_999, "json", {}, "json_invalid"),
        ("orders/get", r'{"order": {"type": ["id"], "val": "\ud800"}}', "json", {}, "request_wrong"),
        ("returns/get", r'{"return": {"type": ["id"], "id": "\ud800"}}', "json", {}, "incorrect_type"),
        ("returns/items", '{"filter": {"date_to": "12/31/9999"}}', "json", {}, "request_wrong"),
        ("orders/get", "<!DOCTYPE a [<!ENTITY b 'c'>]><order/>", "xml", {}, "xml_invalid"),
        ("orders/change", "{}", "json", {}, "unknown_call"),
        ("orders/get", "{}", "yaml", {}, "unknown_call"),
    ],
)
async def test_a_call_that_is_none_is_refused(
    platform: Platform, method: str, request_text: str, form: str, fields: dict[str, str], code: str
) -> None:
    assert f"{code}" in (await platform.post(method, request_text, form, **fields)).text


async def test_json_is_the_format_where_none_is_named(platform: Platform) -> None:
    answer = await platform.stage.client.post(f"{PREFIX}/check/available")
    assert "success" in as_object(answer)


async def test_many_wrong_logins_block_everybody(opened: Opened) -> None:
    platform = await opened(wrong_logins=2)
    codes = [(await platform.post("orders/get", "{}", api_key="x")).json()["error"]["code"] for _ in range(3)]
    assert codes == ["access_denied", "access_denied", "ip_blocked"]
    assert await platform.code("orders/get", "order", type="id", val="1") == "ip_blocked"
    await platform.stage.client.delete("/_control/intelligentreturns/block")
    assert await platform.code("orders/get", "order", type="id", val="1") == "order_nx"


async def test_errors_may_have_a_status(opened: Opened) -> None:
    platform = await opened(error_status=400)
    assert (await platform.post("orders/get", "{}")).status_code == 400


async def test_ampersands_may_stand_bare(opened: Opened) -> None:
    for xml_text, ampersand in (("escaped", "&amp;"), ("bare", "& ")):
        platform = await opened(xml_text=xml_text)
        await platform.done("orders/create", "order", **ORDER, contact_name="A & B")
        answer = await platform.post("orders/get", "<order><type>reference</type><val>A-1</val></order>", "xml")
        assert f"A {ampersand}" in answer.text


@pytest.mark.parametrize(("done", "booked"), [(False, 0), (True, 1)])
async def test_a_refusal_can_be_ordered_and_may_leave_a_booking_behind(
    platform: Platform, done: bool, booked: int
) -> None:
    await platform.refuse("returns/create", "external_api_error", message="timeout", done=done)
    told = await platform.call("returns/create", "return", **RETURN)
    assert told == {"error": {"code": "external_api_error", "message": ["timeout"]}}
    assert len(await platform.ids()) == booked
    await platform.booked()


@pytest.mark.parametrize(("kind", "booked"), [("failed", 0), ("crashed", 1)])
async def test_faults_strike_by_path(platform: Platform, kind: str, booked: int) -> None:
    path = f"{PREFIX}/returns/create/*"
    await platform.stage.client.post("/_control/faults", json={"kind": kind, "path": path})
    answer = await platform.post("returns/create", json.dumps({"return": RETURN}))
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert len(await platform.ids()) == booked


async def test_a_failure_comes_in_the_format_of_the_call(platform: Platform) -> None:
    await platform.stage.client.post("/_control/faults", json={"kind": "failed", "path": f"{PREFIX}/*"})
    answer = await platform.post("orders/get", "<order/>", "xml")
    assert (answer.status_code, read(answer.text).findtext("code")) == (500, "internal")


async def test_the_packaged_scenario_has_an_account() -> None:
    async with Stage(load_scenario()) as stage:
        fields = {"login": "demo-platform", "api_key": "demo-platform-key"}
        answer = await Platform(stage).post("services/get_available", '{"request": {"country": "PL"}}', **fields)
        assert [one["service_id"] for one in answer.json()["success"]["services"]] == ["243", "190", "20179", "203"]
