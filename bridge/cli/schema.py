"""`bridge schema`: what is published and what can be asked, as documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli import running
from bridge.cli.running import Json

verbs = running.group("The contract as documents.")


@verbs.command("export")
def export(
    folder: Annotated[Path, typer.Argument(help="Where the files go; made where missing.")], as_json: Json = False
) -> None:
    """Write the JSON Schema of every event, the AsyncAPI and the OpenAPI document, and name the files.

    Example: bridge schema export schemas/
    """
    from bridge.app.answering import openapi_document
    from bridge.events.export import export

    files = [str(path) for path in export(folder, {"openapi": openapi_document()})]
    print(json.dumps({"files": files}, indent=2) if as_json else "\n".join(files))
