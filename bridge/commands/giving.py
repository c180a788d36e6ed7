"""A command given over HTTP: stored under its key, waited for, and answered by what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from pydantic_core import to_json
from starlette.responses import Response

from bridge.commands.refusing import NOTHING_SENT, Refusal, came_of, refusal_of
from bridge.commands.waiting import within
from bridge.errors import KeyUsed
from bridge.model import Command, CommandState, Standing
from bridge.store.commands import SqlCommands, Submitted
from bridge.web.problems import Problem

WAIT_S: Final = 8.0
AGAIN_S: Final = 5
"""After so long what was not sent may be asked for again."""
_KINDS: Final = {
    CommandState.rejected: (422, "rejected"),
    CommandState.failed: (503, "failed"),
    CommandState.unknown: (502, "unknown-outcome"),
    CommandState.withdrawn: (409, "withdrawn"),
}


class Giving:
    """Gives commands. `on_submit` wakes who carries them out in this process."""

    def __init__(self, commands: SqlCommands, on_submit: Callable[[], None], *, wait_s: float = WAIT_S) -> None:
        self._commands = commands
        self._on_submit = on_submit
        self._wait_s = wait_s

    async def give(self, command: Command) -> Response:
        """Store a command and answer how it stands in time; where it is not over, with where to look at it later."""
        return _answer((await self._given(command)).standing)

    async def create(self, command: Command) -> Response:
        """Store a command that makes something, and answer that itself: 201 for the first, 200 for its repeats."""
        given = await self._given(command)
        if given.standing.state is not CommandState.done:
            return _answer(given.standing)
        return Response(to_json(given.standing.result), 201 if given.is_new else 200, media_type="application/json")

    async def _given(self, command: Command) -> Submitted:
        try:
            submitted = await self._commands.submit(command)
        except KeyUsed as error:
            raise Problem(409, "key-used", "This Idempotency-Key was used with another body.") from error
        self._on_submit()
        return Submitted(await within(self._commands, submitted.standing, self._wait_s), is_new=submitted.is_new)


def shown(standing: Standing) -> dict[str, object]:
    """Write a command as programs read it; one that is not over is accepted."""
    body: dict[str, object] = {
        "command_id": standing.id,
        "outcome": standing.state.value if standing.state.is_over else "accepted",
    }
    if not standing.state.is_over:
        body["progress"] = {"done": standing.progress.done, "share": standing.progress.share}
    return body | came_of(standing)


def place(operation: str, key: str) -> str:
    """Say where a command can be looked at."""
    return f"/v1/commands/{operation}/{quote(key, safe='')}"


def _answer(standing: Standing) -> Response:
    if standing.state in _KINDS:
        raise _problem(standing)
    body = to_json(shown(standing))
    if standing.state is CommandState.done:
        return Response(body, media_type="application/json")
    return Response(body, 202, {"location": place(standing.operation, standing.id)}, media_type="application/json")


def _problem(standing: Standing) -> Problem:
    status, kind = _KINDS[standing.state]
    refusal = refusal_of(standing) or Refusal(kind)
    if refusal.kind == NOTHING_SENT:
        return Problem(503, NOTHING_SENT, standing.error or "Nothing was sent.", headers={"retry-after": f"{AGAIN_S}"})
    return Problem(status, refusal.kind, standing.error or f"The command is {standing.state.value}.", refusal.errors)
