"""What is answered to a command on the bus, and to whom: functions of what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import Final, Literal

from pydantic_core import to_json

from bridge.commands.reading import NotUnderstood
from bridge.commands.refusing import came_of
from bridge.model import CommandMessage, CommandState, Standing

Told = Literal["done", "accepted", "duplicate", "rejected", "unknown"]
_OURS: Final = "bridge."
_TOLD: Final[dict[CommandState, Told]] = {
    CommandState.waiting: "accepted",
    CommandState.running: "accepted",
    CommandState.done: "done",
    CommandState.rejected: "rejected",
    CommandState.failed: "rejected",
    CommandState.unknown: "unknown",
    CommandState.withdrawn: "rejected",
}
"""A failure and a withdrawal are a no, too: nothing more will come of this command."""


def may_reply(message: CommandMessage, patterns: Sequence[str]) -> bool:
    """Say whether an answer may go where a message wants it: to its own sender, or to a queue of the settings."""
    queue = message.reply_to
    if queue is None or queue.startswith(_OURS):
        return False
    return message.is_answered_directly or any(fnmatchcase(queue, pattern) for pattern in patterns)


def outcome(standing: Standing, *, is_new: bool) -> bytes:
    """Answer how a command stands; one that was given before is a duplicate, with what came of the first."""
    body: dict[str, object] = {
        "command_id": standing.id,
        "outcome": _TOLD[standing.state] if is_new else "duplicate",
    }
    if standing.state is CommandState.withdrawn:
        body["error"] = "it was withdrawn"
    return to_json({**body, **came_of(standing)})


def refusal(why: NotUnderstood) -> bytes:
    """Answer that a message was not understood, field by field where it is about them."""
    body: dict[str, object] = {"command_id": why.id, "outcome": "rejected", "error": why.told}
    if why.errors:
        body["errors"] = [asdict(one) for one in why.errors]
    return to_json(body)
