"""Trails of parcels as the carrier tells everybody, each kept for some seconds: callers cannot use up its calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from bridge.errors import CarrierUnavailable
from bridge.ports.shipping import Tracker
from bridge.shipping.answers import Answers
from bridge.tracking.trail import Tracking

KEPT_S: Final = 10.0
_MOST: Final = 1000
NOBODY: Final = CarrierUnavailable("no_token")
"""No organization here has a token, under which it could be asked."""


class Trails:
    """Asks any of the organizations' trackers: it is a public resource. `time` is a monotonic clock in seconds."""

    def __init__(self, trackers: Sequence[Tracker], time: Callable[[], float]) -> None:
        self._trackers = tuple(trackers)
        self._answers = Answers(self._ask, time, kept_s=KEPT_S, most=_MOST)

    async def find(self, number: str) -> Tracking:
        """Give a parcel's trail. Raises CarrierRefused or CarrierUnavailable."""
        return await self._answers.give(number)

    async def _ask(self, number: str) -> Tracking:
        """Ask, under another organization's turn where one has none."""
        error = NOBODY
        for tracker in self._trackers:
            try:
                return await tracker.track(number)
            except CarrierUnavailable as unavailable:
                error = unavailable
        raise error
