"""Reading what is asked of the list, and answering a page of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bridge.simulator.documents import Document
from bridge.simulator.inpost_returns.documents import listed_document
from bridge.simulator.inpost_returns.problems import Problem, Wrong
from bridge.simulator.inpost_returns.terms import InPostReturnsTerms
from bridge.simulator.inpost_returns.tickets import STATUSES, Ticket

PLAIN: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
ZONED: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
MOMENTS: Final = {
    "createdAt": "created_at",
    "expiresAt": "expires_at",
    "sentAt": "sent_at",
    "deliveredAt": "delivered_at",
}
"""What can be sorted by; the page names the first."""
LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Question:
    """Which tickets are asked for, in which order, and which page of them."""

    since: datetime
    until: datetime
    status: str
    page: int
    size: int
    sort: str
    newest_first: bool
    zone: tzinfo


def question_in(query: Mapping[str, str], zone_name: str | None, terms: InPostReturnsTerms) -> Question:
    """Read the parameters and the zone, or refuse them."""
    zone = _zone(zone_name)
    status = query.get("status", "")
    if status not in STATUSES:
        raise _wrong("status", "one of " + ", ".join(STATUSES))
    name, _, order = query.get("sort", "createdAt").partition(",")
    if name not in MOMENTS or order.lower() not in ("", "asc", "desc"):
        raise _wrong("sort", "a field and asc or desc")
    return Question(
        since=_moment(query, "dateFrom", zone, terms),
        until=_moment(query, "dateTo", zone, terms),
        status=status,
        page=_number(query, "page", 0, least=0, most=10**9),
        size=_number(query, "size", 100, least=1, most=1000),
        sort=MOMENTS[name],
        newest_first=order.lower() == "desc",
        zone=zone,
    )


def page_of(tickets: Iterable[Ticket], question: Question, now: datetime, terms: InPostReturnsTerms) -> Document:
    """Answer the page that was asked for."""
    found = [one for one in tickets if _meets(one, question, now)]
    found.sort(key=lambda one: getattr(one, question.sort) or LONG_AGO, reverse=question.newest_first)
    rows = found[question.page * question.size :][: question.size]
    return {
        "returns": [listed_document(one, now, question.zone, terms) for one in rows],
        "count": len(found) if terms.count == "total" else len(rows),
        "page": question.page,
        "perPage": question.size,
    }


def _meets(ticket: Ticket, question: Question, now: datetime) -> bool:
    return question.since <= ticket.created_at <= question.until and ticket.status(now) == question.status


def _zone(name: str | None) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _wrong("Accept-Time-Zone", "a zone as in Europe/Warsaw") from None


def _moment(query: Mapping[str, str], name: str, zone: tzinfo, terms: InPostReturnsTerms) -> datetime:
    """Read a moment: without a zone it is in that of the header."""
    text = query.get(name, "")
    plain, zoned = PLAIN.fullmatch(text), ZONED.fullmatch(text)
    if not (plain and terms.dates != "zoned") and not (zoned and terms.dates != "plain"):
        raise _wrong(name, "must be YYYY-MM-DDTHH:mm:ss")
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _wrong(name, "no such moment") from None


def _number(query: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and least <= int(text) <= most):
        raise _wrong(name, f"a number from {least} to {most}")
    return int(text)


def _wrong(name: str, text: str) -> Problem:
    return Problem(400, "Validation request failed", [Wrong((name,), text)])
