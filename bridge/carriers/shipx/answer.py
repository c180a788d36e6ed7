"""What comes back from ShipX, and what kind of answer it is: by status first, error key second, never by text.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/28639229 (errors)
The edge in front of it answers HTML at times, so only a readable body counts as an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from pydantic import ValidationError

from bridge.carriers.shipx import bulk, problems, wire
from bridge.carriers.shipx.calls import Call
from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.limits.connection import LONGEST_REST_S


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and when by the carrier's clock. Neither its headers nor its body is for logs."""

    status: int
    at: datetime
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def told(headers: Mapping[str, str]) -> datetime | None:
    """Read the carrier's clock, which decides what has expired; None where an answer does not tell the time."""
    try:
        date = parsedate_to_datetime(headers["date"])
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        return None


def judged(answer: Answer, call: Call) -> Answer:
    """Pass a success on; decide about everything else by status first, error key second, never by text.

    Where the call was about many, a refusal says which of them are its reason, and of which field in each.
    """
    status = answer.status
    if 200 <= status < 300:
        return answer
    if status == httpx.codes.TOO_MANY_REQUESTS or not 400 <= status < 500:
        raise CarrierUnavailable("not_now", status=status, retry_after=_retry_after(answer))
    try:
        key = wire.Refusal.model_validate_json(answer.body).error
    except ValidationError:
        raise CarrierUnavailable("unreadable_answer", status=status) from None
    items = bulk.named(answer.body, call.about) if call.about else ()
    fields = problems.read(answer.body, call.names)
    raise CarrierRefused(key if key in wire.ERROR_KEYS else "other", status=status, items=items, fields=fields)


def _retry_after(answer: Answer) -> float | None:
    text = answer.headers.get("retry-after", "")
    return min(float(text), LONGEST_REST_S) if text.isdecimal() and len(text) < 6 else None
