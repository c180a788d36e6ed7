"""ShipX's REST API as we call it: for every call the request we build, the URL we call, and the answer we read."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import httpx
import pytest
import structlog
from pytest_httpx import HTTPXMock

from bridge.carriers.http import make_http
from bridge.carriers.shipx.client import ShipxClient
from bridge.errors import CarrierError
from bridge.events.catalogue import Money, Offer
from bridge.limits.connection import Outcome, Purpose, Verdict
from bridge.observability import Metrics
from bridge.purchasing.shipment import Choice, Shipment
from tests.support.permits import FreePermits

from .stage import (
    CARRIER,
    DATE,
    LIST_BY_ID,
    MANY,
    OFFER,
    OTHER,
    OURS,
    PAGE,
    SHIPMENT,
    THEIRS,
    TOKEN,
    UNTOLD,
    buy,
    client_on,
    page,
    refused,
    sample,
    unavailable,
)

Call = Callable[[ShipxClient], Awaitable[object]]
READ: Call = lambda client: client.read(SHIPMENT)  # noqa: E731
READ_MANY: Call = lambda client: client.read_many([SHIPMENT, OTHER], Purpose.confirm)  # noqa: E731
BUY: Call = lambda client: buy(client)  # noqa: E731
BULK_BUY: Call = lambda client: buy(client, *MANY)  # noqa: E731
EDIT: Call = lambda client: client.regenerate(SHIPMENT)  # noqa: E731
LIST: Call = lambda client: client.organizations()  # noqa: E731


@dataclass(frozen=True)
class Expected:
    """What a call looks like on the wire."""

    call: Call
    method: str
    url: str
    body: object
    answer: object


CALLS = {
    "read": Expected(READ, "GET", f"{CARRIER}/v1/shipments/3900000018", None, sample("shipment_confirmed")),
    "buy": Expected(
        BUY,
        "POST",
        f"{CARRIER}/v1/shipments/3900000018/buy",
        {"offer_id": 1700000003},
        sample("shipment_offers_prepared"),
    ),
    "bulk_buy": Expected(
        BULK_BUY,
        "POST",
        f"{CARRIER}/v1/organizations/4821/shipments/bulk_buy",
        {
            "shipments": [
                {"id": 3900000018, "shipment_id": 3900000018, "offer_id": 1700000003},
                {"id": 3900000019, "shipment_id": 3900000019, "offer_id": 1700000004},
            ]
        },
        {},
    ),
    "read_many": Expected(READ_MANY, "GET", f"{LIST_BY_ID}3900000018,3900000019&per_page=100", None, page([])),
    "edit": Expected(
        EDIT, "PUT", f"{CARRIER}/v1/shipments/3900000018", {}, sample("shipment_offers_prepared") | {"offers": []}
    ),
    "organizations": Expected(
        LIST, "GET", f"{CARRIER}/v1/organizations", None, {"count": 1, "items": [{"id": 4821, "name": "Sklep"}]}
    ),
}
FIRM = {name: one for name, one in CALLS.items() if name not in ("read_many", "edit")}
"""Those that are not tried in another way where they were not valid."""
every_firm_call = pytest.mark.parametrize("expected", FIRM.values(), ids=FIRM)
every_call = pytest.mark.parametrize("expected", CALLS.values(), ids=CALLS)


# -- the request we build ----------------------------------------------------------------------------------------------


@every_call
async def test_a_request_names_us_and_carries_the_token_and_nothing_else(
    expected: Expected, client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(json=expected.answer)
    await expected.call(client)
    [request] = httpx_mock.get_requests()
    ours = {name: value for name, value in request.headers.items() if name not in _PLUMBING}
    assert re.fullmatch(r"[0-9a-f-]{36}", ours.pop("x-request-id"))
    assert ours == {
        "authorization": f"Bearer {TOKEN}",
        "accept": "application/json",
        "accept-language": "keys",
        "x-user-agent": "shipx-bridge",
        "x-user-agent-version": "0.1.0",
    }
    assert (json.loads(request.content) if request.content else None) == expected.body


_PLUMBING = {"host", "connection", "accept-encoding", "user-agent", "content-length", "content-type"}


async def test_every_request_has_its_own_id(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=sample("shipment_confirmed"), is_reusable=True)
    await READ(client)
    await READ(client)
    assert len({request.headers["x-request-id"] for request in httpx_mock.get_requests()}) == 2


# -- the URL we call ---------------------------------------------------------------------------------------------------


@every_call
async def test_a_call_goes_to_its_own_url_once(expected: Expected, client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=expected.answer)
    await expected.call(client)
    assert [(one.method, str(one.url)) for one in httpx_mock.get_requests()] == [(expected.method, expected.url)]


async def test_a_base_url_may_end_in_a_slash_and_have_a_path(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={"items": []})
    await client_on(http, "https://gateway.test/shipx/").organizations()
    assert [str(one.url) for one in httpx_mock.get_requests()] == ["https://gateway.test/shipx/v1/organizations"]


@every_call
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed_and_nobody_else_is_shown_the_token(
    expected: Expected, status: int, client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(status_code=status, headers={"location": "https://elsewhere.test/v1"})
    error = await unavailable(expected.call(client))
    assert (error.reason, error.status) == ("not_now", status)
    assert [request.url.host for request in httpx_mock.get_requests()] == ["carrier.test"]


async def test_links_in_an_answer_are_never_followed(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=sample("shipment_confirmed") | {"href": "https://elsewhere.test/v1/shipments/1"})
    await client.read(SHIPMENT)
    assert len(httpx_mock.get_requests()) == 1


def test_the_environment_cannot_put_a_proxy_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://elsewhere.test:3128")
    http = make_http(timeout_s=1, at_once=1)
    assert (http.trust_env, http.follow_redirects) == (False, False)


# -- the answer we read ------------------------------------------------------------------------------------------------


async def test_a_shipment_is_read_by_the_carriers_clock(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=sample("shipment_confirmed"), headers=DATE)
    bought = Offer(
        offer_id=1700000003,
        status="bought",
        service_id="inpost_courier_standard",
        carrier_id="inpost_courier",
        rate=Money(amount=Decimal("13.50"), currency="PLN"),
        expires_at=None,
        additional_services=(),
        unavailability_reasons=(),
    )
    found = await client.read(SHIPMENT)
    assert isinstance(found, Shipment)
    assert (found.id, found.status, found.at, found.selected) == (SHIPMENT, "confirmed", THEIRS, bought)


@pytest.mark.parametrize(
    ("date", "at"),
    [
        pytest.param("Wed, 18 Mar 2026 11:32:00 GMT", THEIRS, id="as every answer has it"),
        pytest.param("Wed, 18 Mar 2026 12:32:00 +0100", THEIRS, id="in another zone"),
        pytest.param("Wed, 18 Mar 2026 11:32:00 -0000", THEIRS, id="UTC of an unknown zone, never the machine's"),
        pytest.param("yesterday", UNTOLD, id="no date at all: nearly ours"),
        pytest.param("", UNTOLD, id="empty: nearly ours"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 -0500", UNTOLD, id="past the end of the calendar: nearly ours"),
        pytest.param(None, UNTOLD, id="missing: nearly ours"),
    ],
)
async def test_the_date_header_is_the_carriers_clock(
    date: str | None, at: datetime, client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(json=sample("shipment_confirmed"), headers={} if date is None else {"date": date})
    assert (await client.read(SHIPMENT)).at == at


async def test_an_answer_about_another_shipment_is_none(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=sample("shipment_confirmed") | {"id": 3900000019})
    assert (await unavailable(client.read(SHIPMENT))).reason == "another_shipment"


@pytest.mark.parametrize("answer", [{"status": "whatever"}, {}])
async def test_a_buy_is_accepted_whatever_its_answer_says(
    answer: object, client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    """Only a read shows what became of it."""
    httpx_mock.add_response(json=answer)
    await buy(client)


@pytest.mark.parametrize("page", ["<html>Please wait</html>", "[]", "{"])
async def test_a_page_is_no_answer_to_a_buy(page: str, client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(200, text=page)
    assert (await unavailable(buy(client))).reason == "unreadable_answer"


async def test_a_page_of_organizations_without_ours_says_nothing_of_the_others(
    client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(json={"count": 30, "items": [{"id": 1}]})
    assert str(await unavailable(client.organizations())) == "partial_list"
    httpx_mock.add_response(json={"count": 30, "items": [{"id": 4821}]})
    assert await client.organizations() == [4821]


async def test_organizations_are_listed_by_number(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={"items": [{"id": 4821, "name": "Sklep"}, {"id": "4822"}]})
    assert await client.organizations() == [4821, 4822]


# -- no ----------------------------------------------------------------------------------------------------------------


@every_firm_call
@pytest.mark.parametrize(
    ("name", "key", "status"),
    [
        pytest.param("error_resource_not_found", "resource_not_found", 404, id="missing or not ours"),
        pytest.param("error_token_invalid", "token_invalid", 401, id="a wrong token"),
        pytest.param("error_invalid_action", "invalid_action", 400, id="a wrong status, with details"),
        pytest.param("error_flat_details", "validation_failed", 400, id="flat details"),
        pytest.param("error_nested_details", "validation_failed", 400, id="nested details"),
        pytest.param("error_null_details", "carrier_unavailable", 400, id="null details"),
        pytest.param("error_description", "invalid_parameter", 400, id="a description instead of a message"),
    ],
)
async def test_every_envelope_is_a_refusal_with_its_key(
    expected: Expected, name: str, key: str, status: int, client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(status_code=status, json=sample(name))
    error = await refused(expected.call(client))
    assert (error.key, error.status) == (key, status)


async def test_the_status_of_the_answer_counts_and_not_the_one_inside(
    client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(status_code=403, json=sample("error_resource_not_found"))
    error = await refused(client.read(SHIPMENT))
    assert (error.key, error.status) == ("resource_not_found", 403)


async def test_a_refusal_says_nothing_of_what_was_sent(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    body = sample("error_flat_details") | {"message": "Anna Kowalska", "details": {"id_abc_does_not_exist": ["x"]}}
    httpx_mock.add_response(status_code=400, json=body)
    error = await refused(buy(client))
    assert str(error) == "validation_failed (400)"


async def test_a_refusal_without_a_key_is_another_refusal(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=422, json={"status": 422, "error": None})
    assert (await refused(client.read(SHIPMENT))).key == "other"


# -- no answer ---------------------------------------------------------------------------------------------------------


@every_call
@pytest.mark.parametrize(
    ("status", "reason"),
    [
        *[(status, "unreadable_answer") for status in (403, 404)],
        *[(status, "not_now") for status in (429, 500, 502, 503, 504, 520)],
    ],
)
@pytest.mark.parametrize("body", [PAGE, "", "null", "[]", '{"error": 5}', '{"error": "Not a key"}', "{"])
async def test_a_page_from_the_edge_is_no_answer(
    expected: Expected, status: int, reason: str, body: str, client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(status_code=status, text=body)
    error = await unavailable(expected.call(client))
    assert (error.reason, error.status, error.retry_after) == (reason, status, None)


@pytest.mark.parametrize("body", [PAGE, "", "null", "[]", "{}", '{"id": 0, "status": "created"}', "{", "\ud800"])
@pytest.mark.parametrize(("call", "reason"), [(READ, "not_a_shipment"), (LIST, "unreadable_answer")])
async def test_a_success_that_cannot_be_read_is_no_answer(
    call: Call, reason: str, body: str, client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(content=body.encode("utf-8", "surrogatepass"))
    error = await unavailable(call(client))
    assert (error.reason, error.status) == (reason, 200)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param("7", 7.0, id="seconds"),
        pytest.param("0", 0.0, id="at once"),
        pytest.param("120", 120.0, id="two minutes"),
        pytest.param("99999", 120.0, id="a day, and we come again after two minutes"),
        pytest.param("Wed, 18 Mar 2026 11:32:00 GMT", None, id="a date: our own delays do"),
        pytest.param("-5", None, id="the past"),
        pytest.param("1e9", None, id="not plain"),
        pytest.param("99999999", None, id="years"),
        pytest.param("²", None, id="a digit that is none"),
    ],
)
async def test_the_carrier_may_say_when_to_come_again(
    status: int, header: str, seconds: float | None, client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(status_code=status, headers=[(b"retry-after", header.encode())])
    assert (await unavailable(client.read(SHIPMENT))).retry_after == seconds


@every_call
@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.WriteTimeout("slow"),
        httpx.PoolTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("cut off"),
        httpx.DecodingError("not gzip"),
        httpx.UnsupportedProtocol("carrier://"),
        TimeoutError(),
    ],
    ids=lambda failure: type(failure).__name__,
)
async def test_a_failed_call_is_no_answer_and_is_made_once(
    expected: Expected, failure: Exception, client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_exception(failure)
    error = await unavailable(expected.call(client))
    assert (error.reason, error.status) == (type(failure).__name__, None)
    assert len(httpx_mock.get_requests()) == 1


@every_call
async def test_an_answer_that_is_packed_wrongly_is_none(
    expected: Expected, client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(stream=_Pieces([b"this is not gzip"]), headers={"content-encoding": "gzip"})
    assert (await unavailable(expected.call(client))).reason == "DecodingError"


class _Pieces(httpx.AsyncByteStream):
    """An answer in pieces, that knows how many were taken."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            self.taken += 1
            yield piece


