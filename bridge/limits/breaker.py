"""The breaker: a carrier that gives no usable answer is left alone for a while, longer each time.

A shipment's own calls never open it, because a forged or broken one could then stop a whole account. They only make
the connection suspected; the next call is a probe that is about no shipment, and that one decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from bridge.model import Micros

SUSPECTED_AFTER: Final = 5
"""Unusable answers in a row, of all replicas together."""
_FIRST_OPEN: Final = 2_000_000
_LONGEST_OPEN: Final = 30_000_000
_JITTER: Final = 0.25
MOST_OPEN: Final = round(_LONGEST_OPEN * (1 + _JITTER))
"""The longest time it is ever open, in microseconds."""

BreakerState = Literal["closed", "suspected", "open", "half_open"]


@dataclass(frozen=True, slots=True)
class Breaker:
    """Closed while `open_until` is None; open until then; from then on half open: one probe at a time may pass.

    Suspected is as half open, before any probe has failed.
    """

    failures: int = 0
    trips: int = 0
    """Probes in a row that failed."""
    open_until: Micros | None = None

    def state(self, now: Micros) -> BreakerState:
        """Say what it lets through."""
        if self.open_until is None:
            return "closed"
        if self.open_until > now:
            return "open"
        return "half_open" if self.trips else "suspected"

    def failed(self, now: Micros, *, is_probe: bool, dice: float) -> Breaker:
        """Count an unusable answer. `dice` is from 0 to 1, so that replicas of many bridges do not come together."""
        counted = replace(self, failures=self.failures + 1)
        if is_probe:
            return replace(counted, trips=self.trips + 1, open_until=Micros(now + _open_for(self.trips, dice)))
        if self.open_until is None and counted.failures >= SUSPECTED_AFTER:
            return replace(counted, open_until=now)
        return counted

    def sane(self, now: Micros) -> Breaker:
        """Shorten what a clock that was set back has made longer."""
        if self.open_until is None:
            return self
        return replace(self, open_until=min(self.open_until, Micros(now + MOST_OPEN)))


CLOSED: Final = Breaker()
"""What any usable answer leads to."""


def _open_for(trips: int, dice: float) -> int:
    usual = min(_FIRST_OPEN << min(trips, 10), _LONGEST_OPEN)
    return round(usual * (1 - _JITTER + 2 * _JITTER * dice))
