"""A command given over HTTP: stored under its key, waited for, and answered by what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, NotRequired
from urllib.parse import quote

from pydantic_core import to_json
from starlette.responses import Response
from typing_extensions import TypedDict

from bridge.commands.refusing import CameOf, came_of, refusal_of
from bridge.commands.waiting import within
from bridge.errors import KeyMissing, KeyUsed
from bridge.model import Command, CommandState, Progress, Standing
from bridge.store.commands import SqlCommands, Submitted
from bridge.web.endpoint import JSON, Answer
from bridge.web.kinds import FAILED, KEY_USED, NOTHING_SENT, REJECTED, UNKNOWN_OUTCOME, WITHDRAWN, named
from bridge.web.problems import Problem

WAIT_S: Final = 8.0
AGAIN_S: Final = 5
"""After so long what was not sent may be asked for again."""
_ENDED: Final = {
    CommandState.rejected: REJECTED,
    CommandState.failed: FAILED,
    CommandState.unknown: UNKNOWN_OUTCOME,
    CommandState.withdrawn: WITHDRAWN,
}
"""What a command that did not succeed is answered by."""
Word = Literal["accepted", "done", "rejected", "failed", "unknown", "withdrawn"]
_OUTCOMES: Final[Mapping[CommandState, Word]] = {
    CommandState.waiting: "accepted",
    CommandState.running: "accepted",
    CommandState.done: "done",
    CommandState.rejected: "rejected",
    CommandState.failed: "failed",
    CommandState.unknown: "unknown",
    CommandState.withdrawn: "withdrawn",
}


class CommandProgress(TypedDict):
    """How far a command has come: how many, and which share of all where that is known."""

    done: int
    share: float | None


class ShownCommand(CameOf):
    """A command as it stands: `accepted`, with how far it has come, until it is over; then with what came of it."""

    command_id: str
    outcome: Word
    progress: NotRequired[CommandProgress]


GIVEN: Final = {
    200: Answer("It was done, now or when the key first came.", ShownCommand),
    202: Answer("It takes longer.", ShownCommand, headers={"Location": "Where to look how it stands"}),
}
PROBLEMS: Final = (KEY_USED, *_ENDED.values())
"""What giving a command may meet, beside its body."""


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
        return Response(to_json(given.standing.result), 201 if given.is_new else 200, media_type=JSON)

    async def create_many(self, command: Command, known: Sequence[Mapping[str, object]]) -> Response:
        """Store a command that makes many things, and answer for each what is known of it: at first that is `known`."""
        standing = (await self._given(command)).standing
        if standing.state in _ENDED:
            raise _problem(standing)
        items = (standing.result or {}).get("items", known)
        told = {"command_id": standing.id, "outcome": _OUTCOMES[standing.state], "items": items}
        return Response(to_json(told), 202, {"location": place(standing.operation, standing.id)}, media_type=JSON)

    async def has(self, operation: str, key: str) -> bool:
        """Say whether a command of this key was given before."""
        try:
            return await self._commands.look(operation, key) is not None
        except KeyMissing:  # what came of it cannot be read, and it was given all the same
            return True

    async def _given(self, command: Command) -> Submitted:
        try:
            submitted = await self._commands.submit(command)
        except KeyUsed as error:
            raise Problem(KEY_USED, "This Idempotency-Key was used with another body.") from error
        except KeyMissing:  # it was given before, and what came of it cannot be read just now
            return Submitted(
                Standing(command.operation, command.id, CommandState.waiting, Progress(), None, None, 0.0), is_new=False
            )
        self._on_submit()
        return Submitted(await within(self._commands, submitted.standing, self._wait_s), is_new=submitted.is_new)


def shown(standing: Standing) -> ShownCommand:
    """Write a command as programs read it; one that is not over is accepted."""
    body: ShownCommand = {"command_id": standing.id, "outcome": _OUTCOMES[standing.state]}
    if not standing.state.is_over:
        body["progress"] = {"done": standing.progress.done, "share": standing.progress.share}
    return {**body, **came_of(standing)}


def place(operation: str, key: str) -> str:
    """Say where a command can be looked at."""
    return f"/v1/commands/{operation}/{quote(key, safe='')}"


def _answer(standing: Standing) -> Response:
    if standing.state in _ENDED:
        raise _problem(standing)
    body = to_json(shown(standing))
    if standing.state is CommandState.done:
        return Response(body, media_type=JSON)
    return Response(body, 202, {"location": place(standing.operation, standing.id)}, media_type=JSON)


def _problem(standing: Standing) -> Problem:
    refusal = refusal_of(standing)
    if refusal is None:
        return Problem(_ENDED[standing.state], standing.error or f"The command is {standing.state.value}.")
    kind = named(refusal.kind, _ENDED[standing.state])
    headers = {"retry-after": f"{AGAIN_S}"} if kind is NOTHING_SENT else {}
    return Problem(kind, standing.error or kind.meaning, refusal.errors, headers)
