"""Progress on a terminal, and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bridge.model import Standing


@contextmanager
def bar(label: str, *, visible: bool) -> Iterator[Callable[[Standing], None]]:
    """Show how far a command has come, on standard error, for as long as the block lasts."""
    if not visible or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=None, done="waiting")

        def show(standing: Standing) -> None:
            share, done = standing.progress.share, standing.progress.done
            told = f"{done:,} done" if done else standing.state.value
            progress.update(task, total=None if share is None else 1.0, completed=share or 0.0, done=told)

        yield show
