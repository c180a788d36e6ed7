"""Shipments over HTTP: how one stands, what happened to it and why, and what is next; as `bridge why` tells it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.inspection.document import document
from bridge.lifecycle import Clock
from bridge.model import OrganizationId
from bridge.store.database import Database, Transaction
from bridge.store.story import Story, sources, story
from bridge.web import numbers
from bridge.web.access import Access, Client
from bridge.web.problems import Problem, not_found

_SHIPX: Final = "/shipx/"


class ShipmentsApi:
    """`/v1/shipments`. `settle` is over how long a purchase in doubt is read."""

    def __init__(self, database: Database, access: Access, clock: Clock, *, settle: timedelta) -> None:
        self._database = database
        self._access = access
        self._clock = clock
        self._settle = settle

    def routes(self) -> list[Route]:
        """Give the route."""
        return [Route("/v1/shipments/{shipment_id}", self.show)]

    async def show(self, request: Request) -> Response:
        """Answer all that is known of a shipment: state, purchase, tracking, its timeline with reasons, the outlook."""
        client = self._access.require(request, "read")
        shipment, organization = numbers.shipment(request, "shipment"), numbers.organization(request)
        found = await self._database.read(lambda it: _stories(it, f"shipment/{shipment}", client, organization))
        if not found:
            raise not_found("shipment")
        if len(found) > 1:
            raise Problem(409, "several", "Several organizations have this shipment: say which by organization_id.")
        about = {"shipment_id": shipment, "organization_id": found[0].organization}
        told = about | document(found[0], self._clock(), self._settle)
        return Response(to_json(told), media_type="application/json")


def _stories(transaction: Transaction, name: str, client: Client, organization: int | None) -> list[Story]:
    """Read what is known under the name to those organizations that the client sees; of several no more than that."""
    known = [
        one
        for one in sources(transaction, name)
        if (number := _organization(one)) is not None and client.sees(number) and organization in (None, number)
    ]
    return [story(transaction, one, name) for one in known[:2]]


def _organization(source: str) -> OrganizationId | None:
    number = source.removeprefix(_SHIPX)
    return OrganizationId(int(number)) if source.startswith(_SHIPX) and number.isdecimal() else None
