"""What connections add to the health of a process: every replica says the same, because it is read off the rows.

A connection that is not configured any more adds nothing: nobody would ever learn that its carrier came back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from bridge.limits.pause import AccountReason, Pause
from bridge.model import moment
from bridge.observability import Metrics
from bridge.store.connections import Seen, organization_of


def degraded(found: Sequence[Seen]) -> dict[str, datetime]:
    """Say which carriers are away or refuse us, and what is paused, each with since when."""
    away = {
        f"carrier/{organization_of(seen.name) or seen.name}": moment(seen.connection.degraded_since)
        for seen in _used(found)
        if seen.connection.degraded_since is not None
    }
    paused = {
        f"connection/{seen.name}": moment(seen.connection.pause.since)
        for seen in _used(found)
        if seen.connection.pause is not None
    }
    return away | paused


def warnings(found: Sequence[Seen]) -> list[str]:
    """Say in words what keeps purchases back."""
    told = []
    for seen in _used(found):
        if (pause := seen.connection.pause) is not None:
            told.append(f"{seen.name} is paused ({pause.reason}, by {pause.by}): {_advice(seen.name, pause)}")
        if seen.is_away:
            told.append(f"{seen.name}: the carrier gives no usable answer; it is tried again by itself")
    return told


def _advice(name: str, pause: Pause) -> str:
    """Say what ends a pause."""
    resume = f"bridge connections resume {name}"
    if not pause.ends_by_itself:
        return f"nothing is bought until {resume}"
    return f"{_MEND.get(pause.reason, _MEND_ELSE)}; then it resumes by itself, or at once by {resume}"


_MEND_ELSE: Final = "see in the carrier's Manager what is wrong with the account"
_MEND: Final[Mapping[str, str]] = {
    AccountReason.debt_collection: "top up the account, or pay what is due",
    AccountReason.company_data_missing: "complete the company and bank data in the carrier's Manager",
    AccountReason.no_carriers: "have the carrier give the organization a contract to ship with",
    AccountReason.forbidden: "set the token of this organization and restart",
}


def show(found: Sequence[Seen], metrics: Metrics) -> None:
    """Set the gauges."""
    for seen in _used(found):
        metrics.connection_paused.labels(seen.name).set(seen.connection.pause is not None)
        metrics.connection_breaker_open.labels(seen.name).set(seen.is_away)


def _used(found: Sequence[Seen]) -> list[Seen]:
    return [seen for seen in found if seen.is_configured]
