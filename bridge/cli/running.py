"""What the verbs share: settings from the environment, an event loop, groups of verbs, and output for programs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bridge.settings import Settings
    from bridge.store.database import ManagedDatabase

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


def group(told: str) -> typer.Typer:
    """Make a group of verbs: a noun, with what it is."""
    return typer.Typer(help=told, no_args_is_help=True, rich_markup_mode=None)


def settings() -> Any:
    """Read the settings. Raises SettingsError."""
    from bridge.settings import load

    return load(os.environ)


def run(work: Coroutine[Any, Any, int]) -> None:
    """Run to the end on the fast event loop where there is one."""
    try:
        import uvloop

        factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    except ImportError:
        factory = asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        code = runner.run(work)
    raise typer.Exit(code)


def with_database(work: Callable[[Settings, ManagedDatabase], Awaitable[int]]) -> None:
    """Open the database that the settings name, for reading, and end with the exit code."""
    from bridge.store.migrate import require_current
    from bridge.store.opening import existing

    found = settings()

    async def looking() -> int:
        database = existing(found.database)
        try:
            await database.read(require_current)
            return await work(found, database)
        finally:
            await database.close()

    run(looking())
