"""Which of a carrier's words and numbers may be published: those that have their safe form."""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9A-Za-z]{1,40}", re.ASCII)


def word(text: str | None) -> str | None:
    """Give a carrier's word where it has the form that may be published."""
    return text if text is not None and _WORD.fullmatch(text) else None


def number(text: str | None) -> str | None:
    """Give a tracking number where it has the form that may be published."""
    return text if text is not None and _NUMBER.fullmatch(text) else None
