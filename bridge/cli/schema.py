"""`bridge schema`: what is published and what can be asked, as documents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli import running

verbs = running.group("The contract as documents.")


@verbs.command("export")
def export(folder: Annotated[Path, typer.Argument(help="Where the files go; made where missing.")]) -> None:
    """Write the JSON Schema of every event, the AsyncAPI and the OpenAPI document.

    Example: bridge schema export schemas/
    """
    from bridge.app.answering import openapi_document
    from bridge.events.export import export

    for path in export(folder, {"openapi": openapi_document()}):
        print(path)
