"""Trails of parcels as the carrier tells everybody, each kept for some seconds: callers cannot use up its calls."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from bridge.errors import CarrierError, CarrierUnavailable
from bridge.ports.shipping import Tracker
from bridge.tracking.trail import Tracking

KEPT_S: Final = 10.0
UNKNOWN_S: Final = 2.0
"""How long it is kept that there was no answer."""
_MOST: Final = 1000
NOBODY: Final = CarrierUnavailable("no_token")
"""No organization here has a token, under which it could be asked."""


@dataclass(slots=True)
class _Kept:
    """What was answered for a number, a no as well; whoever comes while it is asked waits for the same answer."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    found: Tracking | CarrierError | None = None
    until: float = 0.0


class Trails:
    """Asks any of the organizations' trackers: it is a public resource. `time` is a monotonic clock in seconds."""

    def __init__(self, trackers: Sequence[Tracker], time: Callable[[], float]) -> None:
        self._trackers = tuple(trackers)
        self._time = time
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def find(self, number: str) -> Tracking:
        """Give a parcel's trail. Raises CarrierRefused or CarrierUnavailable."""
        kept = self._place(number)
        async with kept.lock:
            if kept.found is None or self._time() >= kept.until:
                kept.found = await self._ask(number)
                kept.until = self._time() + (UNKNOWN_S if isinstance(kept.found, CarrierUnavailable) else KEPT_S)
            if isinstance(kept.found, CarrierError):
                raise kept.found.with_traceback(None)
            return kept.found

    def _place(self, number: str) -> _Kept:
        """Give the place for a number; the ones that were not asked for longest make room."""
        kept = self._kept.setdefault(number, _Kept())
        self._kept.move_to_end(number)
        while len(self._kept) > _MOST:
            self._kept.popitem(last=False)
        return kept

    async def _ask(self, number: str) -> Tracking | CarrierError:
        """Ask, under another organization's turn where one has none."""
        error: CarrierError = NOBODY
        for tracker in self._trackers:
            try:
                return await tracker.track(number)
            except CarrierUnavailable as unavailable:
                error = unavailable
            except CarrierError as refusal:
                return refusal
        return error
