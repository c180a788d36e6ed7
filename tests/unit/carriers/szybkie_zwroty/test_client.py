"""Szybkie Zwroty as we call it: what goes over the wire, under which permits, and what no answer makes of a call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import httpx
import pytest
import structlog

from bridge.errors import CarrierUnavailable, NoPermit
from bridge.events.statuses import ReturnStatus
from bridge.limits.connection import Purpose
from bridge.ports.returns import CodeDesk
from bridge.returns.codes import ReportedCode
from tests.support.permits import FreePermits

from .stage import (
    ANSWERED,
    CODE,
    DRAFT,
    EMAIL,
    HOST,
    NOW,
    OTHER,
    PASSWORD,
    QUERY,
    REFUSED,
    RMA,
    UNUSABLE,
    Stage,
    Staged,
    refused,
    sample,
    unavailable,
)

Call = Callable[[CodeDesk], Awaitable[object]]
CREATE: Call = lambda client: client.create(DRAFT, RMA)  # noqa: E731
SPARE: Call = lambda client: client.make_spare(2)  # noqa: E731
ACTIVATE: Call = lambda client: client.activate(CODE, DRAFT, RMA)  # noqa: E731
INVALIDATE: Call = lambda client: client.invalidate(CODE)  # noqa: E731
REPORT: Call = lambda client: client.report(replace(QUERY, rma=RMA))  # noqa: E731
CALLS = {"create": CREATE, "spare": SPARE, "activate": ACTIVATE, "invalidate": INVALIDATE, "report": REPORT}
WRITES = {name: one for name, one in CALLS.items() if name != "report"}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
every_write = pytest.mark.parametrize("call", WRITES.values(), ids=WRITES)
ACTIVATED = sample("active").replace(b"2991000017", CODE.encode())
PLUMBING = {"host", "connection", "accept-encoding", "content-length"}


# -- the request we build, the URL we call -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "function", "content", "answer", "purpose"),
    [
        (CREATE, "revloggenerateactivecode", "request_generate_active", sample("active"), Purpose.create),
        (SPARE, "revloggenerateinactivecodes", "request_generate_inactive", sample("inactive"), Purpose.create),
        (ACTIVATE, "revlogactivatecode", "request_activate", ACTIVATED, Purpose.create),
        (INVALIDATE, "revloginvalidatecode", "request_invalidate", sample("invalidated"), Purpose.cancel),
    ],
    ids=["create", "spare", "activate", "invalidate"],
)
async def test_a_call_posts_login_and_document_once_and_nothing_else(
    call: Call, function: str, content: str, answer: bytes, purpose: Purpose, stage: Stage
) -> None:
    stage.mock.add_response(content=answer)
    await call(stage.client)
    [request] = stage.mock.get_requests()
    assert (request.method, str(request.url)) == ("POST", f"{HOST}/?do={function}")
    assert {name: value for name, value in request.headers.items() if name not in PLUMBING} == {
        "content-type": "application/x-www-form-urlencoded",
        "accept": "application/xml, text/xml",
        "user-agent": "shipx-bridge/0.1.0",
    }
    assert stage.posted() == [{"email": [EMAIL], "password": [PASSWORD], "content": [sample(content).decode()]}]
    assert stage.permits.purposes == [purpose]


@pytest.mark.parametrize("base_url", ["https://sandbox-api.paczkomaty.test", "https://sandbox-api.paczkomaty.test/"])
async def test_production_and_sandbox_differ_by_their_address_alone(base_url: str, staged: Staged) -> None:
    stage = staged(base_url=base_url)
    stage.mock.add_response(content=sample("invalidated"))
    await stage.client.invalidate(CODE)
    assert [str(one.url) for one in stage.mock.get_requests()] == [
        "https://sandbox-api.paczkomaty.test/?do=revloginvalidatecode"
    ]


@pytest.mark.parametrize(
    ("form", "sections"), [("siblings", "</paczkomaty><dateRange>"), ("nested", "</rma><dateRange>")]
)
async def test_how_a_report_is_asked_for_can_be_switched(form: str, sections: str, staged: Staged) -> None:
    stage = staged(report_form=form)
    stage.mock.add_response(content=sample("report"))
    await REPORT(stage.client)
    [posted] = stage.posted()
    assert sections in posted["content"][0]
    assert stage.permits.purposes == [Purpose.sweep]


@every_call
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed_and_nobody_else_is_told_the_password(
    call: Call, status: int, stage: Stage
) -> None:
    stage.mock.add_response(status_code=status, headers={"location": "https://elsewhere.test/"})
    error = await unavailable(call(stage.client))
    assert (error.status, len(stage.mock.get_requests())) == (status, 1)


# -- the answer we read ------------------------------------------------------------------------------------------------


async def test_both_ways_of_a_code(stage: Stage) -> None:
    """At once; or made in advance, then activated, the other one made useless."""
    stage.mock.add_response(content=sample("active"))
    assert (await stage.client.create(DRAFT, RMA)).code == "2991000017"
    stage.mock.add_response(content=sample("inactive"))
    assert [one.code for one in await stage.client.make_spare(2)] == [CODE, OTHER]
    stage.mock.add_response(content=ACTIVATED)
    assert (await stage.client.activate(CODE, DRAFT)).code == CODE
    stage.mock.add_response(content=sample("invalidated"))
    await stage.client.invalidate(OTHER)
    stage.mock.add_response(content=sample("report"))
    assert [one.pack_status for one in (await stage.client.report(QUERY)).codes] == ["delivered", None]
    assert stage.permits.outcomes == [ANSWERED] * 5


async def test_a_refused_report_is_a_usable_answer_and_proves_nothing(stage: Stage) -> None:
    stage.mock.add_response(content=sample("error"))
    assert str(await refused(REPORT(stage.client))) == "other (200)"
    assert stage.permits.outcomes == [ANSWERED]


@every_write
async def test_what_is_refused_by_who_gives_a_report_is_refused_for_what_it_is(call: Call, stage: Stage) -> None:
    stage.mock.add_response(content=sample("error"))
    stage.mock.add_response(url=f"{HOST}/?do=revloggetreport", content=sample("report_empty"))
    assert str(await refused(call(stage.client))) == "other (200)"
    assert stage.permits.outcomes == [ANSWERED] * 2
    assert stage.permits.purposes[0] == stage.permits.purposes[1]


@every_write
async def test_who_is_refused_a_report_in_either_form_is_not_let_in_and_the_connection_shows_it(
    call: Call, stage: Stage
) -> None:
    stage.mock.add_response(content=sample("error"), is_reusable=True)
    assert str(await refused(call(stage.client))) == "access_denied (200)"
    assert stage.permits.outcomes == [ANSWERED, ANSWERED, REFUSED]
    _, first, second = (one["content"][0] for one in stage.posted())
    assert ["<paczkomaty /><dateRange>" in one for one in (first, second)] == [True, False]
    assert all("<limit>1</limit>" in one for one in (first, second))


@pytest.mark.parametrize("form", ["siblings", "nested"])
async def test_who_is_given_a_report_in_the_other_form_is_let_in(form: str, staged: Staged) -> None:
    stage = staged(report_form=form)
    for answer in ("error", "error", "report_empty"):
        stage.mock.add_response(content=sample(answer))
    assert str(await refused(CREATE(stage.client))) == "other (200)"
    assert stage.permits.outcomes == [ANSWERED] * 3


@every_write
async def test_where_no_report_is_to_be_had_the_refusal_stands(call: Call, stage: Stage) -> None:
    stage.mock.add_response(content=sample("error"))
    stage.mock.add_response(status_code=503)
    assert str(await refused(call(stage.client))) == "other (200)"
    assert stage.permits.outcomes == [ANSWERED, UNUSABLE]


async def test_a_refusal_with_a_word_needs_no_report(stage: Stage) -> None:
    stage.mock.add_response(content=b"<paczkomaty><valid>true</valid></paczkomaty>")
    assert str(await refused(INVALIDATE(stage.client))) == "still_valid (200)"
    assert stage.permits.outcomes == [ANSWERED]


@every_call
async def test_a_login_that_is_refused_as_such_shows_at_the_connection(call: Call, stage: Stage) -> None:
    stage.mock.add_response(status_code=401, content=sample("error"))
    await refused(call(stage.client))
    assert stage.permits.outcomes == [REFUSED]


@every_call
@pytest.mark.parametrize(
    ("status", "content"),
    [
        pytest.param(500, sample("error"), id="their error"),
        pytest.param(200, b"<paczkomaty><return>", id="cut in the middle"),
        pytest.param(200, b"<a>" + b"<b/>" * 100_000 + b"</a>", id="too many elements"),
        pytest.param(200, b"<a>" + b" " * 2 * 1024 * 1024 + b"</a>", id="too long"),
        pytest.param(403, b"<html>Just a moment</html>", id="the edge"),
    ],
)
async def test_an_answer_that_says_nothing_leaves_it_open_and_nothing_is_sent_again(
    call: Call, status: int, content: bytes, stage: Stage
) -> None:
    stage.mock.add_response(status_code=status, content=content)
    error = await unavailable(call(stage.client))
    assert not isinstance(error, NoPermit)
    assert (len(stage.mock.get_requests()), stage.permits.outcomes) == (1, [UNUSABLE])


@every_call
async def test_a_lost_answer_leaves_it_open_and_nothing_is_sent_again(call: Call, stage: Stage) -> None:
    stage.mock.add_exception(httpx.ReadTimeout(PASSWORD))
    error = await unavailable(call(stage.client))
    assert (str(error), error.__cause__, len(stage.mock.get_requests())) == ("ReadTimeout", None, 1)


# -- reports -----------------------------------------------------------------------------------------------------------


def rows(*codes: str) -> bytes:
    found = "".join(f"<{place}><code>{one}</code></{place}>" for place, one in enumerate(codes))
    return f"<paczkomaty><return>{found}</return></paczkomaty>".encode()


async def test_a_report_is_read_from_row_0_page_by_page_and_no_code_comes_twice(stage: Stage) -> None:
    for answer in (rows("a", "b"), rows("b", "c"), rows("d")):
        stage.mock.add_response(content=answer)
    found = [one.code async for one in stage.client.reported(replace(QUERY, limit=2))]
    offsets = [one["content"][0].partition("<offset>")[2].partition("<")[0] for one in stage.posted()]
    assert (found, offsets) == (["a", "b", "c", "d"], ["0", "2", "4"])


async def test_a_report_without_end_is_given_up(stage: Stage) -> None:
    stage.mock.add_response(content=rows("a"), is_reusable=True)
    with pytest.raises(CarrierUnavailable, match="endless_report"):
        [one async for one in stage.client.reported(replace(QUERY, limit=1))]
    assert len(stage.mock.get_requests()) == 100


# -- permits -----------------------------------------------------------------------------------------------------------


async def test_where_they_were_away_a_report_of_one_row_goes_first(staged: Staged) -> None:
    stage = staged(permits=FreePermits([True, False]))
    stage.mock.add_response(url=f"{HOST}/?do=revloggetreport", content=sample("report_empty"))
    stage.mock.add_response(url=f"{HOST}/?do=revloggenerateactivecode", content=sample("active"))
    await stage.client.create(DRAFT, RMA)
    assert stage.posted()[0]["content"] == [
        "<paczkomaty /><dateRange><startDate>2026-11-26</startDate><endDate>2026-11-26</endDate></dateRange>"
        "<paging><limit>1</limit><offset>0</offset></paging>"
    ]


async def test_where_they_are_away_still_nothing_is_sent(staged: Staged) -> None:
    stage = staged(permits=FreePermits([True]))
    stage.mock.add_response(status_code=503)
    error = await unavailable(stage.client.create(DRAFT, RMA))
    assert (type(error), error.reason, len(stage.posted())) == (NoPermit, "carrier_away", 1)


# -- what is never told ------------------------------------------------------------------------------------------------


@every_call
async def test_neither_login_nor_bodies_are_logged(call: Call, stage: Stage) -> None:
    stage.mock.add_response(content=sample("error"), is_reusable=True)
    with structlog.testing.capture_logs() as logs:
        error = await refused(call(stage.client))
    for line in logs:
        assert set(line) == {"carrier", "operation", "outcome", "s", "event", "log_level"}
    told = repr(logs) + repr(error) + str(error) + repr(vars(stage.client))
    for secret in (EMAIL, PASSWORD, "Hasło", "ewa@", "500600700", CODE, "Nieprawid", "zwroty@"):
        assert secret not in told


async def test_what_they_would_refuse_is_said_without_asking_them(stage: Stage) -> None:
    assert [one.field for one in stage.client.broken(replace(DRAFT, parcel_size=None))] == ["parcel_size"]


def test_a_row_means_what_its_flags_say_at_this_moment(stage: Stage) -> None:
    row = ReportedCode(CODE, is_active=True)
    assert stage.client.meaning(stage.client.word(row, DRAFT.expires_at)).returned == ReturnStatus.accepted
    assert stage.client.meaning(stage.client.word(row, NOW)).returned == ReturnStatus.expired
