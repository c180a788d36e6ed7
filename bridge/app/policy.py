"""The policy as its file is now, for the parts of a process that go by it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bridge.errors import SettingsError
from bridge.model import OrganizationId
from bridge.purchasing.policy import Policy, load
from bridge.settings import Settings


async def read_policy(settings: Settings, organization: int | None = None) -> Policy:
    """Read an organization's policy as its file is now; without one, everybody's. Raises SettingsError."""
    return load(await asyncio.to_thread(_text, policy_file(settings, organization)))


def policy_file(settings: Settings, organization: int | None) -> Path:
    """Say where an organization's policy is."""
    own = (one.policy for one in settings.shipx.organizations if one.id == organization)
    return next(own, None) or settings.policy


async def forgoing(settings: Settings) -> frozenset[OrganizationId]:
    """Name those that do not want again what a pause kept from being bought: as their policies have it.

    Nobody is asked where no pause is ended. Raises SettingsError.
    """
    if settings.roles.isdisjoint(("worker", "commands")):
        return frozenset()
    numbers = [OrganizationId(one.id) for one in settings.shipx.organizations]
    policies = {number: await read_policy(settings, number) for number in numbers}
    return frozenset(number for number, policy in policies.items() if not policy.regenerate_after_pause)


def _text(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError([("BRIDGE_POLICY", f"{path} cannot be read: {error.strerror}")]) from error
