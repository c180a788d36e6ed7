"""What a running bridge fetches for a verb, as a file: it names people, so it is for nobody else to read."""

from __future__ import annotations

import asyncio
import sys
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.model import CommandState

if TYPE_CHECKING:
    from bridge.commands.models import Body
    from bridge.model import Standing
    from bridge.settings import Settings
    from bridge.store.commands import SqlCommands


async def write(settings: Settings, asked: Body, file: Path, *, wait_s: float, as_json: bool) -> int:
    """Have it fetched and write it; then the bridge has it no longer. Gives the exit code."""
    from bridge.cli.bar import bar
    from bridge.cli.handing import given, opened, outcome

    async with opened(settings) as (_, commands):
        with bar(asked.operation, visible=not as_json) as show:
            standing, why = await outcome(commands, given(asked, wait_s), wait_s, show)
        found = standing.result or {}
        if standing.state is CommandState.done:
            why = await save(commands, standing, file)
    told = {key: value for key, value in found.items() if key != "content"} | {"file": str(file)}
    is_done = standing.state is CommandState.done and why is None
    return _tell(told if is_done else None, why or standing.state.value, as_json=as_json)


async def save(commands: SqlCommands, standing: Standing, file: Path) -> str | None:
    """Write what came, and forget it here; gives what stands against it."""
    from bridge.store.shelf import write_whole

    content = b64decode(str((standing.result or {})["content"]))
    try:
        await asyncio.to_thread(write_whole, file, content)
    except OSError as error:
        return f"{file}: {error.strerror}"
    await commands.forget_result(standing.operation, standing.id)
    return None


def _tell(written: Mapping[str, object] | None, why: str, *, as_json: bool) -> int:
    """Say what became of a file; gives the exit code."""
    from pydantic_core import to_json

    if as_json:
        print(to_json({"result": written, "error": why if written is None else None}, indent=2).decode())
    elif written is None:
        print(f"bridge: {why}", file=sys.stderr)
    else:
        print(f"{written['file']}: {written['bytes']} bytes, {written['media_type']}")
    return int(written is None)
