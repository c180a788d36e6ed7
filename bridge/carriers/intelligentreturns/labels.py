"""Labels as answers hold them: base64 of a PDF, or of an image where another format was wished for."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from bridge.returns.ticket import ReturnLabel

_BEGINNINGS: Final = {
    b"%PDF-": "pdf",
    b"\x89PNG\r\n\x1a\n": "png",
    b"GIF8": "gif",
    b"\xff\xd8\xff": "jpeg",
    b"^XA": "zpl",
}


def label(text: str | None) -> ReturnLabel | None:
    """Read a label by how it begins; None where it is none, for the return was made all the same."""
    try:
        content = base64.b64decode("".join((text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    form = next((form for beginning, form in _BEGINNINGS.items() if content.startswith(beginning)), None)
    return None if form is None else ReturnLabel(content, form)
