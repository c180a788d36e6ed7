"""Carrier connections over HTTP: list, pause, resume. A name has a slash, which may come as it is or as `%2F`."""

from __future__ import annotations

import re
from typing import Final

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.connections.document import ConnectionPage, ShownConnection, document
from bridge.connections.pausing import Pausing
from bridge.events.catalogue import CONNECTION_NAME
from bridge.store.connections import Seen, SqlConnections, organization_of
from bridge.web import endpoint
from bridge.web.access import Access, Client
from bridge.web.endpoint import JSON, Answer, guarded
from bridge.web.kinds import NOT_FOUND
from bridge.web.parameters import Parameter
from bridge.web.problems import not_found

_ONE: Final = "/v1/connections/{name:path}"
_NAME: Final = Parameter(
    "name", "The connection: `shipx/4821`, also as `shipx%2F4821`.", {"type": "string", "pattern": CONNECTION_NAME}
)
_AS_IT_IS_NOW: Final = Answer("The connection as it is now.", ShownConnection)


class ConnectionsApi:
    """`/v1/connections`."""

    def __init__(self, connections: SqlConnections, access: Access, pausing: Pausing) -> None:
        self._connections = connections
        self._access = access
        self._pausing = pausing

    def routes(self) -> list[Route]:
        """Give the routes."""
        return endpoint.routes(self, self._access)

    @guarded("GET", "/v1/connections", "read", answers={200: Answer("All of them.", ConnectionPage)})
    async def list(self, _request: Request, client: Client) -> Response:
        """Answer every carrier connection (`shipx/4821`): paused, left alone for a while, degraded or ready.

        One that the settings of this process have no token for any more is `not_configured`.
        """
        found = [seen for seen in await self._connections.list() if _sees(client, seen.name)]
        page: ConnectionPage = {"items": [document(seen) for seen in found], "next": None}
        return _json(page)

    @guarded("POST", f"{_ONE}/pause", "admin", takes=(_NAME,), answers={200: _AS_IT_IS_NOW}, problems=(NOT_FOUND,))
    async def pause(self, request: Request, client: Client) -> Response:
        """Buy nothing on a connection from now on, in any replica; the slash in its name may be written `%2F`."""
        name = _asked(request, client)
        return _json(document(_found(await self._pausing.pause(name, client.name))))

    @guarded("POST", f"{_ONE}/resume", "admin", takes=(_NAME,), answers={200: _AS_IT_IS_NOW}, problems=(NOT_FOUND,))
    async def resume(self, request: Request, client: Client) -> Response:
        """Buy again on a connection, whoever paused it; what waited is decided now.

        What the pause kept from being bought is wanted again where the policy says so.
        """
        name = _asked(request, client)
        return _json(document(_found(await self._pausing.resume(name, client.name))))


def _asked(request: Request, client: Client) -> str:
    """Read which connection is meant, of those that the client sees. Raises a Problem."""
    name: str = request.path_params["name"]
    if not re.fullmatch(CONNECTION_NAME, name) or not _sees(client, name):
        raise not_found("connection")
    return name


def _sees(client: Client, name: str) -> bool:
    organization = organization_of(name)
    return client.sees(organization) if organization is not None else not client.organizations


def _found(seen: Seen | None) -> Seen:
    if seen is None:
        raise not_found("connection")
    return seen


def _json(body: object) -> Response:
    return Response(to_json(body), media_type=JSON)
