"""What is shown: a line as things happen, and the summary."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bridge.demo.summary import Check


@dataclass(frozen=True, slots=True)
class Summary:
    """What was done, counted, in the order to show it; and what was checked."""

    counts: Mapping[str, str | int | float]
    checks: Sequence[Check]

    @property
    def balances(self) -> bool:
        return all(check.holds for check in self.checks)

    def document(self) -> dict[str, object]:
        """Give it for programs."""
        checks = [{"name": one.name, "holds": one.holds, "problems": one.problems[:100]} for one in self.checks]
        return {"balances": self.balances, "counts": dict(self.counts), "checks": checks}


class Screen:
    """Progress goes to one console, the summary to standard output."""

    def __init__(self, remarks: Console, *, as_json: bool) -> None:
        self._remarks = remarks
        self._as_json = as_json
        self._began = time.monotonic()

    def tell(self, text: str) -> None:
        """Tell people what happens."""
        seconds = time.monotonic() - self._began
        self._remarks.print(f"{seconds // 60:4.0f}:{seconds % 60:02.0f}  {text}", highlight=False, soft_wrap=True)

    def show(self, summary: Summary) -> None:
        """Show how it ended."""
        if self._as_json:
            print(json.dumps(summary.document(), indent=2))
            return
        console = Console(soft_wrap=True)
        console.print(_counts(summary), _checks(summary))
        failed = sum(not check.holds for check in summary.checks)
        verdict = f"{failed} of {len(summary.checks)} checks failed." if failed else "Everything balances."
        console.print(Text(verdict, "bold red" if failed else "bold green"))


def _counts(summary: Summary) -> Table:
    made = Table(title="What was done", title_justify="left", show_header=False)
    made.add_column()
    made.add_column(justify="right")
    for name, number in summary.counts.items():
        told = f"{number:,}" if isinstance(number, int) else f"{number:.1f}" if isinstance(number, float) else number
        made.add_row(name, told)
    return made


def _checks(summary: Summary) -> Table:
    made = Table(title="What must balance", title_justify="left", show_header=False)
    for check in summary.checks:
        made.add_row(check.name, Text("yes", "green") if check.holds else Text(f"NO: {check.told}", "bold red"))
    return made
