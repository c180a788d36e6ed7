"""What a figure has to reach."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound from below, or with `is_most` from above; reaching it exactly is enough."""

    bound: float
    unit: str = ""
    is_most: bool = False

    def is_met(self, value: float) -> bool:
        """Judge a figure."""
        return value <= self.bound if self.is_most else value >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.is_most else '≥'} {self.bound:g} {self.unit}".rstrip()


def at_least(bound: float, unit: str = "") -> Goal:
    """Bound a figure from below."""
    return Goal(bound, unit)


def at_most(bound: float, unit: str = "") -> Goal:
    """Bound a figure from above."""
    return Goal(bound, unit, is_most=True)
