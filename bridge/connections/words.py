"""A connection as it is shown: to programs as a document, to people as a row of a table."""

from __future__ import annotations

from datetime import datetime

from bridge.limits.pause import Pause
from bridge.model import Micros, moment
from bridge.store.connections import Seen

HEADS = ("connection", "state", "in flight", "since", "why")


def document(seen: Seen) -> dict[str, object]:
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


def state(seen: Seen) -> str:
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


def row(seen: Seen) -> tuple[str, ...]:
    """Describe a connection for people, a cell for each of HEADS."""
    since, why = _against(seen)
    return seen.name, state(seen), str(seen.in_flight), "" if since is None else _text(moment(since)), why


def _against(seen: Seen) -> tuple[Micros | None, str]:
    """Say since when and why nothing is bought, where something stands against it."""
    if not seen.is_configured:
        return None, "the settings have no token for it"
    if (pause := seen.connection.pause) is not None:
        return pause.since, _why(pause, seen.at)
    if (since := seen.connection.degraded_since) is not None:
        return since, "the carrier gives no usable answer, asks to wait, or refuses the token"
    return None, ""


def _document(pause: Pause) -> dict[str, object]:
    return {
        "reason": pause.reason,
        "since": moment(pause.since),
        "by": pause.by,
        "next_probe": _moment(pause.probe_at),
    }


def _why(pause: Pause, now: Micros) -> str:
    """Say why it is paused, and when it is tried again by itself."""
    told = f"{pause.reason}, by {pause.by}"
    if pause.probe_at is None:
        return told
    if pause.is_due(now):
        return f"{told}; tried again with the next {'look' if pause.is_about_token else 'purchase'}"
    return f"{told}; tried again at {_text(moment(pause.probe_at))}"


def _moment(value: int | None) -> datetime | None:
    return None if value is None else moment(value)


def _text(value: datetime) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%SZ")
