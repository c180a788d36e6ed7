"""A command given over HTTP: stored under its key, waited for, and answered by what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pydantic_core import to_json
from starlette.responses import Response

from bridge.commands.waiting import within
from bridge.errors import KeyUsed
from bridge.model import Command, CommandState, Standing
from bridge.store.commands import SqlCommands
from bridge.web.problems import Problem, not_found

WAIT_S: Final = 8.0
_STATUS: Final = {
    CommandState.rejected: (422, "rejected"),
    CommandState.failed: (503, "failed"),
    CommandState.unknown: (500, "unknown-outcome"),
    CommandState.withdrawn: (409, "withdrawn"),
}


class Giving:
    """Gives commands. `on_submit` wakes who carries them out in this process."""

    def __init__(self, commands: SqlCommands, on_submit: Callable[[], None], *, wait_s: float = WAIT_S) -> None:
        self._commands = commands
        self._on_submit = on_submit
        self._wait_s = wait_s

    async def give(self, command: Command, location: str) -> Response:
        """Store a command and answer what came of it in time; at `location` it can be looked at later."""
        try:
            submitted = await self._commands.submit(command)
        except KeyUsed as error:
            raise Problem(409, "key-used", "This Idempotency-Key was used with another body.") from error
        self._on_submit()
        return _answer(await within(self._commands, submitted.standing, self._wait_s), location)

    async def look(self, operation: str, key: str, called: str) -> Response:
        """Answer how a command stands. Raises a Problem where there is none; `called` is what it is to the caller."""
        standing = await self._commands.look(operation, key)
        if standing is None:
            raise not_found(called)
        return Response(to_json(shown(standing)), media_type="application/json")


def shown(standing: Standing) -> dict[str, object]:
    """Write a command as programs read it; one that is not over is accepted."""
    body: dict[str, object] = {
        "command_id": standing.id,
        "outcome": standing.state.value if standing.state.is_over else "accepted",
    }
    if not standing.state.is_over:
        body["progress"] = {"done": standing.progress.done, "share": standing.progress.share}
    if standing.result is not None:
        body["result"] = standing.result
    if standing.error is not None:
        body["error"] = standing.error
    return body


def _answer(standing: Standing, location: str) -> Response:
    if standing.state in _STATUS:
        status, kind = _STATUS[standing.state]
        raise Problem(status, kind, standing.error or f"The command is {standing.state.value}.")
    body = to_json(shown(standing))
    if standing.state is CommandState.done:
        return Response(body, media_type="application/json")
    return Response(body, 202, {"location": location}, media_type="application/json")