class Connected:
    """A carrier that notes every byte it is sent, and a clock that was somewhere else meanwhile."""

    def __init__(self, *, stood_still_s: float) -> None:
        self.received = bytearray()
        self.left = asyncio.Event()
        self._times = iter([OURS])
        self._later = OURS + timedelta(seconds=stood_still_s)

    def clock(self) -> datetime:
        return next(self._times, self._later)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(4096):
            self.received += piece
            if b"\r\n\r\n" in self.received:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()
        await writer.wait_closed()
        self.left.set()


async def test_nothing_is_sent_when_the_permit_ran_out_while_we_connected() -> None:
    carrier = Connected(stood_still_s=0)
    server = await asyncio.start_server(carrier.answer, "127.0.0.1", 0)
    permits = FreePermits(has_run_out=True)
    async with server, httpx.AsyncClient(timeout=10, trust_env=False) as http:
        port = server.sockets[0].getsockname()[1]
        client = client_on(http, f"http://127.0.0.1:{port}", permits=permits)
        assert (await unavailable(buy(client))).reason == "stood_still"
        await carrier.left.wait()
    assert (bytes(carrier.received), permits.outcomes) == (b"", [Outcome(Verdict.unknown)])


@pytest.mark.parametrize(("stood_still_s", "leaves"), [(9.9, True), (10, False), (600, False)])
async def test_a_process_that_stood_still_while_it_connected_sends_nothing(stood_still_s: float, leaves: bool) -> None:
    carrier = Connected(stood_still_s=stood_still_s)
    server = await asyncio.start_server(carrier.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        async with httpx.AsyncClient(timeout=10, trust_env=False) as http:
            client = client_on(http, f"http://127.0.0.1:{port}", clock=carrier.clock)
            if leaves:
                await buy(client)
            else:
                assert (await unavailable(buy(client))).reason == "stood_still"
        await carrier.left.wait()
    assert bool(carrier.received) == leaves


@pytest.mark.parametrize(
    ("status", "answer", "verdict"),
    [
        pytest.param(200, sample("shipment_confirmed"), Verdict.answered, id="a shipment"),
        pytest.param(404, sample("error_resource_not_found"), Verdict.answered, id="a refusal of this one shipment"),
        pytest.param(400, sample("error_invalid_action"), Verdict.answered, id="another refusal"),
        pytest.param(401, sample("error_token_invalid"), Verdict.token_refused, id="a wrong token"),
        pytest.param(403, sample("error_token_invalid"), Verdict.token_refused, id="a token of somebody else"),
        pytest.param(429, {}, Verdict.limited, id="too many calls"),
        pytest.param(503, {}, Verdict.unusable, id="not now"),
        pytest.param(404, {"error": 5}, Verdict.unusable, id="a page"),
        pytest.param(200, {}, Verdict.unusable, id="no shipment"),
        pytest.param(200, sample("shipment_confirmed") | {"id": 5}, Verdict.unusable, id="another shipment"),
        pytest.param(None, None, Verdict.unusable, id="nothing"),
    ],
)
async def test_a_permit_is_given_back_with_what_the_call_showed_of_the_carrier(
    status: int | None, answer: object, verdict: Verdict, http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    permits = FreePermits()
    if status is None:
        httpx_mock.add_exception(httpx.ConnectError("refused"))
    else:
        httpx_mock.add_response(status_code=status, json=answer, headers=DATE)
    with suppress(CarrierError):
        await client_on(http, permits=permits).read(SHIPMENT)
    assert (permits.purposes, permits.outcomes) == ([Purpose.read], [Outcome(verdict)])


@pytest.mark.parametrize(("status", "verdict"), [(429, Verdict.limited), (503, Verdict.unusable)])
async def test_a_permit_is_given_back_with_when_to_come_again(
    status: int, verdict: Verdict, http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    permits = FreePermits()
    httpx_mock.add_response(status_code=status, headers={"retry-after": "7"})
    await unavailable(buy(client_on(http, permits=permits)))
    assert (permits.purposes, permits.outcomes) == ([Purpose.buy], [Outcome(verdict, 7)])


async def test_a_turn_that_was_not_used_is_given_back_as_such(http: httpx.AsyncClient) -> None:
    permits = FreePermits()
    async with client_on(http, permits=permits).turn_to_buy():
        pass
    assert permits.outcomes == [Outcome(Verdict.unused)]


async def test_a_turn_is_good_for_one_call(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={})
    async with client_on(http).turn_to_buy() as turn:
        await turn.buy([Choice(SHIPMENT, OFFER)])
        with pytest.raises(AssertionError, match="one turn, one call"):
            await turn.buy([Choice(SHIPMENT, OFFER)])


async def test_a_call_that_is_cut_short_says_nothing_of_the_carrier() -> None:
    permits, carrier = FreePermits(), Hanging()
    calling = asyncio.create_task(carrier.read(permits))
    await carrier.is_asked.wait()
    calling.cancel()
    await asyncio.wait([calling])
    assert (calling.cancelled(), permits.outcomes) == (True, [Outcome(Verdict.unknown)])


class Hanging(httpx.AsyncBaseTransport):
    """A carrier that never answers."""

    def __init__(self) -> None:
        self.is_asked = asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.is_asked.set()
        await asyncio.get_running_loop().create_future()
        raise AssertionError("nobody sets it")

    async def read(self, permits: FreePermits) -> None:
        async with httpx.AsyncClient(transport=self, timeout=10) as http:
            await client_on(http, permits=permits).read(SHIPMENT)


async def test_a_probe_asks_about_the_account_before_anybody_asks_about_a_shipment(
    http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    permits = FreePermits(probes=[True])
    httpx_mock.add_response(url=f"{CARRIER}/v1/organizations", json={"items": []})
    httpx_mock.add_response(json=sample("shipment_confirmed"), headers=DATE)
    await client_on(http, permits=permits).read(SHIPMENT)
    assert [request.url.path for request in httpx_mock.get_requests()] == [
        "/v1/organizations",
        "/v1/shipments/3900000018",
    ]
    assert permits.outcomes == [Outcome(Verdict.answered)] * 2


async def test_a_probe_that_fails_is_all_that_is_asked(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    permits = FreePermits(probes=[True])
    httpx_mock.add_response(status_code=502)
    await unavailable(client_on(http, permits=permits).read(SHIPMENT))
    assert [request.url.path for request in httpx_mock.get_requests()] == ["/v1/organizations"]
    assert permits.outcomes == [Outcome(Verdict.unusable)]


async def test_a_probe_that_is_refused_shows_that_the_carrier_is_there(
    http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    permits = FreePermits(probes=[True])
    httpx_mock.add_response(status_code=401, json=sample("error_token_invalid"), is_reusable=True)
    await refused(client_on(http, permits=permits).read(SHIPMENT))
    assert permits.outcomes == [Outcome(Verdict.token_refused)] * 2


async def test_a_key_that_nobody_documented_is_kept_and_logged_as_other(
    client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(status_code=400, json={"status": 400, "error": "anna_kowalska", "details": None})
    assert (await refused(client.read(SHIPMENT))).key == "other"


@every_call
@pytest.mark.parametrize("status", [200, 400, 503])
async def test_a_huge_answer_is_not_read_to_its_end(
    expected: Expected, status: int, client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    pieces = _Pieces([b" " * 1024 * 1024] * 100)
    httpx_mock.add_response(status_code=status, stream=pieces)
    error = await unavailable(expected.call(client))
    assert (error.reason, error.status, pieces.taken) == ("too_long", status, 6)


async def test_an_answer_that_unpacks_to_something_huge_is_not_read_to_its_end(
    client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    packed = gzip.compress(b" " * 64 * 1024 * 1024)
    pieces = _Pieces([packed[start : start + 1024] for start in range(0, len(packed), 1024)])
    httpx_mock.add_response(stream=pieces, headers={"content-encoding": "gzip"})
    assert (await unavailable(client.read(SHIPMENT))).reason == "too_long"
    assert pieces.taken < 10


# -- what nobody is told -----------------------------------------------------------------------------------------------


@every_call
@pytest.mark.parametrize("fails", [False, True])
async def test_the_token_is_in_no_log_and_no_error_and_no_repr(
    expected: Expected, fails: bool, client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    if fails:
        httpx_mock.add_exception(httpx.LocalProtocolError(f"Illegal header value b'Bearer {TOKEN}'"))
    else:
        httpx_mock.add_response(status_code=401, json=sample("error_token_invalid") | {"message": TOKEN})
    with structlog.testing.capture_logs() as logs, pytest.raises(CarrierError) as caught:
        await expected.call(client)
    shown = f"{logs} {caught.getrepr(chain=True)} {client!r} {vars(client)} {caught.value!r}"
    assert "the-secret-part" not in shown
    assert [entry["event"] for entry in logs] == ["carrier.called"]


@pytest.mark.parametrize(
    ("status", "outcome"), [(200, "2xx"), (307, "3xx"), (404, "4xx"), (429, "4xx"), (503, "5xx"), (None, "lost")]
)
async def test_every_call_is_measured(
    status: int | None, outcome: str, http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    metrics = Metrics()
    if status is None:
        httpx_mock.add_exception(httpx.ReadTimeout("slow"))
    else:
        httpx_mock.add_response(status_code=status, json=sample("shipment_confirmed"))
    with suppress(CarrierError):
        await client_on(http, metrics=metrics).read(SHIPMENT)
    labels = {"carrier": "shipx", "operation": "read_shipment", "outcome": outcome}
    assert metrics.registry.get_sample_value("bridge_carrier_request_seconds_count", labels) == 1
