"""Reading the `content` of a call: sections of elements, beside each other or one in the other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from bridge.simulator.szybkie_zwroty.refusals import Refused
from bridge.simulator.szybkie_zwroty.terms import SzybkieZwrotyTerms

Section = Mapping[str, str]
Sections = Mapping[str, Section]

ROOT: Final = "paczkomaty"
OF_REPORTS: Final = frozenset({"dateRange", "paging"})
DECLARATION: Final = re.compile(r"\A\s*<\?xml[^>]*\?>")
NOTHING: Final[Section] = {}


def sections_in(content: str, terms: SzybkieZwrotyTerms) -> Sections:
    """Give every section by its name: texts by element. Refused for what is no XML, or has no `paczkomaty`."""
    try:
        roots = list(fromstring(f"<content>{DECLARATION.sub('', content)}</content>", forbid_dtd=True))
        found = dict(_sections(roots))
    except (ParseError, DefusedXmlException, ValueError, RecursionError):
        raise Refused("InvalidXml") from None
    if not roots or roots[0].tag != ROOT or (terms.sections == "nested" and len(roots) > 1):
        raise Refused("InvalidXml")
    return {name: section for name, section in found.items() if name not in _unread(roots[0], terms)}


def _sections(roots: list[Element]) -> Iterator[tuple[str, Section]]:
    for element in roots:
        yield element.tag, {one.tag: (one.text or "").strip() for one in element if not len(one)}
        yield from _sections([one for one in element if len(one)])


def _unread(root: Element, terms: SzybkieZwrotyTerms) -> frozenset[str]:
    """Name the sections that stand where nobody looks for them."""
    return OF_REPORTS & {one.tag for one in root} if terms.sections == "siblings" else frozenset()
