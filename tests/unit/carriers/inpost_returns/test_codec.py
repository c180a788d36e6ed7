"""InPost Returns' calls as values: the request that is built, the path that is called, the answer that is read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from bridge.carriers import exact
from bridge.carriers.answer import Answer
from bridge.carriers.inpost_returns import codec
from bridge.errors import CarrierRefused, CarrierUnavailable, FieldProblem
from bridge.returns.draft import Address, ReturnDraft
from bridge.returns.listed import Listed, TicketPage, TicketQuery
from bridge.returns.ticket import ReturnLabel, Ticket

from .stage import HOST, LEAST, NOW, PDF, SAMPLES, TICKET, WHOLE, sample

QUERY = TicketQuery(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 26, 12, 0, 1, tzinfo=UTC), "ACCEPTED")


def answer(body: object = None, *, status: int = 200, content: bytes | None = None, kind: str = "") -> Answer:
    return Answer(status, NOW, {"content-type": kind}, json.dumps(body).encode() if content is None else content)


# -- the request we build ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("draft", "name"), [(WHOLE, "request_create"), (LEAST, "request_create_least")])
def test_a_return_is_asked_for_as_the_page_shows_it(draft: ReturnDraft, name: str) -> None:
    call = codec.create(draft, NOW)
    assert (call.operation, call.method, call.path) == ("create_ticket", "POST", "/v1/returns/tickets")
    assert json.loads(exact.encode(call.json)) == sample(name)


@pytest.mark.parametrize(
    ("ahead", "sent"),
    [
        pytest.param(timedelta(days=7), "2026-12-03T12:10:00.000Z", id="the earliest: ten minutes more"),
        pytest.param(timedelta(days=6, hours=23), "2026-12-03T12:10:00.000Z", id="meanwhile too early: made up for"),
        pytest.param(timedelta(days=7, minutes=11), "2026-12-03T12:11:00.000Z", id="later: as it is"),
        pytest.param(timedelta(days=720), "2028-11-15T12:00:00.000Z", id="the latest: as it is"),
    ],
)
def test_an_expiry_never_races_with_their_clock(ahead: timedelta, sent: str) -> None:
    body = codec.create(replace(LEAST, expires_at=NOW + ahead), NOW).json
    assert body is not None
    assert body["expirationDate"] == sent


def test_what_they_have_no_field_for_is_not_sent() -> None:
    draft = replace(LEAST, sender=replace(LEAST.sender, company_name="Firma", address=Address(city="Kraków")))
    assert codec.create(draft, NOW).json == sample("request_create_least")


# -- the path we call --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "form", "path"),
    [
        pytest.param(
            QUERY,
            "plain",
            "dateFrom=2026-11-01T00:00:00&dateTo=2026-11-26T12:00:01&status=ACCEPTED&page=0&size=1000",
            id="as the text has it",
        ),
        pytest.param(
            QUERY,
            "zulu",
            "dateFrom=2026-11-01T00:00:00.000Z&dateTo=2026-11-26T12:00:01.000Z&status=ACCEPTED&page=0&size=1000",
            id="as the sample has it",
        ),
        pytest.param(
            replace(QUERY, status="USED", page=3, size=100, sort="createdAt,desc"),
            "plain",
            "dateFrom=2026-11-01T00:00:00&dateTo=2026-11-26T12:00:01&status=USED&page=3&size=100&sort=createdAt,desc",
            id="another page, in another order",
        ),
        pytest.param(
            replace(
                QUERY,
                created_from=datetime(2026, 11, 1, 1, 0, 0, 999_999, timezone(timedelta(hours=1))),
                created_to=datetime(2026, 11, 26, 12, 0, 0, 1, UTC),
            ),
            "plain",
            "dateFrom=2026-11-01T00:00:00&dateTo=2026-11-26T12:00:01&status=ACCEPTED&page=0&size=1000",
            id="parts of seconds: the window grows and never shrinks",
        ),
        pytest.param(
            replace(QUERY, status="A&B", sort="x y"),
            "plain",
            "dateFrom=2026-11-01T00:00:00&dateTo=2026-11-26T12:00:01&status=A%26B&page=0&size=1000&sort=x+y",
            id="nothing gets out of its parameter",
        ),
    ],
)
def test_a_list_is_asked_for_with_every_filter(query: TicketQuery, form: codec.TimeForm, path: str) -> None:
    call = codec.tickets(query, form)
    assert (call.method, call.path) == ("GET", f"/v1/returns/tickets?{path}")
    assert (call.json, dict(call.headers)) == (None, {"Accept-Time-Zone": "UTC"})


@pytest.mark.parametrize(
    "changes",
    [{"page": -1}, {"size": 0}, {"size": 1001}, {"created_to": QUERY.created_from - timedelta(seconds=1)}],
)
def test_a_page_that_they_would_refuse_is_never_asked_for(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a page"):
        replace(QUERY, **changes)


OWN = f"/v1/returns/tickets/{TICKET}/label"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        pytest.param(None, OWN, id="none: as the page has it"),
        pytest.param(f"{HOST}/v2/labels/7?form=a6", "/v2/labels/7?form=a6", id="at the host we know"),
        pytest.param("HTTPS://API.INPOST.TEST:443/x", "/x", id="the same host, written otherwise"),
        pytest.param("https://example.org/example/url", OWN, id="elsewhere, as in the sample"),
        pytest.param("http://api.inpost.test/x", OWN, id="without TLS"),
        pytest.param("https://api.inpost.test:8443/x", OWN, id="another port"),
        pytest.param("https://api.inpost.test.evil.test/x", OWN, id="a longer name"),
        pytest.param("https://api.inpost.test@evil.test/x", OWN, id="a login that looks like the host"),
        pytest.param("https://evil.test\\@api.inpost.test/x", OWN, id="a host that some read otherwise"),
        pytest.param("https://user:pass@api.inpost.test/x", OWN, id="a login at the host"),
        pytest.param("//api.inpost.test/x", OWN, id="no scheme"),
        pytest.param("/x", OWN, id="a path alone"),
        pytest.param("https://api.inpost.test:99999/x", OWN, id="an impossible port"),
        pytest.param("https://[::1/x", OWN, id="no address"),
        pytest.param("file:///etc/passwd", OWN, id="a file"),
        pytest.param(f"{HOST}", OWN, id="no path"),
        pytest.param(f"{HOST}/a b", OWN, id="a space"),
        pytest.param(f"{HOST}/ż", OWN, id="a letter that is not for paths"),
    ],
)
def test_a_label_is_fetched_only_at_the_host_we_know(url: str | None, path: str) -> None:
    call = codec.label(TICKET, url, f"{HOST}/")
    assert (call.method, call.path, call.accept) == ("GET", path, "application/pdf, application/json;q=0.5")


@pytest.mark.parametrize(
    ("url", "path"),
    [("https://gateway.test/inpost/x", "/x"), ("https://gateway.test/x", OWN), ("https://gateway.test/inpostx", OWN)],
)
def test_behind_a_gateway_of_ones_own_the_address_keeps_its_path(url: str, path: str) -> None:
    assert codec.label(TICKET, url, "https://gateway.test/inpost/").path == path


@pytest.mark.parametrize("ticket", ["", "../x", "a/b", "a?b", "x" * 65, "ż", "a\n"])
def test_an_id_that_would_be_another_path_is_never_called(ticket: str) -> None:
    with pytest.raises(CarrierRefused, match="not_found"):
        codec.label(ticket, None, HOST)


# -- the answer we read ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "ticket", "is_usable"),
    [
        pytest.param(
            "ticket",
            Ticket(
                provider_reference=TICKET,
                code="1234",
                tracking_number="543223453224",
                expires_at=datetime(2026, 12, 19, 12, 10, 19, 168_000, tzinfo=UTC),
                label_url="https://example.org/example/url",
                parcel_size="A",
            ),
            True,
            id="everything",
        ),
        pytest.param(
            "ticket_code",
            Ticket(f"{TICKET[:-1]}2", code="8840000017"),
            True,
            id="a code, and nothing that was asked for",
        ),
        pytest.param(
            "ticket_label",
            Ticket(
                f"{TICKET[:-1]}3",
                tracking_number="620000000000000000000042",
                label_url=f"https://api.inpost.pl/v1/returns/tickets/{TICKET[:-1]}3/label",
            ),
            True,
            id="a label",
        ),
        pytest.param(
            "ticket_bare",
            Ticket(f"{TICKET[:-1]}4", expires_at=datetime(2026, 12, 3, 10, tzinfo=UTC), parcel_size="B"),
            False,
            id="neither: it is there, and nobody can use it",
        ),
    ],
)
def test_a_ticket_is_read(name: str, ticket: Ticket, is_usable: bool) -> None:
    found = codec.ticket(answer(sample(name)))
    assert (found, found.is_usable) == (ticket, is_usable)


@pytest.mark.parametrize(
    ("changes", "lost"),
    [
        pytest.param({"code": "<b>1234</b>"}, "code", id="a code that is none"),
        pytest.param({"code": None}, "code", id="no code"),
        pytest.param({"expirationDate": "soon"}, "expires_at", id="no time"),
        pytest.param({"expirationDate": "2026-12-19T12:10:19"}, "expires_at", id="a time of no zone"),
        pytest.param({"trackingNumber": "a b"}, "tracking_number", id="no number"),
        pytest.param({"trackingNumber": ""}, "tracking_number", id="an empty number"),
        pytest.param({"labelUrl": 7}, "label_url", id="no address"),
        pytest.param({"size": {}}, "parcel_size", id="no size"),
    ],
)
def test_nothing_that_cannot_be_read_hides_a_ticket_that_was_made(changes: dict[str, Any], lost: str) -> None:
    whole = codec.ticket(answer(sample("ticket")))
    assert codec.ticket(answer(sample("ticket") | changes)) == replace(whole, **{lost: None})


def test_numbers_are_taken_for_their_digits_and_new_fields_are_ignored() -> None:
    found = codec.ticket(answer(sample("ticket") | {"code": 1234, "trackingNumber": 543223453224, "qr": "new"}))
    assert found == codec.ticket(answer(sample("ticket")))


@pytest.mark.parametrize("body", [{}, [], {"id": ""}, {"id": "../x"}, {"id": None, "code": "1234"}])
def test_a_success_without_an_id_says_nothing_for_sure(body: object) -> None:
    with pytest.raises(CarrierUnavailable, match="unreadable_answer"):
        codec.ticket(answer(body))


def test_a_page_is_read_as_the_sample_has_it() -> None:
    listed = Listed(
        id=TICKET,
        status="used",
        code="8840000017",
        tracking_number="620000000000000000000042",
        parcel_size="A",
        sender_name="Ewa Testowa",
        sender_email="ewa@example.com",
        sender_phone="+48500600700",
        created_at=datetime(2026, 11, 12, 11, 49, 16, 921_000, tzinfo=UTC),
        expires_at=datetime(2026, 11, 26, 11, 49, 16, 906_000, tzinfo=UTC),
        sent_at=datetime(2026, 11, 14, 13, 9, 46, 921_000, tzinfo=UTC),
        delivered_at=datetime(2026, 11, 15, 13, 9, 46, 921_000, tzinfo=UTC),
    )
    assert codec.page(QUERY, answer(sample("tickets"))) == TicketPage((listed,), 0, is_last=True, at=NOW)


def test_a_page_is_read_as_the_text_has_it() -> None:
    [found] = codec.page(QUERY, answer(sample("tickets_text"))).tickets
    assert (found.status, found.tracking_number, found.sent_at, found.delivered_at) == ("ACCEPTED", None, None, None)
    assert found.created_at == datetime(2026, 7, 26, 11, 59, 9, 508_752, tzinfo=UTC)


@pytest.mark.parametrize(
    ("size", "came", "per_page", "is_last"),
    [
        pytest.param(2, 2, 2, False, id="full: there may be more, whatever count says"),
        pytest.param(2, 1, 2, True, id="not full"),
        pytest.param(2, 0, 2, True, id="empty"),
        pytest.param(1000, 100, 100, False, id="full, of a size that they decided"),
        pytest.param(1000, 100, None, True, id="not full, of the size that was asked for"),
        pytest.param(2, 2, 0, False, id="an echo of no size"),
    ],
)
def test_a_page_is_the_last_one_where_it_is_not_full(size: int, came: int, per_page: int | None, is_last: bool) -> None:
    body = sample("tickets") | {"returns": sample("tickets")["returns"] * came, "count": came, "perPage": per_page}
    assert codec.page(replace(QUERY, size=size), answer(body)).is_last is is_last


def test_a_ticket_that_cannot_be_read_hides_no_other() -> None:
    good = sample("tickets")["returns"][0]
    body = sample("tickets") | {"returns": [good | {"id": "a/b"}, good, {"id": TICKET}, None, good | {"status": "a b"}]}
    found = codec.page(QUERY, answer(body))
    assert ([one.id for one in found.tickets], found.unread) == ([TICKET], 4)


def test_another_page_than_was_asked_for_is_no_answer() -> None:
    with pytest.raises(CarrierUnavailable, match="another_page"):
        codec.page(replace(QUERY, page=1), answer(sample("tickets")))


@pytest.mark.parametrize("body", [{}, [], {"returns": None}, {"returns": {}}])
def test_what_has_no_list_is_no_answer(body: object) -> None:
    with pytest.raises(CarrierUnavailable, match="unreadable_answer"):
        codec.page(QUERY, answer(body))


def test_a_label_is_a_pdf() -> None:
    assert codec.pdf(answer(content=PDF, kind="application/pdf")) == ReturnLabel(PDF, "pdf")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        pytest.param(b"<html></html>", "application/pdf", id="a page that calls itself a label"),
        pytest.param(PDF, "text/html", id="a label that calls itself a page"),
        pytest.param(b"", "application/pdf", id="nothing"),
        pytest.param(b" %PDF-1.4", "application/pdf", id="not from the beginning"),
    ],
)
def test_anything_else_is_no_label(content: bytes, kind: str) -> None:
    with pytest.raises(CarrierUnavailable, match="not_a_label"):
        codec.pdf(answer(content=content, kind=kind))


# -- no ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "key"),
    [(400, "validation_failed"), (401, "unauthorized"), (403, "forbidden"), (404, "not_found"), (409, "other")],
)
@pytest.mark.parametrize("content", [b"", b"<html>no</html>", b'{"message": "no"}', b"[]", b"7", b'{"errors": "no"}'])
def test_a_refusal_is_one_by_its_status_whatever_it_says(status: int, key: str, content: bytes) -> None:
    with pytest.raises(CarrierRefused) as caught:
        codec.judged(answer(content=content, status=status))
    assert (caught.value.key, caught.value.status, caught.value.fields) == (key, status, ())


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("error_problem", ["sender.phone", "expires_at"]),
        ("error_violations", ["receiver.address.post_code", "reference"]),
    ],
)
def test_fields_that_a_refusal_names_are_told_in_our_words_and_nothing_else_is(name: str, fields: list[str]) -> None:
    content = (SAMPLES / f"{name}.json").read_bytes()
    with pytest.raises(CarrierRefused) as caught:
        codec.judged(answer(content=content, status=400))
    assert caught.value.fields == tuple(FieldProblem(one, "invalid") for one in fields)
    assert "ewa" not in repr(caught.value) + repr(caught.value.fields)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 301, 100])
def test_what_is_neither_yes_nor_no_leaves_it_open(status: int) -> None:
    with pytest.raises(CarrierUnavailable) as caught:
        codec.judged(answer(content=b"", status=status))
    assert caught.value.status == status


def test_nothing_that_is_personal_or_secret_shows_itself() -> None:
    shown = repr(codec.create(WHOLE, NOW)) + repr(WHOLE) + repr(codec.ticket(answer(sample("ticket"))))
    shown += repr(codec.page(QUERY, answer(sample("tickets"))))
    for secret in ("Ewa", "Zwrotny", "500600700", "example.com", "Lwowska", "1234'", "8840000017"):
        assert secret not in shown
