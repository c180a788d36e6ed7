"""What the buyer would do: its mode in words, its policy, and the table by which statuses are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bridge.app.buying import APPROVES, real_mode
from bridge.app.policy import policy_file, read_policy
from bridge.doctor.report import Check
from bridge.errors import SettingsError
from bridge.events import statuses
from bridge.settings import Settings

_WORDS: Final = {
    "auto": "offers are bought by the policy, unasked",
    "approve": "offers are chosen by the policy and held until a person approves them",
    "dry_run": "offers are chosen by the policy, and never bought",
}


async def examine(settings: Settings) -> Sequence[Check]:
    """Say what would be bought, and by which rules."""
    own = [one.id for one in settings.shipx.organizations if one.policy is not None]
    policies = [await _policy(settings, organization) for organization in (None, *own)]
    return [_mode(settings), *policies, _statuses()]


def _mode(settings: Settings) -> Check:
    if not any(one.token for one in settings.shipx.organizations):
        return Check(name="purchasing", state="skipped", told="no organization has a token, so nothing is bought")
    asked, real = settings.purchasing.mode, real_mode(settings)
    if asked == real:
        return Check(name="purchasing", state="ok", told=f"mode {real}: {_WORDS[real]}")
    advice = f"set BRIDGE_PURCHASING__MODE={real} if that is what you want"
    return Check(name="purchasing", state="warning", told=f"mode {asked} works as {real}: {APPROVES}", do=advice)


async def _policy(settings: Settings, organization: int | None) -> Check:
    name, file = "policy" if organization is None else f"policy/{organization}", policy_file(settings, organization)
    try:
        found = await read_policy(settings, organization)
    except SettingsError as error:
        return Check(name=name, state="failed", told=str(error), do=f"correct {file}")
    rules = "rules " + ", ".join(rule.id for rule in found.rules)
    return Check(name=name, state="ok", told=f"{file}: {rules}, sha256 {found.sha256[:12]}…")


def _statuses() -> Check:
    told = f"table of {statuses.TABLE_VERSION}, {len(list(statuses.words('shipx')))} words of ShipX"
    return Check(name="statuses", state="ok", told=told)
