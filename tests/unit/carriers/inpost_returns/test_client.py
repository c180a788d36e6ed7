"""InPost Returns as we call it: what goes over the wire, under which permits, and what no answer makes of a call."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
import structlog

from bridge.carriers.inpost_returns.words import TicketStatus
from bridge.errors import NoPermit
from bridge.limits.connection import Outcome, Purpose, Verdict
from bridge.ports.returns import TicketDesk
from bridge.returns.listed import TicketQuery
from bridge.returns.ticket import ReturnLabel
from tests.support.permits import FreePermits

from .stage import (
    ANSWERED,
    HOST,
    LEAST,
    NOW,
    PDF,
    REFUSED,
    SECRET,
    TICKET,
    TICKETS,
    TOKEN_URL,
    UNUSABLE,
    WHOLE,
    Stage,
    Staged,
    failed,
    refused,
    sample,
    unavailable,
)

Call = Callable[[TicketDesk], Awaitable[object]]
QUERY = TicketQuery(NOW - timedelta(days=1), NOW, "ACCEPTED", size=100)
CREATE: Call = lambda client: client.create(WHOLE)  # noqa: E731
LIST: Call = lambda client: client.tickets(QUERY)  # noqa: E731
LABEL: Call = lambda client: client.label(TICKET)  # noqa: E731
every_call = pytest.mark.parametrize("call", [CREATE, LIST, LABEL], ids=["create", "list", "label"])
every_read = pytest.mark.parametrize("call", [LIST, LABEL], ids=["list", "label"])

LIST_URL = f"{TICKETS}?dateFrom=2026-11-25T12:00:00&dateTo=2026-11-26T12:00:00&status=ACCEPTED&page=0&size=100"
PLUMBING = {"host", "connection", "accept-encoding", "content-length"}


# -- the request we build, the URL we call -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "method", "url", "headers"),
    [
        (CREATE, "POST", TICKETS, {"accept": "application/json"}),
        (LIST, "GET", LIST_URL, {"accept": "application/json", "accept-time-zone": "UTC"}),
        (LABEL, "GET", f"{TICKETS}/{TICKET}/label", {"accept": "application/pdf, application/json;q=0.5"}),
    ],
    ids=["create", "list", "label"],
)
async def test_a_call_goes_to_its_own_url_once_with_the_token_and_nothing_else(
    call: Call, method: str, url: str, headers: dict[str, str], stage: Stage
) -> None:
    stage.tokens("first")
    stage.mock.add_response(status_code=404)
    await refused(call(stage.client))
    [request] = stage.asked()
    ours = {name: value for name, value in request.headers.items() if name not in PLUMBING}
    assert re.fullmatch(r"[0-9a-f-]{36}", ours.pop("x-request-id"))
    assert ours == {
        "authorization": "Bearer first",
        "user-agent": "shipx-bridge/0.1.0",
        "content-type": "application/json",
        **headers,
    }
    assert (request.method, str(request.url)) == (method, url)
    assert (json.loads(request.content) if request.content else None) == (
        sample("request_create") if call is CREATE else None
    )


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://sandbox-api.inpost.test/", "https://sandbox-api.inpost.test/v1/returns/tickets"),
        ("https://gateway.test/inpost", "https://gateway.test/inpost/v1/returns/tickets"),
    ],
)
async def test_production_and_sandbox_differ_by_their_addresses_alone(base_url: str, url: str, staged: Staged) -> None:
    stage = staged(base_url=base_url)
    stage.tokens("first")
    stage.mock.add_response(json=sample("ticket"))
    await stage.client.create(LEAST)
    assert [str(one.url) for one in stage.mock.get_requests()] == [TOKEN_URL, url]


async def test_nobody_but_the_gateway_is_shown_the_token(stage: Stage) -> None:
    stage.tokens("first")
    stage.mock.add_response(json=sample("ticket"))
    stage.mock.add_response(content=PDF, headers={"content-type": "application/pdf"})
    ticket = await stage.client.create(LEAST)
    assert await stage.client.label(TICKET, ticket.label_url) == ReturnLabel(PDF, "pdf")
    assert [one.url.host for one in stage.mock.get_requests()] == ["login.inpost.test"] + ["api.inpost.test"] * 2


@every_call
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(call: Call, status: int, stage: Stage) -> None:
    stage.tokens("first")
    stage.mock.add_response(status_code=status, headers={"location": "https://elsewhere.test/"})
    error = await unavailable(call(stage.client))
    assert (error.reason, error.status, len(stage.asked())) == ("not_now", status, 1)


# -- the answer we read ------------------------------------------------------------------------------------------------


async def test_what_was_made_is_what_they_say_that_it_is(stage: Stage) -> None:
    stage.tokens("first")
    stage.mock.add_response(json=sample("ticket"))
    found = await stage.client.create(WHOLE)
    assert (found.provider_reference, found.expires_at) != (None, WHOLE.expires_at)


@every_call
@pytest.mark.parametrize(
    ("status", "content", "reason"),
    [
        pytest.param(500, b"{}", "not_now", id="their error"),
        pytest.param(502, b"<html>", "not_now", id="the edge's"),
        pytest.param(200, b"<html>", "unreadable_answer", id="a page"),
        pytest.param(200, b'{"id": "5f', "unreadable_answer", id="cut in the middle"),
        pytest.param(200, b"", "unreadable_answer", id="nothing"),
    ],
)
async def test_an_answer_that_says_nothing_leaves_it_open_and_nothing_is_sent_again(
    call: Call, status: int, content: bytes, reason: str, stage: Stage
) -> None:
    stage.tokens("first")
    stage.mock.add_response(status_code=status, content=content, headers={"content-type": "application/json"})
    error = await unavailable(call(stage.client))
    assert not isinstance(error, NoPermit)
    assert error.reason == ("not_a_label" if call is LABEL and status == 200 else reason)
    assert (len(stage.asked()), stage.permits.outcomes) == (1, [ANSWERED, UNUSABLE])


@every_call
async def test_a_lost_answer_leaves_it_open_and_nothing_is_sent_again(call: Call, stage: Stage) -> None:
    stage.tokens("first")
    stage.mock.add_exception(httpx.ReadTimeout("Bearer first"))
    error = await unavailable(call(stage.client))
    assert (str(error), error.__cause__, len(stage.asked())) == ("ReadTimeout", None, 1)


@every_call
async def test_a_limit_is_obeyed_as_they_name_it(call: Call, stage: Stage) -> None:
    stage.tokens("first")
    stage.mock.add_response(status_code=429, headers={"retry-after": "7"})
    assert (await unavailable(call(stage.client))).retry_after == 7
    assert stage.permits.outcomes[-1] == Outcome(Verdict.limited, 7)


@every_call
async def test_who_may_not_is_told_at_once_and_the_connection_shows_it_but_not_of_a_label(
    call: Call, stage: Stage
) -> None:
    """An account may be one without labels, and nothing else of it is wrong."""
    stage.tokens("first")
    stage.mock.add_response(status_code=403)
    assert str(await refused(call(stage.client))) == "forbidden (403)"
    assert stage.permits.outcomes == [ANSWERED, ANSWERED if call is LABEL else REFUSED]


async def test_a_huge_label_is_not_read_to_its_end(stage: Stage) -> None:
    stage.tokens("first")
    stage.mock.add_response(content=PDF + b" " * 6 * 1024 * 1024, headers={"content-type": "application/pdf"})
    assert await failed(stage.client.label(TICKET)) == "too_long (200)"


async def test_times_are_written_as_the_sample_has_them_where_the_other_way_is_refused(stage: Stage) -> None:
    stage.tokens("first")
    stage.mock.add_response(url=LIST_URL, status_code=400)
    zulu = LIST_URL.replace(":00&", ":00.000Z&")
    stage.mock.add_response(url=zulu, json=sample("tickets"), is_reusable=True)
    await stage.client.tickets(QUERY)
    await stage.client.tickets(QUERY)
    assert [str(one.url) for one in stage.asked()] == [LIST_URL, zulu, zulu]


async def test_a_list_that_is_refused_both_ways_is_refused(stage: Stage) -> None:
    stage.tokens("first")
    stage.mock.add_response(status_code=400, is_reusable=True)
    assert str(await refused(stage.client.tickets(QUERY))) == "validation_failed (400)"
    assert len(stage.asked()) == 2


async def test_one_ticket_is_found_by_its_status_around_when_it_was_made(stage: Stage) -> None:
    stage.tokens("first")
    empty = sample("tickets") | {"returns": []}
    full = sample("tickets") | {"returns": [sample("tickets")["returns"][0] | {"id": "other"}] * 100}
    for answer in (empty, full, sample("tickets") | {"page": 1}):
        stage.mock.add_response(json=answer)
    found = await stage.client.find(TICKET, NOW, ("NEW", "USED", "DELIVERED"))
    assert found is not None
    assert found.id == TICKET
    asked = [dict(one.url.params) for one in stage.asked()]
    assert [(one["status"], one["page"]) for one in asked] == [("NEW", "0"), ("USED", "0"), ("USED", "1")]
    assert {(one["dateFrom"], one["dateTo"]) for one in asked} == {("2026-11-26T11:55:00", "2026-11-26T12:05:00")}


async def test_a_ticket_that_has_none_of_the_statuses_is_not_found(stage: Stage) -> None:
    stage.tokens("first")
    stage.mock.add_response(json=sample("tickets") | {"returns": []}, is_reusable=True)
    assert await stage.client.find(TICKET, NOW, tuple(TicketStatus)) is None
    assert [one.url.params["status"] for one in stage.asked()] == [
        *("NEW", "ACCEPTED", "SCANNED", "USED", "CANCELED", "REJECTED", "EXPIRED", "DELIVERED")
    ]


# -- tokens ------------------------------------------------------------------------------------------------------------


@every_read
async def test_a_read_whose_token_is_refused_is_made_once_more_with_another(call: Call, stage: Stage) -> None:
    stage.tokens("first", "second")
    stage.mock.add_response(status_code=401)
    stage.mock.add_response(status_code=404)
    assert str(await refused(call(stage.client))) == "not_found (404)"
    assert (stage.used(), stage.fetched()) == (["first", "second"], 2)


@every_read
async def test_a_read_that_is_refused_twice_is_refused(call: Call, stage: Stage) -> None:
    stage.tokens("first", "second")
    stage.mock.add_response(status_code=401, is_reusable=True)
    assert str(await refused(call(stage.client))) == "unauthorized (401)"
    assert (stage.used(), stage.permits.outcomes[-1]) == (["first", "second"], ANSWERED if call is LABEL else REFUSED)


async def test_a_create_whose_token_ended_was_not_taken_in_and_the_next_one_has_another(stage: Stage) -> None:
    stage.tokens("first", "second")
    for status, body in ((200, sample("tickets")), (401, {}), (200, sample("ticket"))):
        stage.mock.add_response(status_code=status, json=body)
    await stage.client.tickets(QUERY)
    error = await unavailable(stage.client.create(LEAST))
    assert (type(error), error.reason) == (NoPermit, "token_renewed")
    assert (await stage.client.create(LEAST)).code == "1234"
    assert stage.used() == ["first", "first", "second"]


async def test_a_create_with_a_token_that_was_never_taken_is_refused_and_not_tried_for_ever(stage: Stage) -> None:
    stage.tokens("first")
    stage.mock.add_response(status_code=401)
    assert str(await refused(stage.client.create(LEAST))) == "unauthorized (401)"
    assert (stage.used(), stage.fetched()) == (["first"], 1)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_create_without_a_token_was_not_sent(status: int, stage: Stage) -> None:
    stage.mock.add_response(url=TOKEN_URL, status_code=status, headers={"retry-after": "9"})
    error = await unavailable(stage.client.create(LEAST))
    assert (type(error), error.reason, error.retry_after, stage.asked()) == (NoPermit, "no_token", 9, [])


async def test_a_renewal_that_fails_after_a_create_leaves_nothing_open(stage: Stage) -> None:
    stage.tokens("first")
    stage.mock.add_response(url=f"{TICKETS}/{TICKET}/label", status_code=404)
    stage.mock.add_response(url=TICKETS, status_code=401)
    stage.mock.add_response(url=TOKEN_URL, status_code=503)
    await refused(stage.client.label(TICKET))
    error = await unavailable(stage.client.create(LEAST))
    assert (type(error), error.reason) == (NoPermit, "no_token")


# -- permits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("call", "purpose"), [(CREATE, Purpose.create), (LIST, Purpose.sweep), (LABEL, Purpose.label)])
async def test_every_call_has_a_permit_for_what_it_is_for_and_so_has_its_token(
    call: Call, purpose: Purpose, stage: Stage
) -> None:
    stage.tokens("first")
    stage.mock.add_response(status_code=404)
    await refused(call(stage.client))
    assert stage.permits.purposes == [purpose, purpose]


async def test_where_they_were_away_a_list_of_one_second_goes_first(staged: Staged) -> None:
    stage = staged(permits=FreePermits([False, True, False]))
    stage.tokens("first")
    stage.mock.add_response(json=sample("tickets") | {"returns": []})
    stage.mock.add_response(json=sample("ticket"))
    await stage.client.create(LEAST)
    assert [(one.method, dict(one.url.params)) for one in stage.asked()] == [
        (
            "GET",
            {
                "dateFrom": "2026-11-26T11:59:59",
                "dateTo": "2026-11-26T12:00:00",
                "status": "NEW",
                "page": "0",
                "size": "1",
            },
        ),
        ("POST", {}),
    ]


async def test_where_they_are_away_still_nothing_is_sent(staged: Staged) -> None:
    stage = staged(permits=FreePermits([False, True]))
    stage.tokens("first")
    stage.mock.add_response(status_code=503)
    error = await unavailable(stage.client.create(LEAST))
    assert (type(error), error.reason) == (NoPermit, "carrier_away")
    assert [one.method for one in stage.asked()] == ["GET"]


async def test_a_token_is_fetched_under_a_probe_as_well(staged: Staged) -> None:
    stage = staged(permits=FreePermits([True]))
    stage.tokens("first")
    stage.mock.add_response(json=sample("ticket"))
    await stage.client.create(LEAST)
    assert len(stage.asked()) == 1


# -- what is never told ------------------------------------------------------------------------------------------------


async def test_neither_bodies_nor_tokens_nor_secrets_are_logged(stage: Stage) -> None:
    stage.tokens("first-token")
    stage.mock.add_response(json=sample("ticket"))
    stage.mock.add_response(status_code=400, json=sample("error_problem"))
    with structlog.testing.capture_logs() as logs:
        await stage.client.create(WHOLE)
        error = await refused(stage.client.create(WHOLE))
    assert [(one["operation"], one["outcome"]) for one in logs] == [
        ("fetch_token", "2xx"),
        ("create_ticket", "2xx"),
        ("create_ticket", "4xx"),
    ]
    told = repr(logs) + repr(error) + str(error) + repr(vars(stage.client))
    for secret in ("first-token", SECRET, "s3cr3t", "ewa@", "Testowa", "500600700", "1234", HOST + "/v1"):
        assert secret not in told


async def test_calls_are_measured_by_operation_and_outcome(stage: Stage) -> None:
    stage.tokens("first")
    stage.mock.add_response(json=sample("tickets"))
    await stage.client.tickets(QUERY)
    labels = {"carrier": "inpost_returns", "operation": "list_tickets", "outcome": "2xx"}
    found = stage.metrics.registry.get_sample_value("bridge_carrier_request_seconds_count", labels)
    assert found == 1


async def test_what_they_would_refuse_is_said_without_asking_them(stage: Stage) -> None:
    assert [one.field for one in stage.client.broken(replace(LEAST, parcel_size="D"))] == ["parcel_size"]
