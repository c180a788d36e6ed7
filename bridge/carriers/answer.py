"""What comes back from a carrier, and whether it is an answer at all: by its status, before anybody reads the body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TypeVar

from bridge.errors import CarrierUnavailable, Unreadable
from bridge.limits.connection import LONGEST_REST_S

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and when by the carrier's clock. Neither its headers nor its body is for logs."""

    status: int
    at: datetime
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def kind(self) -> str:
        """The type that it says it has, without parameters; empty where it says none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def told(headers: Mapping[str, str]) -> datetime | None:
    """Read the carrier's clock, which decides what has expired; None where an answer does not tell the time."""
    try:
        date = parsedate_to_datetime(headers["date"])
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        return None


def is_yes(answer: Answer) -> bool:
    """Say whether it is a success, or else a refusal. Raises CarrierUnavailable where it is neither.

    A redirect is neither, for nobody follows it; so are 429 and everything that the server has on itself.
    """
    status = answer.status
    if status == HTTPStatus.TOO_MANY_REQUESTS or not (200 <= status < 300 or 400 <= status < 500):
        raise CarrierUnavailable("not_now", status=status, retry_after=_retry_after(answer))
    return status < 300


def readable(read: Callable[[bytes], T], answer: Answer) -> T:
    """Give what the body is read as. A success that cannot be read is no usable answer: raises CarrierUnavailable."""
    try:
        return read(answer.body)
    except Unreadable as error:
        raise CarrierUnavailable(error.reason, status=answer.status) from None


def _retry_after(answer: Answer) -> float | None:
    text = answer.headers.get("retry-after", "")
    return min(float(text), LONGEST_REST_S) if text.isdecimal() and len(text) < 6 else None
