"""The carrier's two ways of writing a moment, both in Polish local time."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

WARSAW = ZoneInfo("Europe/Warsaw")


def event_ts(moment: datetime) -> str:
    """Write `2026-03-20 15:08:42 +0100`: whole seconds, no `T`, no colon in the offset.

    https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153494/Webhooks
    """
    return moment.astimezone(WARSAW).strftime("%Y-%m-%d %H:%M:%S %z")


def timestamp(moment: datetime) -> str:
    """Write `2026-03-18T12:36:58.279+01:00`, as in `expires_at` and everything inside a resource."""
    return moment.astimezone(WARSAW).isoformat(timespec="milliseconds")
