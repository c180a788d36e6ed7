"""How far lists are believed. Whether their items say as much as the read of one is documented nowhere: it is tried.

It is tried with a shipment that has offers and payments: one without payments would show nothing of whether lists
leave them out, and what a list does not show then would pass for "not bought".

Nor is it known how many ids one list takes (seven were tried, 2026-10), so what is asked for grows with what came.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from bridge.carriers.shipx.calls import MOST_AT_ONCE

_FIRST: Final = 20


@dataclass(frozen=True, slots=True)
class Trust:
    """What was found on which day, and how many shipments one call may be about then."""

    day: date | None = None
    most: int = 1
    differ: bool = False
    """Whether a list was last seen to say something else than the read of one."""

    def is_due(self, today: date) -> bool:
        """Say whether a list has yet to be compared today."""
        return self.day != today

    def compared(self, today: date, *, same: bool) -> Trust:
        """Take in how a comparison came out; it holds for the day."""
        return Trust(today, _FIRST if same else 1, not same)

    def at_once(self, today: date) -> int:
        """Say how many shipments one call may be about."""
        return 1 if self.is_due(today) else self.most

    def listed(self, asked: int, came: int) -> Trust:
        """Take in how complete a list was: ask for twice as many next, or for half where much was missing.

        Some may be missing because nobody has them: that is no reason to ask for fewer.
        """
        if self.most == 1 or asked < self.most:
            return self
        if came >= asked:
            return replace(self, most=min(2 * self.most, MOST_AT_ONCE))
        return replace(self, most=max(self.most // 2, _FIRST)) if 4 * came < 3 * asked else self
