"""The policy as its file is now, for the parts of a process that go by it."""

from __future__ import annotations

import asyncio

from bridge.errors import SettingsError
from bridge.purchasing.policy import Policy, load
from bridge.settings import Settings


async def read_policy(settings: Settings) -> Policy:
    """Read the policy as its file is now. Raises SettingsError."""
    return load(await asyncio.to_thread(_text, settings))


async def regenerates(settings: Settings) -> bool:
    """Say whether what a pause kept from being bought is wanted again: as the policy has it, where pauses are ended."""
    if settings.roles.isdisjoint(("worker", "commands")):
        return True
    return (await read_policy(settings)).regenerate_after_pause


def _text(settings: Settings) -> bytes:
    try:
        return settings.policy.read_bytes()
    except OSError as error:
        raise SettingsError([("BRIDGE_POLICY", f"cannot be read: {error.strerror}")]) from error
