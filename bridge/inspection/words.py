"""Moments and counts as people read them."""

from __future__ import annotations

from datetime import datetime


def clock(at: datetime) -> str:
    """Write a moment as the timeline does."""
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03}Z"


def due(at: datetime, now: datetime) -> str:
    """Say when something is to happen."""
    return f"at {clock(at)}" if at > now else f"now: it has been due since {clock(at)}"


def times(n: int) -> str:
    """Say how often."""
    return "once" if n == 1 else f"{n} times"
