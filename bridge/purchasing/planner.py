"""What to take in hand next: a pure function of what is due, what the carrier allows, and which hands are free.

Single calls are quickest for one shipment: a read and a purchase. Where many are due and single calls would use up
their windows, a hundred are read by one call and bought by another.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from bridge.store.outlook import Errand, Outlook, Take

CALLS_EACH: Final = 2
"""A read before the purchase, and the purchase."""
PACE_S: Final = 2.0
"""Where calls are shared, they wait so long for a full one."""
_COMFORT: Final = 0.1
"""The share of what is left of a window that buying one by one may use up."""
_UNHURRIED_S: Final = 10.0
"""How long the reads of what is in doubt or accepted may take one by one."""
_RENEWALS: Final = 10
"""How many windows that are over one hand opens anew, one after the other."""
_LOOKS: Final = 100
"""How many that nobody works on are looked at by one list."""
_LOOK_PACE_S: Final = 10.0
"""So long they wait for a full one."""
_LAST_MOMENT_S: Final = 15.0
"""With less than that left, nothing waits for a full call."""


@dataclass(frozen=True, slots=True)
class Means:
    """What the carrier allows and how fast it is. `most` is how many one call may be about."""

    per_second: float
    at_once: int
    call_s: float
    most: int = 1

    @property
    def calls_per_second(self) -> float:
        """How many calls can be made: as the rate allows, and as answers come."""
        return min(self.per_second, self.at_once / self.call_s)


@dataclass(frozen=True, slots=True)
class Hands:
    """How many are free, and for how long nothing was taken for each errand."""

    free: int
    idle_s: Mapping[Errand, float] = field(default_factory=dict)


def is_crowded(outlook: Outlook, means: Means) -> bool:
    """Say whether single calls would take too much of somebody's time."""
    pairs = means.calls_per_second / CALLS_EACH
    unsettled = outlook.settle + outlook.confirm
    if unsettled > max(means.calls_per_second * _UNHURRIED_S, 1):
        return True
    return any(n > 1 and n > pairs * left * _COMFORT for left, n in _open_until(outlook))


def plan(outlook: Outlook, means: Means, hands: Hands) -> tuple[Take, ...]:
    """Say what to take: the most urgent errand first, in calls that are full where it is crowded."""
    size = means.most if is_crowded(outlook, means) else 1
    takes: list[Take] = []
    for errand in Errand:
        takes += _takes(outlook, errand, size, hands, hands.free - len(takes))
    return tuple(takes)


def projected_missed(outlook: Outlook, means: Means) -> int:
    """Say how many of the windows that are open now will close unbought, if everything goes as it should."""
    missed = 0
    for left, n in _open_until(outlook):
        calls = math.floor(means.calls_per_second * left / CALLS_EACH)
        missed = max(missed, n - max(calls, 1) * means.most)
    return missed


def _takes(outlook: Outlook, errand: Errand, size: int, hands: Hands, free: int) -> list[Take]:
    if errand is Errand.renew:
        return _renewals(outlook, size, free)
    if errand is Errand.look:
        return _looks(outlook, hands, free)
    due = outlook.due(errand)
    waits = size > 1 and hands.idle_s.get(errand, math.inf) < PACE_S and not _is_late(outlook, errand)
    if waits:
        due -= due % size
    return [Take(errand, min(size, due - taken)) for taken in range(0, due, size)][:free]


def _renewals(outlook: Outlook, size: int, free: int) -> list[Take]:
    """Make offers anew with a hand that nobody else needs: each takes a call of its own."""
    return [Take(Errand.renew, min(size, outlook.over, _RENEWALS))] if outlook.over and _is_spare(outlook, free) else []


def _looks(outlook: Outlook, hands: Hands, free: int) -> list[Take]:
    """Look at what nobody works on with such a hand, too: anybody who forges webhooks can make many of them."""
    waits = outlook.looks < _LOOKS and hands.idle_s.get(Errand.look, math.inf) < _LOOK_PACE_S
    is_due = outlook.looks > 0 and not waits
    return [Take(Errand.look, min(_LOOKS, outlook.looks))] if is_due and _is_spare(outlook, free) else []


def _is_spare(outlook: Outlook, free: int) -> bool:
    return free > (1 if outlook.wanted else 0)


def _is_late(outlook: Outlook, errand: Errand) -> bool:
    return errand is Errand.buy and any(0 < left < _LAST_MOMENT_S for left, _ in outlook.wanted)


def _open_until(outlook: Outlook) -> Iterator[tuple[float, int]]:
    """Give the seconds left of each window that is open, and how many close by then."""
    total = 0
    for left, n in outlook.wanted:
        if left > 0:
            total += n
            yield left, total
