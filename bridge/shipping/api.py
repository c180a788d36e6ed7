"""Shipments over HTTP: made as commands."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.commands.giving import GIVEN, PROBLEMS, Giving, ShownCommand
from bridge.model import Command
from bridge.shipments.asked import CreateMany, CreateOne, CreateShipments
from bridge.shipping.results import GivenBatch, MadeShipment, known
from bridge.shipping.whose import whose
from bridge.web import bodies, endpoint
from bridge.web.access import Access, Client
from bridge.web.endpoint import Answer, guarded
from bridge.web.kinds import CARRIER_REFUSED, NOTHING_SENT

_MADE: Final = {
    200: Answer("What was made when the key first came.", MadeShipment),
    201: Answer("It was made.", MadeShipment),
    202: replace(GIVEN[202], told="It takes longer; of many, what is known of each.", body=ShownCommand | GivenBatch),
}


class ShippingApi:
    """`POST /v1/shipments`."""

    def __init__(self, giving: Giving, access: Access) -> None:
        self._giving = giving
        self._access = access

    def routes(self) -> list[Route]:
        """Give the route."""
        return endpoint.routes(self, self._access)

    @guarded(
        "POST",
        "/v1/shipments",
        "shipments:write",
        takes=(bodies.REQUIRED_KEY,),
        body=CreateOne | CreateMany,
        answers=_MADE,
        problems=(*PROBLEMS, CARRIER_REFUSED, NOTHING_SENT),
    )
    async def create(self, request: Request, client: Client) -> Response:
        """Make a shipment, or many by `shipments`: then each has a result of its own. The same key makes it once."""
        key = bodies.required_key(request)
        asked = _within(client, await bodies.read(request, CreateShipments))
        command = Command(asked.operation, key, asked.canonical, client.name)
        if isinstance(asked, CreateOne):
            return await self._giving.create(command)
        return await self._giving.create_many(command, known(asked.wanted))


def _within(client: Client, asked: CreateShipments) -> CreateShipments:
    """Keep a token that is for some organizations to theirs."""
    return asked.model_copy(update={"organization_id": whose(client, asked.organization)})
