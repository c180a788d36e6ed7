"""What is ordered with an active code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from bridge.simulator.szybkie_zwroty.content import NOTHING, ROOT, Section, Sections
from bridge.simulator.szybkie_zwroty.refusals import Refused
from bridge.simulator.szybkie_zwroty.terms import SzybkieZwrotyTerms

PLAIN: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
DATES: Final = {
    "strict": re.compile(PLAIN),
    "lenient": re.compile(PLAIN + r"(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?"),
}
"""The page's own form; a working client sends an offset and is served."""
FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    "packType": re.compile("[ABC]"),
    "senderPhone": re.compile("[0-9]{9}"),
    "senderEmail": re.compile(r"[^@\s]+@[^@\s]+"),
}


@dataclass(frozen=True)
class Order:
    """The parcel that a code is good for, and until when."""

    rma: str
    pack_type: str
    until: datetime
    phone: str
    email: str
    description: str


def order_in(sections: Sections, now: datetime, terms: SzybkieZwrotyTerms, *, rma_needed: bool) -> Order:
    """Read an order, or refuse it for the first element that is missing or wrong."""
    section = sections.get(ROOT, NOTHING)
    rma = needed(section, "rma") if rma_needed else section.get("rma", "")
    texts = {name: _formed(section, name) for name in FORMS}
    until = _moment(needed(section, "expirationDate"), terms)
    if until <= now:
        raise Refused("Invalid", "expirationDate")
    if "address" in sections:
        needed(sections["address"], "name")
    description = section.get("returnDescription1", "")
    return Order(rma, texts["packType"], until, texts["senderPhone"], texts["senderEmail"], description)


def needed(section: Section, name: str) -> str:
    """Give an element's text, or refuse its absence."""
    text = section.get(name, "")
    if not text:
        raise Refused("Required", name)
    return text


def _formed(section: Section, name: str) -> str:
    text = needed(section, name)
    if not FORMS[name].fullmatch(text):
        raise Refused("Invalid", name)
    return text


def _moment(text: str, terms: SzybkieZwrotyTerms) -> datetime:
    """Read a moment; without an offset it is in the zone of the scenario, which no page names."""
    if not DATES[terms.dates].fullmatch(text):
        raise Refused("Invalid", "expirationDate")
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(terms.zone))).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused("Invalid", "expirationDate") from None
