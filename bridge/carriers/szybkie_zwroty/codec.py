"""Szybkie Zwroty's calls as values: the form that is posted, and what is read of the answers.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/101384295 (an active code), …/102137857 (inactive ones),
…/101384311 (activation), …/102137888 (invalidation), …/101384332 (report)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal
from urllib.parse import urlencode
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from bridge.carriers import xml
from bridge.carriers.answer import Answer, is_yes, readable
from bridge.carriers.szybkie_zwroty import wire
from bridge.carriers.szybkie_zwroty.rules import MARGIN
from bridge.carriers.xml import branch, leaf
from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.returns.codes import CodePage, CodeQuery, ReportedCode, SpareCode
from bridge.returns.contact import nine_digits
from bridge.returns.draft import ReturnDraft
from bridge.returns.ticket import Ticket

ReportForm = Literal["siblings", "nested"]
"""How a report's question has its sections: beside each other, as a working client sends them, or one in another."""

MOST_AT_ONCE: Final = 100
"""How many codes are made by one call; what they would take is not documented."""
UNNAMED: Final = "other"
"""The key of a refusal that only people could tell the reason of."""
_WARSAW: Final = ZoneInfo("Europe/Warsaw")


@dataclass(frozen=True, slots=True)
class Call:
    """A function, and the document for it."""

    operation: str
    function: str
    content: str = field(repr=False)
    is_login: bool = False
    """Whether all that it shows is if we are let in: a refusal of it is about nothing else."""


# -- what is asked -----------------------------------------------------------------------------------------------------


def form(call: Call, email: str, password: str) -> bytes:
    """Write what is posted. Samples leave `&`, `@` and `+` as they are; everything is escaped all the same."""
    return urlencode({"email": email, "password": password, "content": call.content}).encode("ascii")


def generate_active(draft: ReturnDraft, rma: str) -> Call:
    """Make a code that can be used at once. InPost itself sends it to the customer."""
    content = branch("paczkomaty", leaf("rma", rma), *_use(draft))
    return Call("generate_active_code", "revloggenerateactivecode", xml.write(content))


def generate_inactive(count: int) -> Call:
    """Make codes in advance."""
    if not 1 <= count <= MOST_AT_ONCE:
        raise ValueError("one to a hundred at once")
    content = branch("paczkomaty", leaf("numberOfCodes", str(count)))
    return Call("generate_inactive_codes", "revloggenerateinactivecodes", xml.write(content))


def activate(code: str, draft: ReturnDraft, rma: str | None) -> Call:
    """Make a code usable. InPost tells the customer that it is, and not which one."""
    content = branch("paczkomaty", leaf("code", code), leaf("rma", rma), *_use(draft))
    return Call("activate_code", "revlogactivatecode", xml.write(content))


def invalidate(code: str) -> Call:
    """Make a code that was never activated useless."""
    return Call("invalidate_code", "revloginvalidatecode", xml.write(branch("paczkomaty", leaf("code", code))))


def report(query: CodeQuery, form: ReportForm = "siblings") -> Call:
    """Ask for a page of codes, by the day on which each was created."""
    what = branch(
        "paczkomaty",
        leaf("used", _flag(query.is_used)),
        leaf("active", _flag(query.is_active)),
        leaf("packCode", query.tracking_number),
        leaf("code", query.code),
        leaf("rma", query.rma),
    )
    days = branch("dateRange", leaf("startDate", query.since.isoformat()), leaf("endDate", query.until.isoformat()))
    page = branch("paging", leaf("limit", str(query.limit)), leaf("offset", str(query.offset)))
    if form == "nested":
        what.extend([days, page])
        return Call("report_codes", "revloggetreport", xml.write(what))
    return Call("report_codes", "revloggetreport", "".join(map(xml.write, (what, days, page))))


def smallest(now: datetime) -> CodeQuery:
    """Give what is the least to ask a report for: one code of today's."""
    return CodeQuery(now.date(), now.date(), limit=1)


# -- what is answered --------------------------------------------------------------------------------------------------


def judged(answer: Answer) -> Element:
    """Give the document. An error may come as 200; without a document of theirs, no status says anything for sure.

    Raises CarrierRefused or CarrierUnavailable.
    """
    is_ok = is_yes(answer)
    root = readable(wire.document, answer)
    if wire.is_refusal(root):
        raise CarrierRefused(UNNAMED, status=answer.status)
    if not is_ok:
        raise CarrierUnavailable("unreadable_answer", status=answer.status)
    return root


