"""The two formats: reading what was sent as one tree, and writing answers of one tree.

XML has no lists and no types: an element that repeats is a list, everything else is text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from starlette.responses import JSONResponse, Response

from bridge.simulator.documents import Document
from bridge.simulator.intelligentreturns.failures import Failed

Format = Literal["json", "xml"]

LISTS: Final = frozenset({("order", "item"), ("return", "item"), ("item", "reason"), ("request", "services")})
"""What is a list even where it is there once, by the element that it is in."""
DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


def tree_in(text: str, form: Format) -> Mapping[str, object]:
    """Read a request: the name of its root, and what is in it."""
    return _json(text) if form == "json" else _xml(text)


def success(document: Document, form: Format, *, bare: bool = False) -> Response:
    """Answer with what was asked for; `bare` leaves ampersands as they are."""
    if form == "json":
        return JSONResponse({"success": document})
    body = _written("success", document)
    return _answer(body.replace("&amp;", "&") if bare else body, 200)


def failure(failed: Failed, form: Format, status: int) -> Response:
    """Say no: the message is a list in JSON, and a text in XML."""
    if form == "json":
        return JSONResponse({"error": {"code": failed.code, "message": [failed.message]}}, status)
    return _answer(_written("error", {"code": failed.code, "message": failed.message}), status)


def _json(text: str) -> Mapping[str, object]:
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        raise Failed("json_invalid") from None
    if not isinstance(tree, dict):
        raise Failed("request_wrong")
    return tree


def _xml(text: str) -> Mapping[str, object]:
    try:
        root = fromstring(re.sub(r"\A\s*<\?xml[^>]*\?>", "", text), forbid_dtd=True)
        return {root.tag: _read(root)}
    except (ParseError, DefusedXmlException, ValueError, RecursionError):
        raise Failed("xml_invalid") from None


def _read(element: Element) -> object:
    if not len(element):
        return (element.text or "").strip()
    tree: dict[str, object] = {}
    for child in element:
        value, earlier = _read(child), tree.get(child.tag)
        if isinstance(earlier, list):
            earlier.append(value)
        elif child.tag in tree:
            tree[child.tag] = [earlier, value]
        else:
            tree[child.tag] = [value] if (element.tag, child.tag) in LISTS else value
    return tree


def _written(name: str, value: object) -> str:
    return "".join(f"<{name}>{inner}</{name}>" for inner in _inner(value))


def _inner(value: object) -> Iterator[str]:
    """Give what stands in each element of a name: one, or as many as a list has; an empty one is one empty element."""
    match value:
        case None | False | []:
            yield ""
        case list():
            for one in value:
                yield from _inner(one)
        case dict():
            yield "".join(_written(name, one) for name, one in value.items())
        case _:
            yield escape(str(int(value) if value is True else value))


def _answer(body: str, status: int) -> Response:
    return Response(DECLARATION + body, status, media_type="application/xml")
