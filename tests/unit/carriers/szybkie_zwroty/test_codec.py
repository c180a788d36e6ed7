"""Szybkie Zwroty's calls as values: the document that is built, and the answer that is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.carriers.answer import Answer
from bridge.carriers.szybkie_zwroty import codec
from bridge.carriers.szybkie_zwroty.codec import Call
from bridge.errors import CarrierError, CarrierRefused, CarrierUnavailable
from bridge.returns.codes import CodePage, CodeQuery, ReportedCode, SpareCode
from bridge.returns.ticket import Ticket

from .stage import CODE, DRAFT, EMAIL, NOW, OTHER, PASSWORD, QUERY, RMA, sample

Read = Callable[[Answer], object]
ACTIVE: Read = lambda answer: codec.active(DRAFT, None, answer)  # noqa: E731
ACTIVATED: Read = lambda answer: codec.active(DRAFT, CODE, answer)  # noqa: E731
PAGE: Read = lambda answer: codec.page(QUERY, answer)  # noqa: E731
READS = {
    "active": ACTIVE,
    "activated": ACTIVATED,
    "inactive": codec.inactive,
    "invalidated": codec.invalidated,
    "report": PAGE,
}
every_read = pytest.mark.parametrize("read", READS.values(), ids=READS)
WHOLE_QUERY = replace(
    QUERY, is_used=True, is_active=False, tracking_number="620000000000000000000042", code=CODE, rma=RMA
)


def answer(body: bytes, status: int = 200) -> Answer:
    return Answer(status, NOW, {}, body)


# -- the request we build ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "function", "name"),
    [
        (codec.generate_active(DRAFT, RMA), "revloggenerateactivecode", "request_generate_active"),
        (codec.generate_inactive(2), "revloggenerateinactivecodes", "request_generate_inactive"),
        (codec.activate(CODE, DRAFT, RMA), "revlogactivatecode", "request_activate"),
        (codec.invalidate(CODE), "revloginvalidatecode", "request_invalidate"),
        (codec.report(WHOLE_QUERY), "revloggetreport", "request_report"),
        (
            codec.report(replace(QUERY, rma=RMA).following.following, "nested"),
            "revloggetreport",
            "request_report_nested",
        ),
    ],
)
def test_a_document_is_the_one_of_the_pages(call: Call, function: str, name: str) -> None:
    assert (call.function, call.content.encode()) == (function, sample(name))


def test_activating_needs_no_number_of_ours() -> None:
    assert "<rma>" not in codec.activate(CODE, DRAFT, None).content


@pytest.mark.parametrize(
    ("moment", "sent"),
    [
        pytest.param(datetime(2026, 12, 10, 10, tzinfo=UTC), "2026-12-10T11:00:00", id="winter"),
        pytest.param(datetime(2027, 7, 1, 10, tzinfo=UTC), "2027-07-01T12:00:00", id="summer"),
        pytest.param(datetime(2026, 12, 31, 23, 30, 1, 999_999, tzinfo=UTC), "2027-01-01T00:30:01", id="another year"),
    ],
)
def test_an_expiry_is_sent_by_the_clocks_of_warsaw(moment: datetime, sent: str) -> None:
    content = codec.generate_active(replace(DRAFT, expires_at=moment), RMA).content
    assert f"<expirationDate>{sent}</expirationDate>" in content


@pytest.mark.parametrize("count", [0, -1, 101])
def test_it_is_one_to_a_hundred_at_once(count: int) -> None:
    with pytest.raises(ValueError, match="one to a hundred"):
        codec.generate_inactive(count)


@pytest.mark.parametrize("changes", [{"limit": 0}, {"limit": 1001}, {"offset": -1}, {"until": date(2026, 10, 31)}])
def test_a_page_that_there_is_not_is_never_asked_for(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a page"):
        replace(QUERY, **changes)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")))
def test_nothing_gets_out_of_its_field(text: str) -> None:
    content = codec.generate_active(replace(DRAFT, reference=text), RMA).content
    posted = parse_qs(codec.form(Call("x", "x", content), EMAIL, PASSWORD).decode("ascii"), strict_parsing=True)
    assert posted == {"email": [EMAIL], "password": [PASSWORD], "content": [content]}
    assert content.count("<returnDescription1") == 1
    assert content.endswith("</paczkomaty>")


# -- the answer we read ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "ticket"),
    [
        pytest.param(
            "active",
            Ticket(
                provider_reference="12091fa7-61c0-4ebf-abf7-000000000017",
                code="2991000017",
                expires_at=datetime(2026, 12, 10, 8, tzinfo=UTC),
                parcel_size="A",
            ),
            id="as expected: two hours less than was asked for",
        ),
        pytest.param(
            "active_whole",
            Ticket(code="2991000017", expires_at=datetime(2026, 12, 9, 8, tzinfo=UTC), parcel_size="B"),
            id="with their own validity and size: two hours less than they say",
        ),
    ],
)
def test_a_code_that_can_be_used_is_read(name: str, ticket: Ticket) -> None:
    found = codec.active(DRAFT, None, answer(sample(name)))
    assert (found, found.is_usable) == (ticket, True)


def test_later_than_was_asked_for_is_never_promised() -> None:
    body = sample("active_whole").replace(b"2026-12-09", b"2027-12-09")
    assert codec.active(DRAFT, None, answer(body)).expires_at == datetime(2026, 12, 10, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"<paczkomaty/>", "no_code", id="nothing"),
        pytest.param(b"<paczkomaty><return/></paczkomaty>", "no_code", id="no code"),
        pytest.param(b"<paczkomaty><return><code/></return></paczkomaty>", "no_code", id="an empty code"),
        pytest.param(
            b"<paczkomaty><return><code>1 2</code></return></paczkomaty>", "no_code", id="no code in safe form"
        ),
        pytest.param(b"<paczkomaty><code>1414000001</code></paczkomaty>", "no_code", id="a code elsewhere"),
        pytest.param(sample("inactive"), "several_codes", id="several"),
        pytest.param(
            sample("active").replace(b"2991000017", b"1414000001").replace(b"true", b"false"),
            "not_active",
            id="inactive",
        ),
        pytest.param(b"<html><body>Just a moment</body></html>", "no_code", id="a page"),
    ],
)
@pytest.mark.parametrize("read", [ACTIVE, ACTIVATED])
def test_what_names_no_code_leaves_open_whether_there_is_one(read: Read, body: bytes, reason: str) -> None:
    with pytest.raises(CarrierUnavailable, match=reason):
        read(answer(body))


def test_another_code_than_was_to_be_activated_leaves_it_open() -> None:
    assert codec.active(DRAFT, CODE, answer(sample("active").replace(b"2991000017", CODE.encode()))).code == CODE
    with pytest.raises(CarrierUnavailable, match="another_code"):
        codec.active(DRAFT, CODE, answer(sample("active")))


@pytest.mark.parametrize("name", ["inactive", "inactive_wellformed"])
def test_codes_made_in_advance_are_read_valid_xml_or_not(name: str) -> None:
    assert codec.inactive(answer(sample(name))) == (
        SpareCode(CODE, "12091fa7-61c0-4ebf-abf7-000000000001"),
        SpareCode(OTHER, "8bce4ad4-4249-4bcf-8f54-000000000002"),
    )


def test_of_codes_made_in_advance_none_is_lost_for_another_and_none_comes_twice() -> None:
    row = b"<return><code>a</code></return><return><code>b c</code></return><return><code>a</code></return>"
    assert codec.inactive(answer(b"<paczkomaty>" + row + b"</paczkomaty>")) == (SpareCode("a"),)


def test_a_code_is_invalid_where_they_say_so() -> None:
    codec.invalidated(answer(sample("invalidated")))
    with pytest.raises(CarrierRefused, match="still_valid"):
        codec.invalidated(answer(sample("invalidated").replace(b"false", b"true")))
    with pytest.raises(CarrierUnavailable, match="unreadable_answer"):
        codec.invalidated(answer(sample("invalidated").replace(b"false", b"")))


USED = ReportedCode(
    CODE,
    rma=RMA,
    tracking_number="620000000000000000000042",
    is_active=False,
    pack_status="delivered",
    has_label=False,
)
UNUSED = ReportedCode(OTHER, is_active=True, has_label=True)


@pytest.mark.parametrize("name", ["report", "report_wellformed"])
def test_a_report_is_read_without_anything_about_people(name: str) -> None:
    assert codec.page(QUERY, answer(sample(name))) == CodePage((USED, UNUSED), 0, is_last=True, is_certain=True)


def test_where_rows_do_not_say_whether_they_were_used_the_question_does() -> None:
    asked = codec.page(replace(QUERY, is_used=True), answer(sample("report")))
    assert [one.is_used for one in asked.codes] == [True, True]
    told = codec.page(replace(QUERY, is_used=True), answer(sample("report").replace(b"<rma/>", b"<used>False</used>")))
    assert [one.is_used for one in told.codes] == [True, False]


@pytest.mark.parametrize(("limit", "is_last"), [(1, False), (2, False), (3, True)])
def test_a_page_is_the_last_one_where_it_is_not_full(limit: int, is_last: bool) -> None:
    assert codec.page(replace(QUERY, limit=limit), answer(sample("report"))).is_last is is_last


@pytest.mark.parametrize(
    ("body", "is_certain"),
    [
        pytest.param(sample("report_empty"), True, id="where rows stand there are none"),
        pytest.param(b"<paczkomaty/>", False, id="nothing stands where rows do"),
        pytest.param(b"<html/>", False, id="a page"),
    ],
)
def test_nothing_follows_from_rows_that_are_not_there_unless_their_place_is(body: bytes, is_certain: bool) -> None:
    assert codec.page(QUERY, answer(body)) == CodePage((), 0, is_last=True, is_certain=is_certain)


def test_a_row_that_cannot_be_read_hides_no_other_and_one_that_comes_twice_is_one() -> None:
    body = sample("report").replace(b"</return>", b"<2><code>a b</code></2><3><code>2687000002</code></3></return>")
    found = codec.page(replace(QUERY, limit=4), answer(body))
    assert ([one.code for one in found.codes], found.unread, found.is_last) == ([CODE, OTHER], 1, False)


def test_a_report_of_a_thousand_rows_is_read() -> None:
    rows = b"".join(
        b"<%d><code>%d</code>%s</%d>" % (number, number, b"<field>text</field>" * 20, number) for number in range(1000)
    )
    found = codec.page(QUERY, answer(b"<paczkomaty><return>" + rows + b"</return></paczkomaty>"))
    assert (len(found.codes), found.is_last) == (1000, False)


# -- no ----------------------------------------------------------------------------------------------------------------


@every_read
@pytest.mark.parametrize("name", ["error", "error_key"])
@pytest.mark.parametrize("status", [200, 400, 403])
def test_an_error_is_a_refusal_whatever_its_status_and_what_it_says_is_not_told(
    read: Read, name: str, status: int
) -> None:
    with pytest.raises(CarrierRefused) as caught:
        read(answer(sample(name), status))
    assert str(caught.value) == f"other ({status})"


@every_read
def test_an_error_beside_a_code_is_a_refusal(read: Read) -> None:
    body = sample("active").replace(b"</return>", b"</return><error>x</error>")
    with pytest.raises(CarrierRefused):
        read(answer(body))


@every_read
@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"<html><body>403</body></html>", 403, id="a page of the edge"),
        pytest.param(b"", 404, id="nothing"),
        pytest.param(b"<paczkomaty/>", 400, id="a document without an error"),
        pytest.param(sample("error"), 500, id="an error of theirs, whatever it says"),
        pytest.param(sample("error"), 429, id="too many"),
        pytest.param(b"", 302, id="a redirect"),
        pytest.param(b"Blad logowania", 200, id="a text"),
        pytest.param(sample("inactive")[:200], 200, id="cut in the middle"),
        pytest.param(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", 200, id="a bomb"),
    ],
)
def test_what_is_no_document_of_theirs_leaves_it_open(read: Read, body: bytes, status: int) -> None:
    with pytest.raises(CarrierUnavailable) as caught:
        read(answer(body, status))
    assert caught.value.status == status
    assert caught.value.__cause__ is None


@every_read
@given(body=st.binary(max_size=300))
def test_no_bytes_make_reading_fail_otherwise(read: Read, body: bytes) -> None:
    for whole in (body, b"<paczkomaty><return>" + body + b"</return></paczkomaty>"):
        try:
            read(answer(whole))
        except CarrierError:
            continue


def test_nothing_that_is_personal_or_opens_a_locker_shows_itself() -> None:
    shown = repr(codec.generate_active(DRAFT, RMA)) + repr(codec.active(DRAFT, None, answer(sample("active"))))
    shown += repr(codec.inactive(answer(sample("inactive")))) + repr(codec.page(QUERY, answer(sample("report"))))
    shown += repr(CodeQuery(QUERY.since, QUERY.until, code=CODE)) + repr(codec.activate(CODE, DRAFT, RMA))
    for secret in ("500600700", "ewa@", "2991000017", CODE, OTHER):
        assert secret not in shown


def test_a_code_that_the_report_shows_is_promised_two_hours_less_than_was_asked_for() -> None:
    row = ReportedCode(CODE, rma=RMA, tracking_number="62001")
    until = NOW + timedelta(days=7)
    expected = Ticket(code=CODE, tracking_number="62001", expires_at=until - timedelta(hours=2))
    assert codec.found(row, replace(DRAFT, expires_at=until)) == expected
    assert codec.found(row, replace(DRAFT, expires_at=None)).expires_at is None
