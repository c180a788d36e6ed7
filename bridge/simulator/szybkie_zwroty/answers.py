"""Answers in XML, with the names of the pages, valid or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias
from xml.sax.saxutils import escape

from starlette.responses import Response

from bridge.simulator.szybkie_zwroty.refusals import Refused
from bridge.simulator.szybkie_zwroty.terms import SzybkieZwrotyTerms

Element: TypeAlias = "tuple[str, str | Sequence[Element]]"
"""A name, and the text or the elements in it."""

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def answer(elements: Sequence[Element]) -> Response:
    """Answer with `paczkomaty` and what is in it."""
    return _xml(_written(("paczkomaty", elements)))


def rows(many: Iterable[Sequence[Element]], terms: SzybkieZwrotyTerms) -> Element:
    """Give `return` with an element for each of many, whose names are numbers as on the page."""
    numbered = terms.elements == "numbered"
    return ("return", [(str(place) if numbered else "item", row) for place, row in enumerate(many)])


def refusal(refused: Refused, terms: SzybkieZwrotyTerms) -> Response:
    """Say no, with 200 unless the scenario knows better."""
    key = f' key="{refused.key}"' if terms.errors == "key" else ""
    body = f"<paczkomaty><error{key}>{escape(refused.text)}</error></paczkomaty>"
    return _xml(body, terms.error_status)


def failed(_: str) -> Response:
    """Say that the provider failed."""
    return _xml(f"<paczkomaty><error>{Refused('Internal').text}</error></paczkomaty>", 500)


def truth(value: bool) -> str:
    return "true" if value else "false"


def _written(element: Element) -> str:
    name, content = element
    inner = escape(content) if isinstance(content, str) else "".join(map(_written, content))
    return f"<{name}>{inner}</{name}>"


def _xml(body: str, status: int = 200) -> Response:
    return Response(DECLARATION + body, status, media_type="text/xml")
