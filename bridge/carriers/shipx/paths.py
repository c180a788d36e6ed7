"""What may stand in a path: an id or a number in its safe form, and nothing else, or it would be another path.

Whoever asks has checked that already, and said so by field; here it is the last look.
"""

from __future__ import annotations

import re
from typing import Final

_TRACKED: Final = re.compile(r"[0-9A-Za-z]{1,40}", re.ASCII)


def number(value: int) -> str:
    """Write an id."""
    if type(value) is not int or not 0 < value < 10**18:
        raise ValueError("not an id")
    return str(value)


def tracked(value: str) -> str:
    """Write a tracking number."""
    if not _TRACKED.fullmatch(value):
        raise ValueError("not a tracking number")
    return value
