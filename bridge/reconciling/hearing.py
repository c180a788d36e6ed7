"""How an organization's webhooks do, concluded from what had to be asked for and what was parked: pure, and slow to
change its mind."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, get_args

from bridge.model import OrganizationId
from bridge.observability import Metrics
from bridge.store.connections import shipx
from bridge.store.hearing import Arrived, Hearing, State
from bridge.store.strays import Strays

ENOUGH: Final = 3
"""How many shipments must have had news that no webhook told, or webhooks been parked: two may be an accident."""
CALM: Final = timedelta(minutes=30)
"""How long nothing may have been missed before all is well again, and none come before some are none."""
_REGISTER: Final = "see that the URL of `bridge webhook url` is registered in the Manager, and that it is reachable"
ADVICE: Final = {
    "silent": _REGISTER,
    "missing": _REGISTER,
    "foreign_organization": "the URL is registered in another organization's Manager account: register each"
    " organization's own URL (`bridge webhook url`)",
    "unconfigured_proxy": "name the proxy's network in BRIDGE_WEBHOOK__TRUSTED_PROXIES of the receivers, and replay"
    " what is parked",
}
_WHAT: Final = {
    "silent": "no webhooks come",
    "missing": "some webhooks do not come",
    "foreign_organization": "webhooks of another organization come",
    "unconfigured_proxy": "webhooks come through a proxy that is not trusted, and have no effect",
}


def judge(before: Hearing, missed: int, arrived: Arrived, now: datetime) -> Hearing:
    """Say how webhooks do, after so many more were missed and these arrived.

    Without any webhook nothing shows that they come again; with some, a time without a miss does. Where some come now
    and then, it takes as long a time without any before they count as silent again.
    """
    after = _counted(before, missed, arrived.accepted_at, now)
    state = _state(before, after, arrived.strays, now)
    return replace(after, state=state, since=before.since if state == before.state else now)


def _counted(before: Hearing, missed: int, heard_at: datetime | None, now: datetime) -> Hearing:
    """Count on, or begin anew after a calm time."""
    heard_at = max((at for at in (before.heard_at, heard_at) if at is not None), default=None)
    if before.missed_at is not None and not missed and _is_calm(before.missed_at, heard_at, now):
        return Hearing(heard_at=heard_at)
    return replace(
        before,
        missed=before.missed + missed,
        unheard=(0 if _is_over(before.missed_at, heard_at) else before.unheard) + missed,
        missed_at=now if missed else before.missed_at,
        heard_at=heard_at,
    )


def _state(before: Hearing, counted: Hearing, strays: Strays, now: datetime) -> State:
    """Choose the worst: what keeps all webhooks away comes before what keeps some.

    A proxy that is not trusted explains a silence, another organization's webhooks do not.
    """
    heard_at = counted.heard_at
    is_long_unheard = heard_at is None or now - heard_at > CALM
    unproxied = sum(not _is_over(at, heard_at) for at in strays.unproxied)
    if unproxied >= ENOUGH and is_long_unheard:
        return "unconfigured_proxy"
    is_partly_heard = before.state in ("missing", "foreign_organization")
    if counted.unheard >= ENOUGH and (is_long_unheard or not is_partly_heard):
        return "silent"
    if len(strays.foreign) >= ENOUGH and not _is_calm(strays.foreign[0], heard_at, now):
        return "foreign_organization"
    return "missing" if counted.missed >= ENOUGH else "healthy"


def _is_over(at: datetime | None, heard_at: datetime | None) -> bool:
    """Say whether a webhook was accepted after that."""
    return at is not None and heard_at is not None and heard_at > at


def _is_calm(at: datetime, heard_at: datetime | None, now: datetime) -> bool:
    """Say whether that was long ago, and webhooks come."""
    return _is_over(at, heard_at) and now - at > CALM


def told(one: Hearing) -> str | None:
    """Say in words what is wrong; None where nothing is."""
    if one.state == "healthy":
        return None
    last = "" if one.heard_at is None else f", the last one came {one.heard_at:%Y-%m-%d %H:%M:%S} UTC"
    since = "" if one.since is None else f" since {one.since:%Y-%m-%d %H:%M:%S} UTC"
    missed = f": {one.missed} shipments had news that only asking found" if one.missed else ""
    return f"{_WHAT[one.state]}{since}{missed}{last}"


def warnings(found: Mapping[OrganizationId, Hearing]) -> list[str]:
    """Say which organizations' webhooks do not come as they should."""
    said = ((organization, told(one)) for organization, one in found.items())
    return [
        f"organization {number}: {text}; {ADVICE[found[number].state]}" for number, text in said if text is not None
    ]


def show(found: Mapping[OrganizationId, Hearing], organizations: Collection[OrganizationId], metrics: Metrics) -> None:
    """Set the gauges of these organizations; nothing that is found says that webhooks come."""
    for organization in organizations:
        present = found.get(organization, Hearing()).state
        for state in get_args(State):
            metrics.webhook_health.labels(shipx(organization), state).set(state == present)
