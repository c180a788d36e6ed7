"""Pages of lists, in the envelope that all of them have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlencode

from bridge.simulator.documents import HREF, Document
from bridge.simulator.errors import Refusal

T = TypeVar("T")
Query = Mapping[str, str]

MAX_PER_PAGE = 100


def page_of(found: Sequence[T], path: str, query: Query, write: Callable[[T], Document]) -> Document:
    """Answer one page. `query` is what was understood of it: only its absence from `href` tells what was not."""
    page, per_page = max(1, _number(query, "page", 1)), _number(query, "per_page", 25)
    size = min(MAX_PER_PAGE, max(1, per_page))
    return {
        "href": f"{HREF}{path}?{urlencode(query)}",
        "count": len(found),
        "page": page,
        "per_page": per_page,  # an echo: more than 100 is cut all the same
        "items": [write(one) for one in found[(page - 1) * size : page * size]],
    }


def moment_in(name: str, text: str) -> datetime:
    """Read ISO 8601 or Unix time."""
    try:
        if text.isdecimal():
            return datetime.fromtimestamp(int(text), UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise Refusal(400, "invalid_parameter", details={name: ["invalid"]}) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(query: Query, name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise Refusal(400, "invalid_parameter", details={name: ["not_an_integer"]})
    return int(text)
