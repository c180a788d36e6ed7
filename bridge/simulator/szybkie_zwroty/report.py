"""The report: active and used codes, by the day on which they were made.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/101384332
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bridge.simulator.szybkie_zwroty.answers import Element, truth
from bridge.simulator.szybkie_zwroty.codes import Code
from bridge.simulator.szybkie_zwroty.content import NOTHING, ROOT, Section, Sections
from bridge.simulator.szybkie_zwroty.refusals import Refused
from bridge.simulator.szybkie_zwroty.terms import SzybkieZwrotyTerms

LIMIT = 1000


@dataclass(frozen=True)
class Question:
    """Which codes are asked for; None and nothing stand for all."""

    used: bool | None
    active: bool | None
    pack_code: str
    code: str
    rma: str
    since: date | None
    until: date | None
    limit: int
    skip: int


def question_in(sections: Sections, terms: SzybkieZwrotyTerms) -> Question:
    """Read the three sections, or refuse them."""
    section, days, paging = (sections.get(name, NOTHING) for name in (ROOT, "dateRange", "paging"))
    offset = _number(paging, "offset", terms.first_row, least=0, most=10**9)
    return Question(
        used=_truth(section, "used"),
        active=_truth(section, "active"),
        pack_code=section.get("packCode", ""),
        code=section.get("code", ""),
        rma=section.get("rma", ""),
        since=_day(days, "startDate"),
        until=_day(days, "endDate"),
        limit=_number(paging, "limit", LIMIT, least=1, most=LIMIT),
        skip=max(0, offset - terms.first_row),
    )


def rows_of(codes: Iterable[Code], question: Question, now: datetime, terms: SzybkieZwrotyTerms) -> list[list[Element]]:
    """Give the page that was asked for."""
    zone = ZoneInfo(terms.zone)
    found = [one for one in codes if one.order is not None and _meets(one, question, now, zone)]
    return [_row(one, now, zone) for one in found[question.skip :][: question.limit]]


def _meets(code: Code, question: Question, now: datetime, zone: ZoneInfo) -> bool:
    made = code.created_at.astimezone(zone).date()
    return (
        question.used in (None, code.used)
        and question.active in (None, code.active(now))
        and question.pack_code in ("", code.pack_code)
        and question.code in ("", code.code)
        and question.rma in ("", code.order.rma if code.order else "")
        and (question.since or made) <= made <= (question.until or made)
    )


def _row(code: Code, now: datetime, zone: ZoneInfo) -> list[Element]:
    """Write one row: the fields of the page, those that it does not name by analogy."""
    order = code.order
    assert order is not None
    return [
        ("operatorEmail", code.account.email),
        ("reverseReturnPackCode", code.pack_code),
        ("code", code.code),
        ("rma", order.rma),
        ("active", truth(code.active(now))),
        ("dateUsed", _moment(code.used_at, zone)),
        ("dateCreated", _moment(code.created_at, zone)),
        ("senderPhone", order.phone),
        ("senderEmail", order.email),
        ("reverseReturnPackStatus", code.status),
        ("reverseReturnPackStatusDate", _moment(code.status_at, zone)),
        ("labelAttached", "false"),
        ("returnDescription1", order.description),
    ]


def _moment(moment: datetime | None, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%dT%H:%M:%S}" if moment else ""


def _truth(section: Section, name: str) -> bool | None:
    text = section.get(name, "").lower()
    if text not in ("", "true", "false"):
        raise Refused("Invalid", name)
    return text == "true" if text else None


def _day(section: Section, name: str) -> date | None:
    text = section.get(name, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Refused("Invalid", name) from None


def _number(section: Section, name: str, default: int, *, least: int, most: int) -> int:
    text = section.get(name) or str(default)
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and least <= int(text) <= most):
        raise Refused("Invalid", name)
    return int(text)
