"""Whether the carrier has status words that our table does not, as the bridge found when it compared them."""

from __future__ import annotations

from typing import Final

from bridge.doctor.report import Check
from bridge.settings import Settings
from bridge.store.condition import Condition
from bridge.tracking.drift import Drift

_NAME: Final = "statuses/carrier"
_MOST: Final = 10


def examine(settings: Settings, condition: Condition | None) -> list[Check]:
    """Tell what the last comparison found; words that are not known are passed on as they are, so nothing fails."""
    if condition is None or not any(one.token for one in settings.shipx.organizations):
        return []
    if condition.words is None:
        told = "not compared with the carrier's own list yet: a bridge with a token does so once a day"
        return [Check(name=_NAME, state="skipped", told=told)]
    found = Drift.load(condition.words)
    when = f"compared on {found.at:%Y-%m-%d at %H:%M}Z"
    if not found.unknown:
        return [Check(name=_NAME, state="ok", told=f"{when}: every word of the carrier is in our table")]
    more = len(found.unknown) - _MOST
    words = ", ".join(found.unknown[:_MOST]) + (f" and {more} more" if more > 0 else "")
    advice = "look for a newer version; meanwhile they are published as they are, with the status `unknown`"
    return [
        Check(name=_NAME, state="warning", told=f"{when}: the carrier has words we do not know: {words}", do=advice)
    ]
