"""What fields of a body have in common: one reading of numbers and of times, which guesses at neither."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

_WRITTEN: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")


def _written(value: object) -> object:
    """Refuse what pydantic would take for seconds since 1970: a number, or a text that is one."""
    if isinstance(value, datetime) or (isinstance(value, str) and _WRITTEN.match(value)):
        return value
    raise ValueError("must be a date and a time with its offset, as ISO 8601 writes it")


def _utc(time: datetime) -> datetime:
    """Write the same moment in one way."""
    return time.astimezone(UTC)


Number = Annotated[int, Field(ge=1, lt=10**18, strict=True)]
"""One of the carrier's numbers: a number, never `true` or a text."""
Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(9000, 1, 1, tzinfo=UTC)),
    BeforeValidator(_written),
    AfterValidator(_utc),
]
"""A moment, with its offset; in UTC from here on."""
