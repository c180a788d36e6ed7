"""What an answer that is no success means: a definite no, nothing there, in doubt, or an account that is refused."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest
import structlog
from prometheus_client import generate_latest
from pytest_httpx import HTTPXMock

from bridge.carriers.intelligentreturns import words
from bridge.carriers.intelligentreturns.client import IntelligentReturns
from bridge.carriers.intelligentreturns.formats import Name
from bridge.carriers.intelligentreturns.questions import (
    AddedStatus,
    Billed,
    Cancellation,
    OrderKey,
    PointKey,
    PointSearch,
    ReturnFilter,
    ReturnKey,
    Where,
)
from bridge.errors import CarrierRefused, CarrierUnavailable, FieldProblem, NoPermit
from bridge.limits.connection import Outcome, Verdict
from bridge.observability import Metrics
from bridge.returns.progress import Progress
from bridge.returns.refusals import ACCOUNT_WIDE, LOGIN_REFUSED, TEMPORARY
from tests.support.permits import FreePermits

from .stage import KEY, LOGIN, NOW, at, client_on, refusal, sample
from .test_client import BOOKING, CALLS, FORMATS, INQUIRY, ORDER, every

Call = Callable[[IntelligentReturns], Awaitable[object]]
CREATE: Call = lambda client: client.create(BOOKING)  # noqa: E731
TRACK: Call = lambda client: client.track("526u8we")  # noqa: E731
METHODS = [method for method in CALLS if method != "check/available"]
TOLD_OTHERWISE = {"tracking/add_status": {words.ALREADY_SAID}}


def nothing(method: str, code: str) -> bool:
    """Say whether the client gives nothing instead of an error."""
    return code in NOTHING.get(method, {}) or code in TOLD_OTHERWISE.get(method, ())


NOTHING: dict[str, dict[str, tuple[Call, object]]] = {
    "orders/get": {"order_nx": (lambda client: client.read_order(OrderKey(type="id", val="1")), None)},
    "returns/get": {"return_nx": (lambda client: client.read(ReturnKey(type="id", id="1")), None)},
    "returns/items": {"return_nx": (lambda client: every(client.search(ReturnFilter())), ())},
    "returns/request_for_prices": {"no_results_found": (lambda client: client.prices(INQUIRY), ())},
    "returns/billing": {"return_nx": (lambda client: client.bills(Billed(tracking="1")), ())},
    "tracking/get": {"empty": (TRACK, Progress("526u8we", ()))},
    "tracking/get_by_date_range": {"empty": (lambda client: every(client.events(at(1), at(2), "occurred")), ())},
    "tracking/get_by_date_added_range": {"empty": (lambda client: every(client.events(at(1), at(2))), ())},
    "services/get_available": {
        "service_not_found": (lambda client: client.services(Where(country="PL")), ()),
        "service_nx": (lambda client: client.services(Where(country="PL")), ()),
    },
    "services/get_drop_off_points": {
        "no_drop_off_points_found": (CALLS["services/get_drop_off_points"].call, ()),
        "service_not_found": (CALLS["services/get_drop_off_points"].call, ()),
    },
    "services/get_drop_off_by_id": {
        "point_not_found": (lambda client: client.point(PointKey(drop_off_point_id="1", service_id=1)), None)
    },
}
DOUBTFUL = words.OUTSIDE | {"internal"}
NOES = [
    (method, code)
    for method in METHODS
    for code in sorted(words.ERRORS[method] | words.GENERAL)
    if code not in DOUBTFUL and not nothing(method, code)
]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(("method", "code"), NOES)
async def test_every_documented_error_of_a_method_is_a_no_inside_a_200(
    method: str, code: str, form: Name, http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(content=refusal(code, form=form))
    permits = FreePermits()
    with pytest.raises(CarrierRefused) as refused:
        await CALLS[method].call(client_on(http, form, permits))
    assert (refused.value.key, refused.value.status) == (code, 200)
    is_login = code in LOGIN_REFUSED
    assert permits.outcomes == [Outcome(Verdict.token_refused if is_login else Verdict.answered)]


@pytest.mark.parametrize(
    ("call", "code", "answer"),
    [(call, code, answer) for one in NOTHING.values() for code, (call, answer) in one.items()],
)
async def test_that_there_is_nothing_is_an_error_of_theirs_and_none_of_ours(
    call: Call, code: str, answer: object, http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(content=refusal(code))
    assert await call(client_on(http)) == answer


@pytest.mark.parametrize("status", [400, 403, 404, 422, 500])
async def test_a_no_is_one_with_any_status(status: int, http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status, content=refusal("zip_incorrect"))
    with pytest.raises(CarrierRefused, match=r"zip_incorrect") as refused:
        await CREATE(client_on(http))
    assert refused.value.status == status


@pytest.mark.parametrize("status", [200, 500])
async def test_an_error_of_the_carrier_behind_leaves_everything_open(
    status: int, http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    """The provider works, so the permit is given back with that: no breaker opens for one carrier's fault."""
    httpx_mock.add_response(status, content=refusal("external_api_error", "the carrier said: boom"))
    permits = FreePermits()
    with pytest.raises(CarrierUnavailable) as doubt:
        await CREATE(client_on(http, permits=permits))
    assert not isinstance(doubt.value, NoPermit)
    assert doubt.value.reason == "external_api_error"
    assert permits.outcomes == [Outcome(Verdict.answered)]


