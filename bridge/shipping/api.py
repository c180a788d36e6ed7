"""Shipments over HTTP: made as commands."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.commands.giving import Giving
from bridge.model import Command
from bridge.shipments.asked import CreateOne, CreateShipments
from bridge.web import bodies
from bridge.web.access import Access, Client
from bridge.web.problems import Problem


class ShippingApi:
    """`POST /v1/shipments`."""

    def __init__(self, giving: Giving, access: Access) -> None:
        self._giving = giving
        self._access = access

    def routes(self) -> list[Route]:
        """Give the route."""
        return [Route("/v1/shipments", self.create, methods=["POST"])]

    async def create(self, request: Request) -> Response:
        """Make a shipment, or many by `shipments`: then each has a result of its own. The same key makes it once."""
        client = self._access.require(request, "shipments:write")
        key = bodies.required_key(request)
        asked = _within(client, await bodies.read(request, CreateShipments))
        command = Command(asked.operation, key, asked.canonical, client.name)
        if isinstance(asked, CreateOne):
            return await self._giving.create(command)
        return await self._giving.give(command)


def _within(client: Client, asked: CreateShipments) -> CreateShipments:
    """Keep a token that is for some organizations to theirs."""
    if asked.organization is not None and not client.sees(asked.organization):
        raise Problem(403, "forbidden", "This token is not for this organization.")
    if asked.organization is None and len(client.organizations) == 1:
        (only,) = client.organizations
        return asked.model_copy(update={"organization_id": only})
    return asked
