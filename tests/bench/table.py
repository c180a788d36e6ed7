"""The figures as a table for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from tests.bench.row import Row


def table(rows: Sequence[Row], title: str) -> Table:
    """Write the rows."""
    made = Table("what", "median", "next to", "ratio", "goal", "met", title=title, title_justify="left")
    for row in rows:
        made.add_row(
            f"{row.what}\n[dim]{row.remark}" if row.remark else row.what,
            figure(row, row.median),
            "" if row.against is None else row.against.what,
            "" if row.ratio is None else str(row.ratio),
            "" if row.goal is None else str(row.goal),
            verdict(row),
        )
    return made


def figure(row: Row, value: float) -> str:
    """Write a value of this row with as many digits as mean something."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}{row.unit}" if row.unit.startswith("/") else f"{value:,.{digits}f} {row.unit}"


def verdict(row: Row) -> Text:
    """Say whether the goal is met, or why nobody can say."""
    if row.unjudged:
        return Text(row.unjudged, "dim")
    if row.is_met is None:
        return Text("")
    return Text("yes", "green") if row.is_met else Text("no", "bold red")
