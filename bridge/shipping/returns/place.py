"""Where a page of a list ends, and the next one begins: the moment of the last one shown, and its id."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bridge.model import micros
from bridge.web import numbers
from bridge.web.parameters import cursor
from bridge.web.problems import bad_field


def written(at: datetime, id_: str) -> str:
    """Write it as a cursor."""
    return f"{micros(at)}.{id_}"


def _read(text: str) -> tuple[int, str]:
    at, _, id_ = text.partition(".")
    if not (numbers.is_number(at) and id_.isascii() and id_.isalnum()):
        raise bad_field("after", "bad_cursor", "is not a cursor of this list")
    return int(at), id_


AFTER: Final = cursor(_read)