def active(draft: ReturnDraft, wanted: str | None, answer: Answer) -> Ticket:
    """Give the code that can be used now. `wanted` is the one that it must be, where it was there before.

    What names no code, several or another one says nothing of what was done: raises CarrierUnavailable.
    """
    found = {code: one for one in wire.coded(judged(answer)) if (code := wire.code(one))}
    if len(found) != 1:
        raise CarrierUnavailable("several_codes" if found else "no_code", status=answer.status)
    [(code, one)] = found.items()
    if wanted not in (None, code):
        raise CarrierUnavailable("another_code", status=answer.status)
    if wire.flag(one, "active") is False:
        raise CarrierUnavailable("not_active", status=answer.status)
    return _ticket(code, one, draft)


def found(code: ReportedCode, draft: ReturnDraft) -> Ticket:
    """Give the code that was made of a draft, as the report shows it: of its expiry that says nothing."""
    expires_at = None if draft.expires_at is None else draft.expires_at.astimezone(UTC) - MARGIN
    return Ticket(code=code.code, tracking_number=code.tracking_number, expires_at=expires_at)


def inactive(answer: Answer) -> Sequence[SpareCode]:
    """Give the codes that were made, each once. There may be fewer of them than were asked for."""
    found = {code: _spare(code, one) for one in wire.coded(judged(answer)) if (code := wire.code(one))}
    if not found:
        raise CarrierUnavailable("no_code", status=answer.status)
    return tuple(found.values())


def invalidated(answer: Answer) -> None:
    """See that the code is not valid any more. Raises CarrierRefused where it still is."""
    match wire.flag(judged(answer), "valid"):
        case True:
            raise CarrierRefused("still_valid", status=answer.status)
        case None:
            raise CarrierUnavailable("unreadable_answer", status=answer.status)


def page(query: CodeQuery, answer: Answer) -> CodePage:
    """Give a page of a report, each code once. It is the last one where it is not full: no total is told."""
    root = judged(answer)
    rows = list(wire.coded(root))
    found = {code: _reported(code, one, query) for one in rows if (code := wire.code(one))}
    unread = sum(wire.code(one) is None for one in rows)
    return CodePage(tuple(found.values()), unread, len(rows) < query.limit, is_certain=wire.has_section(root))


# -- parts -------------------------------------------------------------------------------------------------------------


def _use(draft: ReturnDraft) -> Sequence[Element | None]:
    """Write what a code is to be used for, in the order of the sample."""
    return [
        leaf("packType", draft.parcel_size),
        leaf("expirationDate", _local(draft.expires_at)),
        leaf("senderPhone", nine_digits(draft.sender.phone or "")),
        leaf("senderEmail", draft.sender.email),
        leaf("returnDescription1", draft.reference),
    ]


def _local(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(_WARSAW).replace(tzinfo=None).isoformat(timespec="seconds")


def _flag(value: bool | None) -> str | None:
    return None if value is None else str(value).lower()


def _ticket(code: str, one: Element, draft: ReturnDraft) -> Ticket:
    """Promise the earlier one of what was asked for and what they say, and two hours less."""
    ends = [end for end in (draft.expires_at, wire.moment(one, "expirationDate", _WARSAW)) if end is not None]
    return Ticket(
        provider_reference=wire.word(one, "uuid"),
        code=code,
        expires_at=min(ends).astimezone(UTC) - MARGIN if ends else None,
        parcel_size=wire.word(one, "packType") or draft.parcel_size,
    )


def _spare(code: str, one: Element) -> SpareCode:
    is_active, has_label = wire.flag(one, "active"), wire.flag(one, "labelAttached")
    return SpareCode(code, wire.word(one, "uuid"), is_active=is_active is True, has_label=has_label is True)


def _reported(code: str, one: Element, query: CodeQuery) -> ReportedCode:
    """Read a row. Where it does not say whether the code was used, the filter that it came by does."""
    pack_status, is_used = wire.word(one, "reverseReturnPackStatus"), wire.flag(one, "used")
    return ReportedCode(
        code=code,
        rma=wire.text(one, "rma"),
        tracking_number=wire.number(one, "reverseReturnPackCode"),
        is_active=wire.flag(one, "active"),
        is_used=query.is_used if is_used is None else is_used,
        pack_status=pack_status,
        has_label=wire.flag(one, "labelAttached"),
    )
