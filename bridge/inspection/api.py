"""Shipments over HTTP: how one stands, what happened to it and why, and what is next; as `bridge why` tells it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.inspection.document import ShownShipment, document
from bridge.lifecycle import Clock
from bridge.model import OrganizationId
from bridge.store.database import Database, Transaction
from bridge.store.story import Story, sources, story
from bridge.web import endpoint, numbers
from bridge.web.access import Access, Client
from bridge.web.endpoint import JSON, Answer, guarded
from bridge.web.kinds import NOT_FOUND, SEVERAL
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
        return endpoint.routes(self, self._access)

    @guarded(
        "GET",
        "/v1/shipments/{shipment_id}",
        "read",
        takes=(numbers.SHIPMENT, numbers.ORGANIZATION),
        answers={200: Answer("What is known of it.", ShownShipment)},
        problems=(NOT_FOUND, SEVERAL),
    )
    async def show(self, request: Request, client: Client) -> Response:
        """Answer all that is known of a shipment: state, purchase, tracking, its timeline with reasons, the outlook."""
        shipment, organization = numbers.shipment(request, "shipment"), numbers.ORGANIZATION.read(request)
        found = await self._database.read(lambda it: _stories(it, f"shipment/{shipment}", client, organization))
        if not found:
            raise not_found("shipment")
        if len(found) > 1:
            raise Problem(SEVERAL, "Several organizations have this shipment: say which by organization_id.")
        organization = found[0].organization
        assert organization is not None, "only an organization's stories are read"
        known = document(found[0], self._clock(), self._settle)
        told: ShownShipment = {"shipment_id": shipment, "organization_id": organization, **known}
        return Response(to_json(told), media_type=JSON)


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
