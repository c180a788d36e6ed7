"""XML as carriers speak it. What comes is hostile until it was read: bounded, in UTF-8, and without a document type.

Size is bounded by the shell; here it is the number of elements, of attributes and of references, each of which takes
many times its bytes.
https://docs.python.org/3/library/xml.html#xml-security · docs/decisions/0020-reading-xml.md
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from bridge.errors import Unreadable

MOST_TAGS: Final = 100_000

_DECLARED: Final = re.compile(r"""<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"']*)["']""", re.ASCII)
_OURS: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
_COSTLY: Final = ("<", "=", "&")
_UNWRITABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read(body: bytes, repaired: Callable[[str], str] = str, most_tags: int = MOST_TAGS) -> Element:
    """Give the root of a document. `repaired` makes XML of what only looks like it. Raises Unreadable.

    There may be `most_tags` tags, and as many attributes and references.
    """
    text = _decoded(body)
    if any(text.count(one) > most_tags for one in _COSTLY):
        raise Unreadable("too_many_elements")
    try:
        root: Element = fromstring(repaired(text), forbid_dtd=True)
    except DefusedXmlException:
        raise Unreadable("document_type") from None
    except (ParseError, ValueError):
        # Without the cause: what a parser says quotes what it read.
        raise Unreadable("not_xml") from None
    return root


def write(root: Element) -> str:
    """Write a document, without a declaration. Raises ValueError where a text has what XML cannot hold."""
    if any(_UNWRITABLE.search(one.text or "") for one in root.iter()):
        raise ValueError("not for XML")
    return tostring(root, encoding="unicode")


def branch(name: str, *children: Element | None) -> Element:
    """Make an element of others; None is left out."""
    root = Element(name)
    root.extend(one for one in children if one is not None)
    return root


def leaf(name: str, text: str | None) -> Element | None:
    """Make an element of a text; None of none."""
    if text is None:
        return None
    one = Element(name)
    one.text = text
    return one


def _decoded(body: bytes) -> str:
    """Take UTF-8 and nothing that says it is something else: what is read twice could be read as two things.

    Letters with a NUL beside each are UTF-16 to the parser, whatever it is told.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("not_utf8") from None
    if "\0" in text:
        raise Unreadable("not_xml")
    declared = _DECLARED.match(text.lstrip())
    if declared and declared[1].lower() not in _OURS:
        raise Unreadable("another_encoding")
    return text
