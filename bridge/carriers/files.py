"""Files that a carrier answers: whether the bytes are what was asked for, or a page of the edge in front of it.

ShipX: a label came as `200 application/pdf` and began `%PDF-1.4`; of the other formats no answer is documented
(2026-10), so of those only the beginning is looked at, and what is surely something else is refused by its type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal

from bridge.carriers.answer import Answer
from bridge.errors import CarrierUnavailable

Format = Literal["pdf", "zpl", "epl", "zip"]
_BEGINNING: Final = 4096

_NO_FILE: Final = frozenset(
    {
        "text/html",
        "application/xhtml+xml",
        "application/json",
        "application/problem+json",
        "text/xml",
        "application/xml",
    }
)
_UNTOLD: Final = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_TYPES: Final[Mapping[Format, frozenset[str]]] = {
    "pdf": frozenset({"application/pdf", "application/x-pdf"}) | _UNTOLD,
    "zip": frozenset({"application/zip", "application/x-zip-compressed", "application/x-zip"}) | _UNTOLD,
}

_ZPL: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\^XA|[\^~C](?s:.*)\^XA)")
"""A label begins with `^XA`; a driver may write commands of its own before (`CT~~CD,~CC^~CT~`)."""
_EPL: Final = re.compile(rb"^(?:N|[qQPAB][0-9].*|GW[0-9].*)\r?$", re.MULTILINE)
"""One command a line: `N` clears the image, `q` and `Q` set its size, `A` and `B` write text and bars, `P` prints."""
_MAGIC: Final[Mapping[Format, Callable[[bytes], bool]]] = {
    "pdf": lambda content: content.startswith(b"%PDF-"),
    "zip": lambda content: content.startswith(b"PK\x03\x04"),
    "zpl": lambda content: _ZPL.match(content) is not None,
    "epl": lambda content: content.lstrip()[:1] not in (b"<", b"{", b"[", b"%") and _EPL.search(content) is not None,
}


def content(answer: Answer, *wanted: Format) -> tuple[bytes, Format]:
    """Give the file and which of the wanted formats it has. Raises CarrierUnavailable where it is none of them."""
    beginning = answer.body[:_BEGINNING]
    for one in wanted:
        is_type = answer.kind in _TYPES[one] if one in _TYPES else answer.kind not in _NO_FILE
        if is_type and _MAGIC[one](beginning):
            return answer.body, one
    raise CarrierUnavailable("not_a_label", status=answer.status)
