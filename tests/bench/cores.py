"""Who runs where: the server alone on one core, broker, database server and load on the others."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Cores:
    """This machine's cores, as far as we may use them."""

    all: tuple[int, ...]

    @classmethod
    def found(cls) -> Self:
        """Look, before any process confines itself; none where the system confines nobody."""
        return cls(tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ())

    @property
    def server(self) -> set[int]:
        return set(self.all[:1])

    @property
    def second_server(self) -> set[int]:
        """Where a second server goes: a core of its own if everything else has at least two left."""
        return {self.all[1]} if self.are_enough_for_two else set(self.all[1:] or self.all)

    @property
    def others(self) -> set[int]:
        return set(self.all[1:] or self.all)

    @property
    def others_beside_two(self) -> set[int]:
        return set(self.all[2:]) if self.are_enough_for_two else self.others

    @property
    def are_enough_for_two(self) -> bool:
        """Whether two servers can have a core each and leave two for what they talk to."""
        return len(self.all) >= 4


def confine(cores: set[int]) -> None:
    """Keep this process, and those it starts, on these cores."""
    if cores:
        os.sched_setaffinity(0, cores)
