"""A connection as programs read it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from typing_extensions import TypedDict

from bridge.limits.breaker import BreakerState
from bridge.limits.pause import Pause
from bridge.model import moment
from bridge.store.connections import Seen

State = Literal["not_configured", "paused", "carrier_away", "asked_to_wait", "degraded", "ready"]


class ShownPause(TypedDict):
    """Why nothing is bought; `next_probe` is null where only a person ends it."""

    reason: str
    since: datetime
    by: str
    next_probe: datetime | None


class ShownBreaker(TypedDict):
    """Whether the carrier is left alone, because it gave no usable answers."""

    state: BreakerState
    failures: int
    open_until: datetime | None


class ShownConnection(TypedDict):
    """A carrier connection. `state` says in one word what stands against a purchase, the weightiest first."""

    name: str
    state: State
    paused: ShownPause | None
    breaker: ShownBreaker
    degraded_since: datetime | None
    not_before: datetime | None
    in_flight: int


class ConnectionPage(TypedDict):
    """Every connection: there are never so many that they would come in pages."""

    items: Sequence[ShownConnection]
    next: None


def document(seen: Seen) -> ShownConnection:
    """Describe a connection for programs."""
    connection, pause = seen.connection, seen.connection.pause
    return {
        "name": seen.name,
        "state": state(seen),
        "paused": None if pause is None else _document(pause),
        "breaker": {
            "state": seen.breaker,
            "failures": connection.breaker.failures,
            "open_until": _moment(connection.breaker.open_until),
        },
        "degraded_since": _moment(connection.degraded_since),
        "not_before": _moment(connection.not_before) if connection.not_before > seen.at else None,
        "in_flight": seen.in_flight,
    }


def state(seen: Seen) -> State:
    """Say in one word what stands against a purchase, the weightiest first."""
    if not seen.is_configured:
        return "not_configured"
    if seen.connection.pause is not None:
        return "paused"
    if seen.is_away:
        return "carrier_away"
    if seen.connection.not_before > seen.at:
        return "asked_to_wait"
    return "degraded" if seen.connection.degraded_since is not None else "ready"


def _document(pause: Pause) -> ShownPause:
    return {
        "reason": pause.reason,
        "since": moment(pause.since),
        "by": pause.by,
        "next_probe": _moment(pause.probe_at),
    }


def _moment(value: int | None) -> datetime | None:
    return None if value is None else moment(value)
