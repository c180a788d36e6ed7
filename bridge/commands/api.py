"""Commands over HTTP: given under a key, waited for a while, and looked at later where that was too short."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import quote
from uuid import uuid4

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.commands.models import ReplayEvents
from bridge.commands.waiting import within
from bridge.errors import KeyUsed
from bridge.model import Command, CommandState, Standing
from bridge.store.commands import SqlCommands
from bridge.web import bodies
from bridge.web.access import Access, Client
from bridge.web.problems import Problem, not_found

WAIT_S: Final = 8.0
_REPLAY: Final = "/v1/events/replay"


class CommandsApi:
    """`/v1/events/replay`. `on_submit` wakes who carries commands out in this process."""

    def __init__(
        self, commands: SqlCommands, access: Access, on_submit: Callable[[], None], *, wait_s: float = WAIT_S
    ) -> None:
        self._commands = commands
        self._access = access
        self._on_submit = on_submit
        self._wait_s = wait_s

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route(_REPLAY, self.replay, methods=["POST"]),
            Route(f"{_REPLAY}/{{id:path}}", self.show),
        ]

    async def replay(self, request: Request) -> Response:
        """Send stored events once more; the same `Idempotency-Key` is the same replay."""
        client = self._access.require(request, "admin")
        key = bodies.idempotency_key(request) or str(uuid4())
        asked = _within(client, await bodies.read(request, ReplayEvents))
        standing = await self._give(Command(asked.operation, key, asked.canonical, client.name))
        return _answer(standing, f"{_REPLAY}/{quote(standing.id, safe='')}")

    async def show(self, request: Request) -> Response:
        """Show how a replay stands."""
        self._access.require(request, "admin")
        standing = await self._commands.look(ReplayEvents.operation, request.path_params["id"])
        if standing is None:
            raise not_found("replay")
        return Response(to_json(shown(standing)), media_type="application/json")

    async def _give(self, command: Command) -> Standing:
        """Store a command and wait for what comes of it, for a while."""
        try:
            submitted = await self._commands.submit(command)
        except KeyUsed as error:
            raise Problem(409, "key-used", "This Idempotency-Key was used with another body.") from error
        self._on_submit()
        return await within(self._commands, submitted.standing, self._wait_s)


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


def _within(client: Client, asked: ReplayEvents) -> ReplayEvents:
    """Keep a token that is for some organizations to theirs."""
    if not all(client.sees(number) for number in asked.organizations):
        raise Problem(403, "forbidden", "This token is not for these organizations.")
    return asked.model_copy(update={"organizations": asked.organizations or tuple(sorted(client.organizations))})


_STATUS: Final = {
    CommandState.rejected: (422, "rejected"),
    CommandState.failed: (503, "failed"),
    CommandState.unknown: (500, "unknown-outcome"),
    CommandState.withdrawn: (409, "withdrawn"),
}


def _answer(standing: Standing, location: str) -> Response:
    if standing.state in _STATUS:
        status, kind = _STATUS[standing.state]
        raise Problem(status, kind, standing.error or f"The command is {standing.state.value}.")
    body = to_json(shown(standing))
    if standing.state is CommandState.done:
        return Response(body, media_type="application/json")
    return Response(body, 202, {"location": location}, media_type="application/json")
