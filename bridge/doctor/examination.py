"""The examination: settings first, then everything else at once, each part within its time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import Final

from bridge.doctor import broker, carrier, database, purchasing, returns, vocabulary, webhooks
from bridge.doctor.report import SETTINGS, Check, Report
from bridge.errors import SettingsError
from bridge.lifecycle import Clock, utc_now
from bridge.settings import Settings, load
from bridge.settings.sources import ReadText

PATIENCE_S: Final = 10.0
_PARTS: Final = ("database", "broker", "carrier", "returns", "webhook", "purchasing", "policy", "statuses")


async def examine(
    environ: Mapping[str, str],
    *,
    read_text: ReadText = Path.read_text,
    clock: Clock = utc_now,
    patience_s: float = PATIENCE_S,
) -> Report:
    """Look at everything; without settings that load there is nothing more to look at."""
    try:
        settings = load(environ, read_text)
    except SettingsError as error:
        return Report(checks=(*_refused(error), *_unexamined()))
    return Report(checks=(_accepted(settings), *await _rest(settings, clock, patience_s)))


async def _rest(settings: Settings, clock: Clock, patience_s: float) -> list[Check]:
    parts: list[tuple[str, Awaitable[Sequence[Check]]]] = [
        ("database", _stored(settings, clock)),
        ("broker", broker.examine(settings)),
        *(
            (f"carrier/{one.id}", carrier.examine(settings, one, clock, patience_s))
            for one in settings.shipx.organizations
        ),
        *((f"carrier/{one}", returns.examine(settings, one, clock, patience_s)) for one in settings.return_providers),
        ("returns", returns.examine_routes(settings)),
        ("purchasing", purchasing.examine(settings)),
    ]
    found = await asyncio.gather(*(_in_time(name, part, patience_s) for name, part in parts))
    return sorted((check for checks in found for check in checks), key=_place)


def _place(check: Check) -> int:
    return _PARTS.index(check.name.partition("/")[0])


async def _stored(settings: Settings, clock: Clock) -> list[Check]:
    """Look at the database, and at the webhooks and the words that it holds."""
    found = await database.examine(settings, clock)
    return [*found.checks, *webhooks.examine(settings, found.condition), *vocabulary.examine(settings, found.condition)]


async def _in_time(name: str, part: Awaitable[Sequence[Check]], seconds: float) -> Sequence[Check]:
    try:
        async with asyncio.timeout(seconds):
            return await part
    except TimeoutError:
        told = f"gave no answer within {seconds:g} s"
        return [
            Check(name=name, state="failed", told=told, do="see whether it is reachable from here, and how busy it is")
        ]


def _accepted(settings: Settings) -> Check:
    roles = "all roles" if len(settings.roles) == 5 else f"roles {', '.join(sorted(settings.roles))}"
    return Check(name=SETTINGS, state="ok", told=f"environment {settings.environment}, {roles}")


def _refused(error: SettingsError) -> list[Check]:
    advice = "set it right; docs/reference/settings.md explains every key"
    return [
        Check(name=SETTINGS, state="failed", told=f"{key}: {problem}", do=advice) for key, problem in error.problems
    ]


def _unexamined() -> list[Check]:
    return [Check(name=name, state="skipped", told="needs settings that load") for name in _PARTS]
