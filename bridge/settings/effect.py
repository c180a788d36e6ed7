"""Settings that are accepted and change nothing in this version: nobody should trust in them without being told."""

from __future__ import annotations

from typing import Final

from bridge.settings import keys
from bridge.settings.model import Settings

MARK: Final = "Not in effect yet: "
"""How the reference begins the meaning of such a key."""
_WITHOUT: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (("returns", "poll_s"), "what becomes of returns is not asked for in this version"),
)


def without_effect(settings: Settings) -> list[tuple[str, str]]:
    """Give each key that was set to something else than its default and has no effect, with what is so instead."""
    return [
        (key.env, text)
        for key in keys.every()
        if (text := instead(key.path)) is not None and _value(settings, key.path) != key.field.default
    ]


def instead(path: tuple[str, ...]) -> str | None:
    """Say what is so instead of what the setting asks for; None where it has its effect."""
    return next((text for above, text in _WITHOUT if path[: len(above)] == above), None)


def _value(settings: Settings, path: tuple[str, ...]) -> object:
    found: object = settings
    for step in path:
        found = getattr(found, step)
    return found
