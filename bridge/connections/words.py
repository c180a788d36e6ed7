"""A connection as people see it: a row of a table."""

from __future__ import annotations

from datetime import datetime

from bridge.connections.document import state
from bridge.limits.pause import Pause
from bridge.model import Micros, moment
from bridge.store.connections import Seen

HEADS = ("connection", "state", "in flight", "since", "why")


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


def _why(pause: Pause, now: Micros) -> str:
    """Say why it is paused, and when it is tried again by itself."""
    told = f"{pause.reason}, by {pause.by}"
    if pause.probe_at is None:
        return told
    if pause.is_due(now):
        return f"{told}; tried again with the next {'look' if pause.is_about_token else 'purchase'}"
    return f"{told}; tried again at {_text(moment(pause.probe_at))}"


def _text(value: datetime) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%SZ")
