"""Waiting for what comes of a command, for whoever gave it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final

from bridge.errors import StoreError, StoreUnavailable
from bridge.model import Standing
from bridge.store.commands import SqlCommands

LOOK_S: Final = 0.1
PATIENCE_S: Final = 10.0
"""For so long the database may be away while somebody waits."""


async def follow(commands: SqlCommands, standing: Standing) -> AsyncIterator[Standing]:
    """Give how a command stands, again and again, until it is over."""
    yield standing
    while not standing.state.is_over:
        await asyncio.sleep(LOOK_S)
        standing = await _again(commands, standing, time.monotonic() + PATIENCE_S)
        yield standing


async def within(commands: SqlCommands, standing: Standing, seconds: float) -> Standing:
    """Give how a command stands when it is over, or after so long; what cannot be seen by then, as it was seen last.

    It was stored, so a database that is away meanwhile is no reason to say that nothing was done.
    """
    until = time.monotonic() + seconds
    while not standing.state.is_over and time.monotonic() < until:
        await asyncio.sleep(LOOK_S)
        try:
            standing = await _again(commands, standing, min(until, time.monotonic() + PATIENCE_S))
        except StoreError:
            return standing
    return standing


async def _again(commands: SqlCommands, standing: Standing, until: float) -> Standing:
    """Look again; a database that is away for a moment says nothing about the command. Raises StoreError."""
    while True:
        try:
            found = await commands.look(standing.operation, standing.id)
        except StoreUnavailable:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(LOOK_S)
            continue
        assert found is not None, "a command that was given stays"
        return found
