"""What fields of a body have in common: one reading of numbers, of days and of times, which guesses at none."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, WithJsonSchema

_WRITTEN: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MINUTE: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:00)?", re.ASCII)


def _written(value: object) -> object:
    """Refuse what pydantic would take for seconds since 1970: a number, or a text that is one."""
    if isinstance(value, datetime) or (isinstance(value, str) and _WRITTEN.match(value)):
        return value
    raise ValueError("must be a date and a time with its offset, as ISO 8601 writes it")


def _day(value: object) -> object:
    if isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise ValueError("must be a day, as ISO 8601 writes it")


def _minute(value: object) -> object:
    if isinstance(value, time) or (isinstance(value, str) and _MINUTE.fullmatch(value)):
        return value
    raise ValueError("must be hours and minutes, as 09:30, without an offset")


def _utc(moment: datetime) -> datetime:
    """Write the same moment in one way."""
    return moment.astimezone(UTC)


Number = Annotated[int, Field(ge=1, lt=10**18, strict=True)]
"""One of the carrier's numbers: a number, never `true` or a text."""
Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(9000, 1, 1, tzinfo=UTC)),
    BeforeValidator(_written),
    AfterValidator(_utc),
]
"""A moment, with its offset; in UTC from here on."""
Day = Annotated[date, BeforeValidator(_day)]
"""A day, of no zone."""
Minute = Annotated[
    time, BeforeValidator(_minute), WithJsonSchema({"type": "string", "pattern": f"^{_MINUTE.pattern}$"})
]
"""A time of a day where somebody is: without an offset, and to the minute."""
