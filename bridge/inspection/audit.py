"""`bridge audit`: the five identities of the books, with their figures, and what stands against each."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, TextIO

from pydantic_core import to_json

from bridge.inspection.words import clock
from bridge.store.audit import Audit, Counted, Difference, Identity, Purchases, survey
from bridge.store.audit.scope import Stage
from bridge.store.database import ManagedDatabase

_DAYS: Final = 7
"""So many of the newest days are shown to people; programs get all of them."""
_COUNTERS: Final = ("accepted", "duplicate", "parked", "refused")


async def audit(
    database: ManagedDatabase, *, now: datetime, since: datetime | None, settle: timedelta, as_json: bool
) -> int:
    """Print the audit; gives the exit code."""
    progress = Progress(sys.stderr)
    try:
        found = await database.survey(
            lambda transaction: survey(transaction, now, since, settle=settle, watch=progress.show)
        )
    finally:
        progress.end()
    print(document(found) if as_json else page(found))
    return 0 if found.is_balanced else 1


class Progress:
    """A line on a terminal that says how far a long look has come; nothing where there is no terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream if stream.isatty() else None
        self._shown = ""

    def show(self, stage: Stage, share: float) -> None:
        """Say how much of a stage is done. Called from the thread that reads."""
        line = f"audit: {stage} {share:.0%}"
        if self._stream is not None and line != self._shown:
            print(f"\r\x1b[K{line}", end="", file=self._stream, flush=True)
            self._shown = line

    def end(self) -> None:
        """Take the line away."""
        if self._stream is not None and self._shown:
            print("\r\x1b[K", end="", file=self._stream, flush=True)


def page(found: Audit) -> str:
    """Write an audit for people."""
    since = "" if found.since is None else f", of what is new since {clock(found.since)}"
    head = f"The books at {clock(found.at)}{since}"
    end = "Balanced." if found.is_balanced else f"Not balanced: {', '.join(_broken(found))}."
    identities = [line for one in found.identities for line in _identity(one)]
    return "\n".join([head, "", *identities, *_purchases(found.purchases), *_counters(found.counters), end])


def document(found: Audit) -> str:
    """Write an audit for programs."""
    return to_json(
        {
            "at": found.at,
            "since": found.since,
            "balanced": found.is_balanced,
            "identities": [
                {
                    "key": one.key,
                    "says": one.says,
                    "balanced": one.is_balanced,
                    "figures": one.figures,
                    "differences": one.differences,
                }
                for one in found.identities
            ],
            "purchases": found.purchases,
            "counters": [{"day": one.day, "organization": one.organization, **one.counters} for one in found.counters],
        },
        indent=2,
    ).decode()


def _broken(found: Audit) -> list[str]:
    return [f"({one.key})" for one in found.identities if not one.is_balanced]


def _identity(one: Identity) -> Iterator[str]:
    yield f"({one.key}) {'ok' if one.is_balanced else 'DIFFERENT'}: {one.says}"
    yield f"    {_listed(one.figures)}"
    for difference in one.differences:
        yield from _difference(difference)
    yield ""


def _difference(difference: Difference) -> Iterator[str]:
    yield f"    {difference.rows:,} {difference.what}"
    for example in difference.examples:
        yield "      " + ", ".join(f"{key} {value}" for key, value in example.items() if value is not None)
    if difference.examples and difference.rows > len(difference.examples):
        yield f"      … and {difference.rows - len(difference.examples):,} more"


def _purchases(days: Sequence[Purchases]) -> Iterator[str]:
    rows = [[one.day, str(one.organization), *_numbers(one.bought, one.succeeded, one.adopted)] for one in days]
    yield from _table(["purchases", "organization", "bought", "succeeded", "adopted"], rows)


def _counters(days: Sequence[Counted]) -> Iterator[str]:
    rows = [
        [one.day, str(one.organization), *_numbers(*(one.counters.get(name, 0) for name in _COUNTERS))] for one in days
    ]
    yield from _table(["webhooks", "organization", *_COUNTERS], rows)


def _numbers(*numbers: int) -> list[str]:
    return [f"{number:,}" for number in numbers]


def _table(head: list[str], rows: Sequence[list[str]]) -> Iterator[str]:
    """Write the rows of the newest days under their heads, the columns aligned."""
    if not rows:
        return
    days = sorted({row[0] for row in rows})
    lines = [head, *(row for row in rows if row[0] in days[-_DAYS:])]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for first, *rest in lines:
        yield "  ".join([first.ljust(widths[0]), *map(str.rjust, rest, widths[1:])])
    if len(days) > _DAYS:
        yield "earlier days: --json"
    yield ""


def _listed(figures: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {name}" for name, n in figures.items())
