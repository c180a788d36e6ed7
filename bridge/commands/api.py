"""Commands over HTTP: given under a key, waited for a while, and looked at later where that was too short."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.commands.giving import Giving, shown
from bridge.commands.models import ReplayEvents
from bridge.model import Command
from bridge.store.commands import SqlCommands
from bridge.web import bodies
from bridge.web.access import Access, Client
from bridge.web.problems import Problem, not_found

_REPLAY: Final = "/v1/events/replay"


class CommandsApi:
    """`/v1/commands` and `/v1/events/replay`."""

    def __init__(self, commands: SqlCommands, giving: Giving, access: Access) -> None:
        self._commands = commands
        self._giving = giving
        self._access = access

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route(_REPLAY, self.replay, methods=["POST"]),
            Route("/v1/commands/{operation}/{id:path}", self.show),
        ]

    async def replay(self, request: Request) -> Response:
        """Send stored events once more; the same `Idempotency-Key` is the same replay."""
        client = self._access.require(request, "admin")
        key = bodies.idempotency_key(request) or str(uuid4())
        asked = _within(client, await bodies.read(request, ReplayEvents))
        return await self._giving.give(Command(asked.operation, key, asked.canonical, client.name))

    async def show(self, request: Request) -> Response:
        """Show how a command stands to whoever gave it, or may do everything: `id` is its key."""
        client = self._access.known(request)
        standing = await self._commands.look(request.path_params["operation"], request.path_params["id"])
        if standing is None or not _may_see(client, standing.given_by):
            raise not_found("command")
        return Response(to_json(shown(standing)), media_type="application/json")


def _may_see(client: Client, giver: str) -> bool:
    return client.name == giver or ("admin" in client.scopes and not client.organizations)


def _within(client: Client, asked: ReplayEvents) -> ReplayEvents:
    """Keep a token that is for some organizations to theirs."""
    if not all(client.sees(number) for number in asked.organizations):
        raise Problem(403, "forbidden", "This token is not for these organizations.")
    return asked.model_copy(update={"organizations": asked.organizations or tuple(sorted(client.organizations))})
