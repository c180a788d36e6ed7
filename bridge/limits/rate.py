"""How fast calls may follow each other: a pure rule over one stored moment, the turn of the last call.

It is the leaky bucket of telephone networks: turns lie an interval apart, those that nobody took are saved up for a
small burst, and a purchase may take one before it has come.
https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bridge.model import Micros

_MINUTE: Final = 60_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `per_minute` calls in any sixty seconds: what may come at once is taken off the steady pace."""

    per_minute: int

    @property
    def burst(self) -> int:
        """How many calls may leave at once after a pause."""
        return max(self.per_minute // 20, 1)

    @property
    def credit(self) -> int:
        """How many purchases may leave before their turn; the calls after them wait the longer."""
        return self.burst if self.per_minute > 1 else 0

    @property
    def interval(self) -> int:
        """From one turn to the next, in microseconds."""
        return -(-_MINUTE // max(self.per_minute - self.burst - self.credit, 1))

    def turn(self, last: Micros, now: Micros) -> Micros:
        """Give the next turn after the last one that was given out."""
        return Micros(max(last, now - self.burst * self.interval) + self.interval)

    def leaves_at(self, turn: Micros, *, on_credit: bool) -> Micros:
        """Say when the call that has a turn may leave."""
        return Micros(turn - self.credit * self.interval) if on_credit else turn

    def latest(self, now: Micros) -> Micros:
        """Give the moment that no turn given out so far can lie beyond, unless a clock was set back."""
        return Micros(now + self.credit * self.interval)
