"""Phones and e-mail addresses in the forms that providers take; people write them in others."""

from __future__ import annotations

import re
from typing import Final

_GAPS: Final = re.compile(r"[\s().\-\u2010-\u2015]")
_E164: Final = re.compile(r"\+[1-9][0-9]{1,14}", re.ASCII)
_NATIONAL: Final = re.compile(r"[1-9][0-9]{8}", re.ASCII)
_EMAIL: Final = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\.[^@\s\x00-\x1f\x7f.]+")
_POLAND: Final = "+48"
_LONGEST: Final = 40
"""A number with every gap that people put into it."""


def e164(text: str) -> str | None:
    """Write a phone as `+48500600700`; nine digits are a Polish one. None where it is no phone."""
    if len(text) > _LONGEST:
        return None
    bare = _GAPS.sub("", text)
    if bare.startswith("00"):
        bare = f"+{bare[2:]}"
    if _NATIONAL.fullmatch(bare):
        bare = _POLAND + bare
    if not _E164.fullmatch(bare):
        return None
    return bare if not bare.startswith(_POLAND) or _NATIONAL.fullmatch(bare[len(_POLAND) :]) else None


def nine_digits(text: str) -> str | None:
    """Write a Polish phone as `500600700`. None where it is no phone, or one from elsewhere."""
    found = e164(text)
    return found[len(_POLAND) :] if found and found.startswith(_POLAND) else None


def is_email(text: str) -> bool:
    """Say whether it looks like an e-mail address; whether there is one, nobody can say."""
    return _EMAIL.fullmatch(text) is not None