@pytest.mark.parametrize("code", ["temporary_unavailable", "quick_search_temporary_unavailable"])
async def test_a_search_that_rests_may_be_asked_again(
    code: str, http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(content=refusal(code))
    with pytest.raises(CarrierUnavailable, match=code):
        await every(client_on(http).search(ReturnFilter(quick_search="x")))


@pytest.mark.parametrize("code", sorted(TEMPORARY))
async def test_a_write_that_is_refused_for_now_did_nothing(
    code: str, http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(content=refusal(code))
    method = "orders/create" if code == "cannot_create_order" else "returns/create"
    with pytest.raises(CarrierRefused, match=code):
        await CALLS[method].call(client_on(http))


NO_ANSWERS = [
    pytest.param(500, refusal("internal"), "internal", Verdict.unusable, id="their own fault"),
    pytest.param(200, refusal("internal"), "internal", Verdict.unusable, id="their own fault inside a yes"),
    pytest.param(200, b"", "not_json", Verdict.unusable, id="an empty body"),
    pytest.param(200, b"<html>maintenance</html>", "not_json", Verdict.unusable, id="a page of the edge"),
    pytest.param(502, b"<html>bad gateway</html>", "not_now", Verdict.unusable, id="the edge has nobody behind it"),
    pytest.param(302, b"", "not_now", Verdict.unusable, id="a redirect, which nobody follows"),
    pytest.param(404, b"<html>not found</html>", "not_json", Verdict.unusable, id="a page with a no"),
    pytest.param(429, refusal("internal"), "not_now", Verdict.limited, id="asked to slow down"),
    pytest.param(200, b"[]", "no_envelope", Verdict.unusable, id="a list"),
    pytest.param(200, b"{}", "no_envelope", Verdict.unusable, id="an object without anything"),
    pytest.param(200, b'{"success":{"tracking":"1"},"error":{}}', "no_envelope", Verdict.unusable, id="both"),
    pytest.param(200, b'{"succes":{"tracking":"1"}}', "contradiction", Verdict.unusable, id="another word"),
    pytest.param(400, b'{"success":{"tracking":"1"}}', "contradiction", Verdict.unusable, id="a yes with a no"),
    pytest.param(200, b'{"success":{}}', "unreadable_answer", Verdict.unusable, id="a yes with nothing in it"),
    pytest.param(200, b'{"success":[]}', "unreadable_answer", Verdict.unusable, id="a yes with a list"),
    pytest.param(200, b'{"success":{"label":"","tracking":""}}', "unreadable_answer", Verdict.unusable, id="no number"),
    pytest.param(200, b'{"error":{}}', "unreadable_answer", Verdict.unusable, id="an error without a code"),
    pytest.param(200, b'{"error":"no"}', "unreadable_answer", Verdict.unusable, id="an error that is a text"),
    pytest.param(200, b'{"success":{"tracking":"\xff"}}', "not_json", Verdict.unusable, id="not UTF-8"),
    pytest.param(200, b'{"success":' + b"[" * 5000, "not_json", Verdict.unusable, id="too deep"),
    pytest.param(200, b'{"success":[' + b"{}," * 1_000_000, "too_many_values", Verdict.unusable, id="too many values"),
]


@pytest.mark.parametrize(("status", "body", "reason", "verdict"), NO_ANSWERS)
async def test_after_what_is_no_answer_nobody_knows_whether_a_return_was_made(
    status: int, body: bytes, reason: str, verdict: Verdict, http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(status, content=body)
    permits = FreePermits()
    with pytest.raises(CarrierUnavailable) as doubt:
        await CREATE(client_on(http, permits=permits))
    assert not isinstance(doubt.value, NoPermit)
    assert (doubt.value.reason, [one.verdict for one in permits.outcomes]) == (reason, [verdict])
    assert len(httpx_mock.get_requests()) == 1, "a write is sent once"


async def test_after_a_lost_connection_nobody_knows_either(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_exception(httpx.ReadTimeout("slow"))
    with pytest.raises(CarrierUnavailable, match="ReadTimeout"):
        await CREATE(client_on(http))


async def test_an_unknown_error_is_a_no_whose_word_is_not_kept(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(content=refusal("Ewa Testowa <ewa@example.com>"))
    with pytest.raises(CarrierRefused) as refused:
        await CREATE(client_on(http))
    assert refused.value.key == "other"


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_an_unknown_error_with_a_no_is_a_no(status: int, http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status, content=refusal("maintenance"))
    with pytest.raises(CarrierRefused) as refused:
        await CREATE(client_on(http))
    assert (refused.value.key, refused.value.status) == ("other", status)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("status", [500, 502, 503, 599])
async def test_an_unknown_error_of_a_server_in_trouble_leaves_everything_open(
    status: int, form: Name, http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    """It may have booked before; the word is none of a page in front of it, so the provider is there."""
    httpx_mock.add_response(status, content=refusal("gateway_timeout", form=form))
    permits = FreePermits()
    with pytest.raises(CarrierUnavailable) as doubt:
        await CREATE(client_on(http, form, permits))
    assert not isinstance(doubt.value, NoPermit)
    assert (doubt.value.reason, doubt.value.status) == ("other", status)
    assert permits.outcomes == [Outcome(Verdict.answered)]


# -- an account that is refused ----------------------------------------------------------------------------------------


async def test_a_status_of_403_alone_says_nothing_about_the_login(
    http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(403, content=refusal("account_setup_required"))
    client = client_on(http)
    with pytest.raises(CarrierRefused, match="account_setup_required"):
        await CREATE(client)
    assert {"account_setup_required", "access_denied", "ip_blocked"} <= ACCOUNT_WIDE


async def test_where_the_provider_was_away_the_clock_is_asked_first(
    http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(content=sample("check_available_answer", "json"))
    httpx_mock.add_response(content=sample("returns_create_answer", "json"))
    await CREATE(client_on(http, permits=FreePermits(probes=[True])))
    assert [request.url.path for request in httpx_mock.get_requests()] == [
        "/api/check/available/json",
        "/api/returns/create/json",
    ]


async def test_where_it_still_is_nothing_was_sent(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(502)
    with pytest.raises(NoPermit, match="carrier_away"):
        await CREATE(client_on(http, permits=FreePermits(probes=[True])))


# -- which fields ------------------------------------------------------------------------------------------------------

FIELDS = [
    ("returns/create", "zip_incorrect", "text", ["sender.address.post_code"]),
    ("returns/create", "enter_valid_email", "text", ["sender.email"]),
    ("returns/create", "collection_time_error", "text", ["collection.time_from"]),
    ("returns/create", "drop_off_point_not_found", "text", ["drop_off_point_id"]),
    ("returns/create", "label_format_is_not_available", "text", ["provider_options.label_format"]),
    ("returns/create", "return_invalid", "Field order_reference can not be empty.", ["reference"]),
    ("returns/create", "item_invalid", "Check fields: quantity,price", ["items", "provider_options.quantity"]),
    ("returns/create", "return_invalid", "Ewa Testowa lives in city Gdynia, zip 81-300", []),
    ("orders/create", "order_exists", "text", ["reference"]),
    (
        "orders/create",
        "order_incorrect",
        "Check fields: contact_name, currency_code",
        ["customer.first_name", "currency"],
    ),
    ("returns/request_for_prices", "currency_code_invalid", "text", ["items.0.price.currency"]),
]


@pytest.mark.parametrize(("method", "code", "message", "fields"), FIELDS)
async def test_a_no_names_fields_of_the_contract_and_nothing_that_was_sent(
    method: str, code: str, message: str, fields: list[str], http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(content=refusal(code, message))
    with pytest.raises(CarrierRefused) as refused:
        await CALLS[method].call(client_on(http))
    assert [one.field for one in refused.value.fields][: len(fields)] == fields
    assert "Ewa" not in repr(refused.value.fields)


# -- what else may go wrong --------------------------------------------------------------------------------------------


async def test_that_the_refund_is_known_already_is_as_good(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(content=refusal("status_already_present"))
    await client_on(http).add_status(AddedStatus(tracking="1", date=NOW))


async def test_another_return_than_the_one_asked_for_is_none(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    """A reference of digits alone may be another return's id."""
    httpx_mock.add_response(content=sample("returns_get_answer", "json"))
    with pytest.raises(CarrierUnavailable, match="another_return"):
        await client_on(http).read(ReturnKey(id="1000", type="order_reference"))


async def test_a_list_with_numbers_for_names_is_one(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    scans = b'{"1":{"dt":"1794810000","status":10},"2":{"dt":"1794900000","status":"20"}}'
    httpx_mock.add_response(content=b'{"success":{"track":' + scans + b"}}")
    found = await client_on(http).track("526u8we")
    assert [one.status for one in found.scans] == ["10", "20"]


async def test_a_scan_without_a_word_or_a_time_spoils_no_other(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    scans = b'[{"dt":"","status":"10"},{"dt":"1794900000","status":"no word"},{"dt":"1794900000","status":"20"}]'
    httpx_mock.add_response(content=b'{"success":{"track":' + scans + b"}}")
    found = await client_on(http).track("526u8we")
    assert ([one.status for one in found.scans], found.unread) == (["20"], 2)


async def test_a_return_whose_label_is_none_was_made_all_the_same(
    http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(content=b'{"success":{"label":"PGh0bWw+","tracking":"526u8we"}}')
    made = await client_on(http).create(BOOKING)
    assert (made.tracking_number, made.label) == ("526u8we", None)


WRONG: list[tuple[Call, list[FieldProblem]]] = [
    (lambda client: client.read_order(OrderKey(type="id", val="\x01")), [FieldProblem("val", "invalid_format")]),
    (lambda client: client.track(""), [FieldProblem("code", "too_short")]),
    (lambda client: client.cancel(Cancellation()), [FieldProblem("external_id", "missing")]),
    (lambda client: client.bills(Billed()), [FieldProblem("order_reference", "missing")]),
    (lambda client: client.services(Where()), [FieldProblem("country_code", "missing")]),
    (lambda client: client.points(PointSearch()), [FieldProblem("country_code", "missing")]),
    (
        lambda client: every(client.events(NOW, NOW + timedelta(hours=1), at_once=20_001)),
        [FieldProblem("count_per_page", "too_big")],
    ),
]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(("call", "fields"), WRONG)
async def test_what_is_wrong_in_itself_is_refused_before_it_is_sent(
    call: Call, fields: list[FieldProblem], form: Name, http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    with pytest.raises(CarrierRefused, match="unsendable") as refused:
        await call(client_on(http, form))
    assert (list(refused.value.fields), httpx_mock.get_requests()) == (fields, [])


async def test_neither_credentials_nor_people_reach_logs_errors_or_metrics(
    http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(content=refusal("return_invalid", f"{LOGIN} {KEY} Ewa Testowa"))
    metrics = Metrics()
    with structlog.testing.capture_logs() as logs, pytest.raises(CarrierRefused) as refused:
        await CREATE(client_on(http, metrics=metrics))
    told = (
        json.dumps(logs) + repr(refused.value) + str(refused.value.fields) + generate_latest(metrics.registry).decode()
    )
    assert "carrier.called" in told
    for secret in (LOGIN, KEY, "Ewa", "sender@example.com", ORDER.phone or ""):
        assert secret not in told
