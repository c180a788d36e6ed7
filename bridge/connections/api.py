"""Carrier connections over HTTP: list, pause, resume. A name has a slash, which may come as it is or as `%2F`."""

from __future__ import annotations

import re

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.connections.pausing import Pausing
from bridge.connections.words import document
from bridge.events.catalogue import CONNECTION_NAME
from bridge.store.connections import Seen, SqlConnections, organization_of
from bridge.web.access import Access, Client
from bridge.web.problems import not_found


class ConnectionsApi:
    """`/v1/connections`."""

    def __init__(self, connections: SqlConnections, access: Access, pausing: Pausing) -> None:
        self._connections = connections
        self._access = access
        self._pausing = pausing

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/v1/connections", self.list),
            Route("/v1/connections/{name:path}/pause", self.pause, methods=["POST"]),
            Route("/v1/connections/{name:path}/resume", self.resume, methods=["POST"]),
        ]

    async def list(self, request: Request) -> Response:
        """Answer every carrier connection (`shipx/4821`): paused, left alone for a while, degraded or ready.

        One that the settings of this process have no token for any more is `not_configured`.
        """
        client = self._access.require(request, "read")
        found = await self._connections.list()
        return _json({"items": [document(seen) for seen in found if _sees(client, seen.name)], "next": None})

    async def pause(self, request: Request) -> Response:
        """Buy nothing on a connection from now on, in any replica; the slash in its name may be written `%2F`."""
        client, name = self._asked(request)
        return _json(document(_found(await self._pausing.pause(name, client.name))))

    async def resume(self, request: Request) -> Response:
        """Buy again on a connection, whoever paused it; what waited is decided now.

        What the pause kept from being bought is wanted again where the policy says so.
        """
        client, name = self._asked(request)
        return _json(document(_found(await self._pausing.resume(name, client.name))))

    def _asked(self, request: Request) -> tuple[Client, str]:
        client = self._access.require(request, "admin")
        name: str = request.path_params["name"]
        if not re.fullmatch(CONNECTION_NAME, name) or not _sees(client, name):
            raise not_found("connection")
        return client, name


def _sees(client: Client, name: str) -> bool:
    organization = organization_of(name)
    return client.sees(organization) if organization is not None else not client.organizations


def _found(seen: Seen | None) -> Seen:
    if seen is None:
        raise not_found("connection")
    return seen


def _json(body: object) -> Response:
    return Response(to_json(body), media_type="application/json")
