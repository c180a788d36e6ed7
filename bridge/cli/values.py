"""Options that several verbs take, and how their values are read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, TypeVar

import typer

from bridge.lifecycle import utc_now

_AGO: Final = re.compile(r"(\d{1,6})([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

B = TypeVar("B")


def moment(text: str, now: datetime | None = None) -> datetime:
    """Read a time: ISO 8601, in UTC where it does not say, or how long ago."""
    ago = _AGO.fullmatch(text)
    try:
        if ago:
            return (now or utc_now()) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text!r} is no time: 2026-11-20T12:00Z, or 90m, 6h, 2d for how long ago") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def body(model: type[B], **values: Any) -> B:
    """Make what a command is told. Raises BadParameter, which names the option."""
    from pydantic import ValidationError

    try:
        return model(**values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        hint = "--" + str(first["loc"][0]).replace("_", "-") if first["loc"] else None
        raise typer.BadParameter(first["msg"].removeprefix("Value error, "), param_hint=hint) from None


Since = Annotated[
    datetime | None,
    typer.Option(parser=moment, metavar="TIME", help="From this time on: 2026-11-20T12:00Z, or 90m, 6h, 2d ago."),
]
Until = Annotated[
    datetime | None, typer.Option(parser=moment, metavar="TIME", help="Before this time, written in the same way.")
]
Organizations = Annotated[
    list[int] | None, typer.Option("--organization", min=1, help="Only this organization; may be given several times.")
]
Wait = Annotated[
    float,
    typer.Option(min=0.1, max=3600, help="Seconds to wait for a running bridge to take it up; then it is withdrawn."),
]
WAIT_S: Final = 10.0
