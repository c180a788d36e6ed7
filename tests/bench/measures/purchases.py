"""Purchases: how many are made in their windows where thousands come at once, next to a first-come buyer.

In virtual time beside the simulated carrier, so that a round says the same on every machine.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tests.bench import rush
from tests.bench.goal import at_least, at_most
from tests.bench.row import Row
from tests.bench.rush import FAULTS, Rush
from tests.bench.stage import Stage

_FAST: Final = Rush(10_000, 600)
_SLOW: Final = Rush(10_000, 60)
_ROUGH: Final = Rush(10_000, 60, FAULTS)


def measure(stage: Stage) -> list[Row]:
    """Let shipments come within a minute, and see which are bought in time."""
    size = stage.size.purchases
    plays = {
        f"{size:,} in 60 s, 600 calls a minute": (replace(_FAST, shipments=size), at_least(99.9, "%")),
        f"{size:,} in 60 s, 60 calls a minute": (replace(_SLOW, shipments=size), at_least(99.9, "%")),
        f"{size:,} in 60 s, 60 a minute, faults": (replace(_ROUGH, shipments=size), at_least(98, "%")),
    }
    bought = {name: Row(f"bought in the window, {name}", "%", goal=goal) for name, (_, goal) in plays.items()}
    first = next(iter(plays))
    left = Row(f"seconds left for 99 of 100, {first}", "s", goal=at_least(240, "s"))
    each = {name: Row(f"calls per purchase, {name}", "", goal=at_most(0.05)) for name in plays if "faults" not in name}
    wrong = Row("charges doubled or not as the bridge says", "", goal=at_most(0))
    rival = Row(f"the same by a first-come buyer, {list(plays)[1]}", "%")
    rows = [*bought.values(), left, *each.values(), wrong, rival]
    for number in stage.rounds("purchases", rows):
        mistakes = 0
        for name, (play, _) in plays.items():
            found = rush.by_bridge(play, number)
            bought[name].add(found.in_time)
            mistakes += found.doubled + found.unfounded
            if name in each:
                each[name].add(found.calls_each)
            if name == first:
                left.add(found.slowest_left)
        wrong.add(mistakes)
        rival.add(rush.by_first_come(plays[list(plays)[1]][0], number).in_time)
    return rows
