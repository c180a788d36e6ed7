"""A return's code as an image that a locker reads."""

from __future__ import annotations

from io import BytesIO
from typing import Final

import segno

MEDIA_TYPE: Final = "image/png"
_DOT: Final = 8
"""So many pixels for each dot: 200 by 200 for ten digits, with the margin that readers want."""


def png(code: str) -> bytes:
    """Draw it."""
    image = BytesIO()
    segno.make_qr(code, error="m").save(image, kind="png", scale=_DOT)
    return image.getvalue()
