"""Verbs that change something hand a command to the running bridge, through the database, and show what comes of it.

Where nobody takes it up it is withdrawn, so that it does not happen later, when nobody thinks of it any more.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from bridge.errors import StoreError
from bridge.model import Command, CommandState, Standing

if TYPE_CHECKING:
    from bridge.commands.models import Body
    from bridge.settings import Settings
    from bridge.store.commands import SqlCommands
    from bridge.store.database import ManagedDatabase

Result = Mapping[str, Any]
Show = Callable[[Standing], None]

_NOBODY = (
    "no running bridge took it up within {wait:g} s, so it was withdrawn:"
    " is `bridge serve` running on this database, with the role `commands`?"
)
_BUSY = "another {operation} is under way, so this one was withdrawn: try again when that one has ended"
_GOES_ON = (
    "something of it may be at the carrier already, so it was not withdrawn:"
    " a bridge that runs carries it through; GET /v1/commands/{operation}/{key} and `bridge why` tell what came of it"
)
_LEFT = "the bridge that had it in hand went away and none took it over in {wait:g} s: it was withdrawn after {done}"


async def hand_over(
    settings: Settings,
    body: Body,
    *,
    wait_s: float,
    as_json: bool,
    told: Callable[[Result], str],
    succeeded: Callable[[Result], bool] = lambda _: True,
) -> int:
    """Hand a command over, wait, print what came of it, and give the exit code."""
    from bridge.cli.bar import bar

    async with opened(settings) as (_, commands):
        with bar(body.operation, visible=not as_json) as show:
            standing, why = await outcome(commands, given(body, wait_s), wait_s, show)
    return _print(standing, why, as_json=as_json, told=told, succeeded=succeeded)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[tuple[ManagedDatabase, SqlCommands]]:
    """Open the database of the running bridge, to hand commands over. Raises StoreError."""
    from bridge.store.commands import SqlCommands
    from bridge.store.migrate import require_current
    from bridge.store.opening import existing
    from bridge.store.sealed import Vault

    database = existing(settings.database)
    try:
        await database.open()
        await database.read(require_current)
        yield database, SqlCommands(database, Vault.with_keys(settings.personal_data.key_bytes), str(uuid4()))
    finally:
        await database.close()


def given(body: Body, wait_s: float) -> Command:
    """Make a command of what is asked for; it is not begun any more after so long."""
    return Command(body.operation, str(uuid4()), body.canonical, "cli", begin_within=timedelta(seconds=wait_s))


async def outcome(commands: SqlCommands, command: Command, wait_s: float, show: Show) -> tuple[Standing, str | None]:
    """Wait for the end of a command; where nobody has it in hand for so long, withdraw it and say why."""
    from bridge.commands.waiting import follow

    try:
        standing = (await commands.submit(command)).standing
        async for standing in follow(commands, standing):  # noqa: B020 - it is the same command, later
            show(standing)
            if standing.state.is_over or standing.unattended_s <= wait_s:
                continue
            if not await commands.withdraw(command.operation, command.id, only="unattended") and _is_bound(standing):
                break
    except asyncio.CancelledError:
        with suppress(StoreError):
            is_withdrawn = await commands.withdraw(command.operation, command.id, only="live")
            print(f"bridge: {'withdrawn' if is_withdrawn else _goes_on(command)}", file=sys.stderr)
        raise
    if _is_bound(standing):
        return standing, _goes_on(command)
    if standing.state is not CommandState.withdrawn or standing.error is not None:
        return standing, standing.error
    return standing, await _why_withdrawn(commands, standing, wait_s)


def _is_bound(standing: Standing) -> bool:
    """Say whether it is under way and cannot be taken back."""
    return not standing.state.is_over and standing.progress.is_sent


def _goes_on(command: Command) -> str:
    return _GOES_ON.format(operation=command.operation, key=command.id)


async def _why_withdrawn(commands: SqlCommands, standing: Standing, wait_s: float) -> str:
    if standing.progress.done:
        return _LEFT.format(wait=wait_s, done=standing.progress.done)
    is_busy = await commands.underway(standing.operation)
    return (_BUSY if is_busy else _NOBODY).format(wait=wait_s, operation=standing.operation)


def _print(
    standing: Standing,
    why: str | None,
    *,
    as_json: bool,
    told: Callable[[Result], str],
    succeeded: Callable[[Result], bool],
) -> int:
    from pydantic_core import to_json

    result = standing.result or {}
    is_done = standing.state is CommandState.done
    if as_json:
        written = {"command_id": standing.id, "operation": standing.operation, "outcome": standing.state.value}
        print(to_json({**written, "result": standing.result, "error": why}, indent=2).decode())
    elif is_done:
        print(told(result))
    else:
        print(f"bridge: {why or standing.state.value}", file=sys.stderr)
    return 0 if is_done and succeeded(result) else 1
