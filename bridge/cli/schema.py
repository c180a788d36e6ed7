"""`bridge schema`: the event contract as documents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli import running

verbs = running.group("The event contract as documents.")


@verbs.command("export")
def export(folder: Annotated[Path, typer.Argument(help="Where the files go; made where missing.")]) -> None:
    """Write the JSON Schema of every event and the AsyncAPI document.

    Example: bridge schema export schemas/
    """
    from bridge.events.export import export

    for path in export(folder):
        print(path)
