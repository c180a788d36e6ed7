"""What connections add to the health of a process: every replica says the same, because it is read off the rows.

A connection that is not configured any more adds nothing: nobody would ever learn that its carrier came back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

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
            resume = f"bridge connections resume {seen.name}"
            told.append(f"{seen.name} is paused ({pause.reason}, by {pause.by}): nothing is bought until {resume}")
        if seen.is_away:
            told.append(f"{seen.name}: the carrier gives no usable answer; it is tried again by itself")
    return told


def show(found: Sequence[Seen], metrics: Metrics) -> None:
    """Set the gauges."""
    for seen in _used(found):
        metrics.connection_paused.labels(seen.name).set(seen.connection.pause is not None)
        metrics.connection_breaker_open.labels(seen.name).set(seen.is_away)


def _used(found: Sequence[Seen]) -> list[Seen]:
    return [seen for seen in found if seen.is_configured]
