"""Arithmetic of what was measured: quantiles of many values, and ratios of rounds that belong together."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil


def quantile(values: Sequence[float], share: float) -> float:
    """Give the smallest value that is not below that share of the values. Raises ValueError where there are none."""
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(ceil(share * len(values)), 1) - 1]


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median of the rounds' ratios, and between what they lay."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.least:.2f}-{self.most:.2f})"


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
    """Divide round by round: what was measured next to each other had the same machine. Raises ValueError."""
    found = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    if not found:
        raise ValueError("no rounds")
    return Ratio(statistics.median(found), min(found), max(found))
