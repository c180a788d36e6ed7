"""How an organization's webhooks do, concluded from what had to be asked for: pure, and slow to change its mind."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, get_args

from bridge.model import OrganizationId
from bridge.observability import Metrics
from bridge.store.connections import shipx
from bridge.store.hearing import Hearing, State

ENOUGH: Final = 3
"""How many shipments must have had news that no webhook told: one or two may be an accident."""
CALM: Final = timedelta(minutes=30)
"""How long nothing may have been missed before all is well again, and none come before some are none."""


ADVICE: Final = "see that the URL of `bridge webhook url` is registered in the Manager, and that it is reachable"


def judge(before: Hearing, missed: int, heard_at: datetime | None, now: datetime) -> Hearing:
    """Say how webhooks do, after so many more were missed and the last one came at `heard_at`.

    Without any webhook nothing shows that they come again; with some, a time without a miss does. Where some come now
    and then, it takes as long a time without any before they count as silent again.
    """
    heard_at = max((at for at in (before.heard_at, heard_at) if at is not None), default=None)
    is_heard = before.missed_at is not None and heard_at is not None and heard_at > before.missed_at
    if is_heard and not missed and before.missed_at is not None and now - before.missed_at > CALM:
        return _in_state(before, Hearing(heard_at=heard_at), "healthy", now)
    counted = replace(
        before,
        missed=before.missed + missed,
        unheard=(0 if is_heard else before.unheard) + missed,
        missed_at=now if missed else before.missed_at,
        heard_at=heard_at,
    )
    is_long_unheard = heard_at is None or now - heard_at > CALM
    if counted.unheard >= ENOUGH and (before.state != "missing" or is_long_unheard):
        return _in_state(before, counted, "silent", now)
    if counted.missed >= ENOUGH:
        return _in_state(before, counted, "missing", now)
    return counted


def _in_state(before: Hearing, after: Hearing, state: State, now: datetime) -> Hearing:
    return replace(after, state=state, since=before.since if state == before.state else now)


def told(one: Hearing) -> str | None:
    """Say in words what is wrong; None where nothing is."""
    if one.state == "healthy":
        return None
    what = "no webhooks come" if one.state == "silent" else "some webhooks do not come"
    last = "" if one.heard_at is None else f", the last one came {one.heard_at:%Y-%m-%d %H:%M:%S} UTC"
    since = "" if one.since is None else f" since {one.since:%Y-%m-%d %H:%M:%S} UTC"
    return f"{what}{since}: {one.missed} shipments had news that only asking found{last}"


def warnings(found: Mapping[OrganizationId, Hearing]) -> list[str]:
    """Say which organizations' webhooks do not come as they should."""
    said = ((organization, told(one)) for organization, one in found.items())
    return [f"organization {organization}: {text}; {ADVICE}" for organization, text in said if text is not None]


def show(found: Mapping[OrganizationId, Hearing], organizations: Collection[OrganizationId], metrics: Metrics) -> None:
    """Set the gauges of these organizations; nothing that is found says that webhooks come."""
    for organization in organizations:
        present = found.get(organization, Hearing()).state
        for state in get_args(State):
            metrics.webhook_health.labels(shipx(organization), state).set(state == present)
