"""XML for older programs: a list is its element repeated, and nothing tells text from a number or an empty list.

What it is read as has therefore lists only where an element came twice; who knows the names makes lists of the others.
The vendor's own samples hold a bare `&` (returns/get) and a bare `<` (prices), so what cannot be read is tried once
more with those written as they should have been.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal
from xml.etree.ElementTree import Element, SubElement

from bridge.carriers import xml
from bridge.carriers.intelligentreturns.tree import Tree
from bridge.errors import Unreadable

_DEEPEST: Final = 16
_MOST_TAGS: Final = 1_000_000
"""A page of a search has a thousand returns, however many articles each of them has; 20,000 events have 620,000."""
_BARE_AND: Final = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")
_BARE_LESS: Final = re.compile(r"<(?![A-Za-z_/?!])")


class XmlFormat:
    """Writes and reads it."""

    name: Final[Literal["xml"]] = "xml"

    def write(self, root: str, tree: Tree) -> str:
        """Write a request. Raises ValueError where a text cannot stand in XML."""
        element = Element(root)
        _fill(element, tree)
        return xml.write(element)

    def read(self, body: bytes) -> tuple[str, object]:
        """Read an answer, as it came or repaired. Raises Unreadable."""
        try:
            element = xml.read(body, most_tags=_MOST_TAGS)
        except Unreadable as error:
            if error.reason != "not_xml":
                raise
            element = xml.read(body, _repaired, _MOST_TAGS)
        return element.tag, _value(element, 0)


def _repaired(text: str) -> str:
    return _BARE_LESS.sub("&lt;", _BARE_AND.sub("&amp;", text))


def _value(element: Element, depth: int) -> object:
    """Give an element's children by name, or its text, trimmed: a sample has line breaks around a number."""
    if depth > _DEEPEST:
        raise Unreadable("too_deep")
    children = list(element)
    if not children:
        return (element.text or "").strip()
    return _named((child.tag, _value(child, depth + 1)) for child in children)


def _named(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Collect what came under each name: a list where it came more than once."""
    several: dict[str, list[object]] = {}
    for name, value in pairs:
        several.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in several.items()}


def _fill(element: Element, tree: Tree) -> None:
    match tree:
        case str():
            element.text = tree
        case int():
            element.text = str(tree)
        case Mapping():
            for name, value in tree.items():
                for one in _each(value):
                    _fill(SubElement(element, name), one)
        case _:
            raise TypeError("a list needs a name")


def _each(value: Tree) -> Sequence[Tree]:
    """Give what is to be repeated under one name."""
    return value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
