"""Every call of shipping on demand: the request we build, the URL we call, and how it ends where it fails."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import httpx
import pytest
import structlog
from pytest_httpx import HTTPXMock

from bridge.errors import CarrierError, NoPermit
from bridge.limits.connection import Outcome, Purpose, Verdict
from bridge.model import BatchId, CommentId, DispatchOrderId
from bridge.purchasing.shipment import Choice
from bridge.shipments.label import LabelFormat, LabelKind, LabelWish
from tests.support.permits import FreePermits
from tests.unit.carriers.shipx.families import ShipxShipping

from .orders import COURIER, SMALL, WHOLE
from .stage import CARRIER, OFFER, OTHER, PAGE, SHIPMENT, TOKEN, refused, sample, shipping_on, unavailable

Call = Callable[[ShipxShipping], Awaitable[object]]
ORDER, COMMENT, BATCH = DispatchOrderId(71), CommentId(24), BatchId(35)
PDF = b"%PDF-1.4\n%made up\n%%EOF\n"
WISH = LabelWish(LabelFormat.pdf, LabelKind.a6)
ORGANIZATION = f"{CARRIER}/v1/organizations/4821"


@dataclass(frozen=True)
class Expected:
    """What a call looks like on the wire, what is answered where it succeeds, and what its permit is for."""

    call: Call
    purpose: Purpose
    method: str
    url: str
    body: object = None
    answer: object = None
    """JSON, or the bytes of a file."""
    status: int = 200
    is_write: bool = False
    is_public: bool = False

    def succeed(self, httpx_mock: HTTPXMock) -> None:
        if isinstance(self.answer, bytes):
            pdf = {"content-type": "application/pdf"}
            httpx_mock.add_response(status_code=self.status, content=self.answer, headers=pdf)
        elif self.answer is None:
            httpx_mock.add_response(status_code=self.status)
        else:
            httpx_mock.add_response(status_code=self.status, json=self.answer)


CALLS = {
    "create": Expected(
        lambda shipping: shipping.creator.create(WHOLE),
        Purpose.create,
        "POST",
        f"{ORGANIZATION}/shipments",
        sample("request_create_simplified"),
        sample("shipment_created_old_page"),
        201,
        is_write=True,
    ),
    "create_batch": Expected(
        lambda shipping: shipping.creator.create_batch([WHOLE, SMALL]),
        Purpose.create,
        "POST",
        f"{ORGANIZATION}/batches",
        {
            "shipments": [
                {"id": 1, **sample("request_create_simplified")},
                {"id": 2, "parcels": [{"template": "small"}]},
            ]
        },
        sample("batch_created"),
        201,
        is_write=True,
    ),
    "read_batch": Expected(
        lambda shipping: shipping.creator.read_batch(BATCH),
        Purpose.create,
        "GET",
        f"{CARRIER}/v1/batches/35",
        answer=sample("batch_done"),
    ),
    "select": Expected(
        lambda shipping: shipping.chooser.select(Choice(SHIPMENT, OFFER)),
        Purpose.select,
        "POST",
        f"{CARRIER}/v1/shipments/3900000018/select_offer",
        {"offer_id": 1700000003},
        sample("shipment_offers_prepared"),
        is_write=True,
    ),
    "cancel": Expected(
        lambda shipping: shipping.canceller.cancel(SHIPMENT),
        Purpose.cancel,
        "DELETE",
        f"{CARRIER}/v1/shipments/3900000018",
        status=204,
        is_write=True,
    ),
    "label": Expected(
        lambda shipping: shipping.labels.fetch(SHIPMENT, WISH),
        Purpose.label,
        "GET",
        f"{CARRIER}/v1/shipments/3900000018/label?format=Pdf&type=A6",
        answer=PDF,
    ),
    "labels": Expected(
        lambda shipping: shipping.labels.fetch_many([SHIPMENT, OTHER], WISH),
        Purpose.label,
        "GET",
        f"{ORGANIZATION}/shipments/labels?shipment_ids%5B%5D=3900000018&shipment_ids%5B%5D=3900000019&format=Pdf&type=A6",
        answer=PDF,
    ),
    "return_labels": Expected(
        lambda shipping: shipping.labels.fetch_returns([SHIPMENT], LabelFormat.pdf),
        Purpose.label,
        "GET",
        f"{ORGANIZATION}/shipments/return_labels?shipment_ids%5B%5D=3900000018&format=Pdf",
        answer=PDF,
    ),
    "dispatch_create": Expected(
        lambda shipping: shipping.dispatcher.create(COURIER),
        Purpose.dispatch,
        "POST",
        f"{ORGANIZATION}/dispatch_orders",
        sample("request_dispatch_order"),
        sample("dispatch_order"),
        201,
        is_write=True,
    ),
    "dispatch_calculate": Expected(
        lambda shipping: shipping.dispatcher.calculate([SHIPMENT, OTHER], 7),
        Purpose.dispatch,
        "POST",
        f"{ORGANIZATION}/dispatch_orders/calculate",
        {"shipments": [3900000018, 3900000019], "dispatch_point_id": 7},
        sample("dispatch_price"),
    ),
    "dispatch_read": Expected(
        lambda shipping: shipping.dispatcher.read(ORDER),
        Purpose.dispatch,
        "GET",
        f"{CARRIER}/v1/dispatch_orders/71",
        answer=sample("dispatch_order"),
    ),
    "dispatch_list": Expected(
        lambda shipping: shipping.dispatcher.list_orders(1, SHIPMENT),
        Purpose.dispatch,
        "GET",
        f"{ORGANIZATION}/dispatch_orders?shipment_id=3900000018&sort_by=id&sort_order=desc&per_page=100&page=1",
        answer=sample("dispatch_orders_list"),
    ),
    "dispatch_delete": Expected(
        lambda shipping: shipping.dispatcher.delete(ORDER),
        Purpose.dispatch,
        "DELETE",
        f"{CARRIER}/v1/dispatch_orders/71",
        status=204,
        is_write=True,
    ),
    "comment_add": Expected(
        lambda shipping: shipping.dispatcher.add_comment(ORDER, "rampa nr 3"),
        Purpose.dispatch,
        "POST",
        f"{ORGANIZATION}/dispatch_orders/71/comment",
        {"comment": "rampa nr 3"},
        sample("dispatch_comment"),
        201,
        is_write=True,
    ),
    "comment_update": Expected(
        lambda shipping: shipping.dispatcher.update_comment(ORDER, COMMENT, "rampa nr 3"),
        Purpose.dispatch,
        "PUT",
        f"{ORGANIZATION}/dispatch_orders/71/comment",
        {"id": 24, "comment": "rampa nr 3"},
        sample("dispatch_comment"),
        is_write=True,
    ),
    "printout": Expected(
        lambda shipping: shipping.dispatcher.printout(ORDER),
        Purpose.dispatch,
        "GET",
        f"{CARRIER}/v1/dispatch_orders/71/printout?format=Pdf",
        answer=PDF,
    ),
    "printouts": Expected(
        lambda shipping: shipping.dispatcher.printouts([SHIPMENT, OTHER]),
        Purpose.dispatch,
        "GET",
        f"{ORGANIZATION}/dispatch_orders/printouts"
        "?shipment_ids%5B%5D=3900000018&shipment_ids%5B%5D=3900000019&format=Pdf",
        answer=PDF,
    ),
    "tracking": Expected(
        lambda shipping: shipping.tracker.track("620000000000000000000019"),
        Purpose.tracking,
        "GET",
        f"{CARRIER}/v1/tracking/620000000000000000000019",
        answer=sample("tracking"),
        is_public=True,
    ),
    "statuses": Expected(
        lambda shipping: shipping.tracker.statuses(),
        Purpose.tracking,
        "GET",
        f"{CARRIER}/v1/statuses?lang=en_GB",
        answer=sample("statuses"),
        is_public=True,
    ),
}
WRITES = {name: one for name, one in CALLS.items() if one.is_write}
FILES = {name: one for name, one in CALLS.items() if isinstance(one.answer, bytes)}
READABLE = {name: one for name, one in CALLS.items() if isinstance(one.answer, dict) and name != "comment_update"}
every_call = pytest.mark.parametrize("expected", CALLS.values(), ids=CALLS)
every_write = pytest.mark.parametrize("expected", WRITES.values(), ids=WRITES)
_PLUMBING = {"host", "connection", "accept-encoding", "user-agent", "content-length"}


@every_call
async def test_a_request_is_what_was_typed_from_the_documents(
    expected: Expected, shipping: ShipxShipping, httpx_mock: HTTPXMock
) -> None:
    expected.succeed(httpx_mock)
    await expected.call(shipping)
    [request] = httpx_mock.get_requests()
    assert (request.method, str(request.url)) == (expected.method, expected.url)
    assert (json.loads(request.content) if request.content else None) == expected.body


@every_call
async def test_a_request_names_us_and_carries_the_token_only_where_it_is_asked_for(
    expected: Expected, shipping: ShipxShipping, httpx_mock: HTTPXMock
) -> None:
    expected.succeed(httpx_mock)
    await expected.call(shipping)
    [request] = httpx_mock.get_requests()
    ours = {name: value for name, value in request.headers.items() if name not in _PLUMBING}
    assert re.fullmatch(r"[0-9a-f-]{36}", ours.pop("x-request-id"))
    token = {} if expected.is_public else {"authorization": f"Bearer {TOKEN}"}
    body = {} if expected.body is None else {"content-type": "application/json"}
    accept = "*/*" if isinstance(expected.answer, bytes) else "application/json"
    assert ours == {
        **token,
        **body,
        "accept": accept,
        "accept-language": "keys",
        "x-user-agent": "shipx-bridge",
        "x-user-agent-version": "0.1.0",
    }


@every_call
async def test_a_call_has_one_permit_for_what_it_is(
    expected: Expected, http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    permits = FreePermits()
    expected.succeed(httpx_mock)
    await expected.call(shipping_on(http, permits))
    assert (permits.purposes, permits.outcomes) == ([expected.purpose], [Outcome(Verdict.answered)])


# -- no ----------------------------------------------------------------------------------------------------------------


@every_call
@pytest.mark.parametrize(
    ("name", "status"),
    [
        pytest.param("error_resource_not_found", 404, id="missing or not ours"),
        pytest.param("error_token_invalid", 401, id="a wrong token"),
        pytest.param("error_invalid_action", 400, id="a wrong status"),
        pytest.param("error_flat_details", 400, id="flat details"),
        pytest.param("error_nested_details", 400, id="nested details"),
        pytest.param("error_batch_details", 400, id="details of many"),
        pytest.param("error_null_details", 400, id="null details"),
        pytest.param("error_trucker", 400, id="no contract"),
        pytest.param("error_label_generation", 400, id="no label"),
        pytest.param("error_description", 400, id="a description instead of a message"),
        pytest.param("error_public_not_found", 404, id="a description, and nothing there"),
    ],
)
async def test_every_envelope_is_a_refusal_with_its_key(
    expected: Expected, name: str, status: int, shipping: ShipxShipping, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(status_code=status, json=sample(name))
    error = await refused(expected.call(shipping))
    assert (error.key, error.status) == (sample(name)["error"], status)
    assert len(httpx_mock.get_requests()) == 1


@every_call
async def test_a_refusal_says_which_fields_and_nothing_of_what_was_sent(
    expected: Expected, shipping: ShipxShipping, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(status_code=400, json=sample("error_deep_details"))
    error = await refused(expected.call(shipping))
    assert ("receiver.phone", "invalid_format") in [(one.field, one.code) for one in error.fields]
    told = f"{error} {error!r} {error.args} {error.fields}"
    assert not re.search("Anna|example.com|id_abc", told)


@every_call
@pytest.mark.parametrize(("status", "is_refused"), [(401, True), (403, True), (404, False)])
async def test_only_where_the_token_was_shown_can_it_be_refused(
    expected: Expected, status: int, is_refused: bool, http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    permits = FreePermits()
    httpx_mock.add_response(status_code=status, json=sample("error_token_invalid"))
    await refused(expected.call(shipping_on(http, permits)))
    is_token = is_refused and not expected.is_public
    assert permits.outcomes == [Outcome(Verdict.token_refused if is_token else Verdict.answered)]


# -- no answer ---------------------------------------------------------------------------------------------------------


@every_call
@pytest.mark.parametrize(
    ("status", "reason"),
    [(403, "unreadable_answer"), (404, "unreadable_answer"), (307, "not_now"), (429, "not_now"), (502, "not_now")],
)
@pytest.mark.parametrize("body", [PAGE, ""], ids=["a page", "nothing"])
async def test_a_page_from_the_edge_is_no_answer_and_nothing_is_sent_again(
    expected: Expected, status: int, reason: str, body: str, shipping: ShipxShipping, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(status_code=status, text=body, headers={"location": "https://elsewhere.test/"})
    error = await unavailable(expected.call(shipping))
    assert (error.reason, error.status, isinstance(error, NoPermit)) == (reason, status, False)
    assert len(httpx_mock.get_requests()) == 1


@every_call
@pytest.mark.parametrize(
    "failure", [httpx.WriteError("x"), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x")], ids=repr
)
async def test_a_lost_answer_leaves_it_in_doubt_and_nothing_is_sent_again(
    expected: Expected, failure: Exception, shipping: ShipxShipping, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_exception(failure)
    error = await unavailable(expected.call(shipping))
    assert (error.reason, error.status, isinstance(error, NoPermit)) == (type(failure).__name__, None, False)
    assert len(httpx_mock.get_requests()) == 1


@every_call
@pytest.mark.parametrize("failure", [httpx.ConnectError("x"), httpx.ConnectTimeout("x")], ids=repr)
async def test_a_call_that_changes_something_never_left_without_a_connection(
    expected: Expected, failure: Exception, shipping: ShipxShipping, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_exception(failure)
    error = await unavailable(expected.call(shipping))
    assert isinstance(error, NoPermit) is expected.is_write


@pytest.mark.parametrize("expected", CALLS.values(), ids=CALLS)
async def test_a_page_with_200_is_no_answer(expected: Expected, shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=200, html=PAGE)
    reason = (await unavailable(expected.call(shipping))).reason
    assert reason in ("unreadable_answer", "not_a_shipment", "not_a_label", "not_a_list")


@pytest.mark.parametrize("expected", READABLE.values(), ids=READABLE)
@pytest.mark.parametrize("body", ["", "null", "[]", "{}", '{"id": 0}', "{"])
async def test_a_success_that_cannot_be_read_is_no_answer(
    expected: Expected, body: str, shipping: ShipxShipping, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(status_code=expected.status, text=body)
    error = await unavailable(expected.call(shipping))
    assert (error.status, isinstance(error, NoPermit)) == (expected.status, False)


# -- nothing was sent --------------------------------------------------------------------------------------------------


@every_write
async def test_a_write_that_could_not_be_sent_says_so(
    expected: Expected, http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    permits = FreePermits(probes=[True])
    httpx_mock.add_response(status_code=503, headers={"retry-after": "7"})
    error = await unavailable(expected.call(shipping_on(http, permits)))
    assert isinstance(error, NoPermit)
    assert (error.reason, error.retry_after) == ("carrier_away", 7)
    assert [request.url.path for request in httpx_mock.get_requests()] == ["/v1/organizations"]
    assert permits.outcomes == [Outcome(Verdict.unusable, 7)]


@every_call
async def test_where_the_carrier_was_away_a_question_about_the_account_goes_first(
    expected: Expected, http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    permits = FreePermits(probes=[True])
    httpx_mock.add_response(url=f"{CARRIER}/v1/organizations", json={"items": []})
    expected.succeed(httpx_mock)
    await expected.call(shipping_on(http, permits))
    assert [str(request.url) for request in httpx_mock.get_requests()] == [f"{CARRIER}/v1/organizations", expected.url]
    assert permits.purposes == [expected.purpose] * 2


# -- what nobody is told -----------------------------------------------------------------------------------------------


@every_call
@pytest.mark.parametrize("status", [200, 400, 502])
async def test_neither_the_token_nor_anybody_is_in_a_log_or_an_error(
    expected: Expected, status: int, shipping: ShipxShipping, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(status_code=status, json=sample("error_deep_details") | {"message": TOKEN})
    shown = ""
    with structlog.testing.capture_logs() as logs, suppress(CarrierError):
        try:
            await expected.call(shipping)
        except CarrierError as error:
            shown = f"{error!r} {vars(error)} {error.__cause__}"
    assert not re.search("the-secret-part|Wiśniewska|600000000|Malborska|rampa", f"{logs} {shown} {shipping!r}")
    assert [entry["event"] for entry in logs] == ["carrier.called"]
