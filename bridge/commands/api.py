"""Commands over HTTP: given under a key, waited for a while, and looked at later where that was too short."""

from __future__ import annotations

from typing import Final

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.commands.giving import GIVEN, PROBLEMS, Giving, ShownCommand, shown
from bridge.commands.models import ReplayEvents
from bridge.model import Command
from bridge.store.commands import SqlCommands
from bridge.web import bodies, endpoint
from bridge.web.access import Access, Client
from bridge.web.endpoint import JSON, Answer, guarded
from bridge.web.kinds import FORBIDDEN, NOT_FOUND
from bridge.web.parameters import Parameter
from bridge.web.problems import Problem, not_found

_REPLAY: Final = "/v1/events/replay"
_FILE: Final = "content"
_OPERATION: Final = Parameter("operation", "What was asked for: `shipment.create`.", {"type": "string", "minLength": 1})
_ID: Final = Parameter("id", "The command's key; a slash in it is written `%2F`.", {"type": "string", "minLength": 1})


class CommandsApi:
    """`/v1/commands` and `/v1/events/replay`."""

    def __init__(self, commands: SqlCommands, giving: Giving, access: Access) -> None:
        self._commands = commands
        self._giving = giving
        self._access = access

    def routes(self) -> list[Route]:
        """Give the routes."""
        return endpoint.routes(self, self._access)

    @guarded(
        "POST",
        _REPLAY,
        "admin",
        takes=(bodies.OPTIONAL_KEY,),
        body=ReplayEvents,
        answers=GIVEN,
        problems=PROBLEMS,
    )
    async def replay(self, request: Request, client: Client) -> Response:
        """Send stored events once more; the same `Idempotency-Key` is the same replay."""
        key = bodies.optional_key(request)
        asked = _within(client, await bodies.read(request, ReplayEvents))
        return await self._giving.give(Command(asked.operation, key, asked.canonical, client.name))

    @guarded(
        "GET",
        "/v1/commands/{operation}/{id:path}",
        "any",
        takes=(_OPERATION, _ID),
        answers={200: Answer("How it stands.", ShownCommand)},
        problems=(NOT_FOUND,),
    )
    async def show(self, request: Request, client: Client) -> Response:
        """Show how a command stands to whoever gave it, or may do everything: `id` is its key.

        A file that came of it (`content`) names people, and is for tokens with `personal:read`.
        """
        standing = await self._commands.look(request.path_params["operation"], request.path_params["id"])
        if standing is None or not _may_see(client, standing.given_by):
            raise not_found("command")
        return Response(to_json(_for(client, shown(standing))), media_type=JSON)


def _may_see(client: Client, giver: str) -> bool:
    return client.name == giver or ("admin" in client.scopes and not client.organizations)


def _for(client: Client, written: ShownCommand) -> ShownCommand:
    """Leave out the file that a result may be, where the token may not see people."""
    if "personal:read" in client.scopes or "result" not in written:
        return written
    return {**written, "result": {name: value for name, value in written["result"].items() if name != _FILE}}


def _within(client: Client, asked: ReplayEvents) -> ReplayEvents:
    """Keep a token that is for some organizations to theirs."""
    if not all(client.sees(number) for number in asked.organizations):
        raise Problem(FORBIDDEN, "This token is not for these organizations.")
    return asked.model_copy(update={"organizations": asked.organizations or tuple(sorted(client.organizations))})
