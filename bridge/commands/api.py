"""Commands over HTTP: given under a key, waited for a while, and looked at later where that was too short."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.commands.giving import Giving
from bridge.commands.models import ReplayEvents
from bridge.model import Command
from bridge.web import bodies
from bridge.web.access import Access, Client
from bridge.web.problems import Problem

_REPLAY: Final = "/v1/events/replay"


class CommandsApi:
    """`/v1/events/replay`."""

    def __init__(self, giving: Giving, access: Access) -> None:
        self._giving = giving
        self._access = access

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
        command = Command(asked.operation, key, asked.canonical, client.name)
        return await self._giving.give(command, f"{_REPLAY}/{quote(key, safe='')}")

    async def show(self, request: Request) -> Response:
        """Show how a replay stands."""
        self._access.require(request, "admin")
        return await self._giving.look(ReplayEvents.operation, request.path_params["id"], "replay")


def _within(client: Client, asked: ReplayEvents) -> ReplayEvents:
    """Keep a token that is for some organizations to theirs."""
    if not all(client.sees(number) for number in asked.organizations):
        raise Problem(403, "forbidden", "This token is not for these organizations.")
    return asked.model_copy(update={"organizations": asked.organizations or tuple(sorted(client.organizations))})
