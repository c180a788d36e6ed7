"""What this process knows of an organization's buying: how busy it is, how fast calls are, how many go by one."""

from __future__ import annotations

from typing import Final

from bridge.limits.connection import Limits
from bridge.limits.rate import Rate
from bridge.purchasing.planner import Hands, Means, is_crowded
from bridge.store.outlook import Errand, Outlook

_CALL_S: Final = 0.3
"""What a call is reckoned with before one was made."""
_COMPARE_EVERY: Final = 5
"""So many calls could be made between two tries to compare a list with the read of one: a try takes three at most."""
_WEIGHT: Final = 0.2
"""Of the newest call in the average."""


class Desk:
    """One organization, as seen from here; times are the event loop's."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._busy = 0
        self._call_s = _CALL_S
        self._taken_at: dict[Errand, float] = {}
        self._compare_at = 0.0
        self._tries = 0
        self.most = 1
        self.is_crowded = False

    @property
    def free(self) -> int:
        """How many hands are."""
        return self._limits.at_once - self._busy

    @property
    def means(self) -> Means:
        per_second = 1_000_000 / Rate(self._limits.per_minute).interval
        return Means(per_second, self._limits.at_once, self._call_s, self.most)

    def seen(self, now: float) -> tuple[Means, Hands]:
        """Give what the planner goes by."""
        return self.means, Hands(self.free, {errand: now - at for errand, at in self._taken_at.items()})

    def looked_at(self, outlook: Outlook) -> None:
        """Take note of what is due."""
        self.is_crowded = is_crowded(outlook, self.means)

    def begin(self, errand: Errand, now: float) -> None:
        """Take a hand."""
        self._busy += 1
        self._taken_at[errand] = now

    def end(self) -> None:
        """Give it back."""
        self._busy -= 1

    def may_compare(self, now: float) -> bool:
        """Say whether it is time to see if lists can be believed: where it is crowded, now and then."""
        return self.is_crowded and now >= self._compare_at

    def compares(self, now: float) -> int:
        """Take note of a try; gives how many there were before."""
        self._compare_at = now + _COMPARE_EVERY / self.means.per_second
        self._tries += 1
        return self._tries - 1

    def took(self, seconds: float) -> None:
        """Take note of how long a call took, with the wait for its turn."""
        self._call_s += _WEIGHT * (seconds - self._call_s)
