"""One thing measured, round by round, next to what it is compared with and what it has to reach."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

from tests.bench.figure import Ratio, ratio
from tests.bench.goal import Goal


@dataclass
class Row:
    """A figure. The goal is on the ratio where there is another row to compare with, else on the median.

    `unjudged` says why the goal cannot be judged on this machine; `remark` is for people.
    """

    what: str
    unit: str
    against: Row | None = None
    goal: Goal | None = None
    unjudged: str = ""
    remark: str = ""
    values: list[float] = field(default_factory=list)

    def add(self, value: float) -> None:
        """Note a round."""
        self.values.append(value)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def ratio(self) -> Ratio | None:
        """This row divided by the other one."""
        return None if self.against is None else ratio(self.values, self.against.values)

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None where there is none, or it cannot be judged here."""
        if self.goal is None or self.unjudged:
            return None
        found = self.ratio
        return self.goal.is_met(self.median if found is None else found.median)

    def document(self) -> dict[str, object]:
        """Give the row for programs."""
        found = self.ratio
        return {
            "what": self.what,
            "unit": self.unit,
            "values": self.values,
            "median": self.median,
            "against": None if self.against is None else self.against.what,
            "ratio": None if found is None else {"median": found.median, "least": found.least, "most": found.most},
            "goal": None if self.goal is None else str(self.goal),
            "met": self.is_met,
            "unjudged": self.unjudged or None,
            "remark": self.remark or None,
        }
