"""Szybkie Zwroty's documents: what only looks like XML is made XML, and what is read of it is read by allow-list.

Lists number their elements (`<0>`, `<1>`), which is no XML: https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL
/pages/102137857 (sample; read 2026-10). Whether they really come so is not known, so both forms are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from bridge.carriers import xml

_NUMBERED: Final = re.compile(r"<(/?)([0-9]{1,9})(?=[\s/>])", re.ASCII)
_CODE: Final = re.compile(r"[0-9A-Za-z-]{1,64}", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9A-Za-z]{1,40}", re.ASCII)
_WORD: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}", re.ASCII)
_LONGEST: Final = 255
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


def document(body: bytes) -> Element:
    """Read a document. Raises Unreadable."""
    return xml.read(body, lambda text: _NUMBERED.sub(r"<\1item_\2", text))


def is_refusal(root: Element) -> bool:
    """Say whether it is one: an `error` that says anything, wherever it stands. What it says may be anybody's data."""
    return any(_says_something(one) for one in _within(root, "error"))


def has_section(root: Element) -> bool:
    """Say whether there is a place that answers stand in."""
    return any(True for _ in _within(root, "return"))


def coded(root: Element) -> Iterator[Element]:
    """Give the elements that are about one code each: a section itself, or what stands in it."""
    return (one for one in _within(root, "return") if one.find("code") is not None)


def code(parent: Element) -> str | None:
    """Read a code, in its safe form."""
    return _matching(parent, "code", _CODE)


def word(parent: Element, name: str) -> str | None:
    """Read a word in its safe form."""
    return _matching(parent, name, _WORD)


def number(parent: Element, name: str) -> str | None:
    """Read a tracking number in its safe form."""
    return _matching(parent, name, _NUMBER)


def flag(parent: Element, name: str) -> bool | None:
    """Read a truth value, in any case."""
    return _FLAGS.get((text(parent, name) or "").lower())


def moment(parent: Element, name: str, zone: ZoneInfo) -> datetime | None:
    """Read a moment; one that names no zone is taken to be in this one."""
    try:
        found = datetime.fromisoformat(text(parent, name) or "")
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def text(parent: Element, name: str) -> str | None:
    """Read a text, trimmed; None where there is none, where elements stand in it, or where two say different things."""
    found = parent.findall(name)
    said = {(one.text or "").strip() for one in found}
    if len(said) != 1 or any(map(len, found)):
        return None
    return said.pop()[:_LONGEST] or None


def _matching(parent: Element, name: str, form: re.Pattern[str]) -> str | None:
    found = text(parent, name)
    return found if found is not None and form.fullmatch(found) else None


def _says_something(part: Element) -> bool:
    said = (part.text, *part.attrib.values(), *(one.tail for one in part))
    return any(one and one.strip() for one in said)


def _within(root: Element, name: str) -> Iterator[Element]:
    """Give elements of a name and all that stands in them, in order, each once however deep they are in each other."""
    waiting = [(root, False)]
    while waiting:
        one, is_inside = waiting.pop()
        is_inside = is_inside or _name(one) == name
        if is_inside:
            yield one
        waiting.extend((child, is_inside) for child in reversed(one))


def _name(element: Element) -> str:
    """Give the name in small letters, without its namespace."""
    return element.tag.rpartition("}")[2].lower()
