"""The carrier's API for merchants."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge.simulator import bulk
from bridge.simulator.documents import HREF, organization_document, shipment_document
from bridge.simulator.listing import list_shipments
from bridge.simulator.requests import (
    Purchase,
    caller,
    json_object,
    own_organization,
    own_shipment,
    shipment_attributes,
)
from bridge.simulator.rules import checked
from bridge.simulator.shipment_prices import shipment_prices
from bridge.simulator.shipments import Shipment
from bridge.simulator.simulator import Simulator


class Rest:
    """The handlers: each reads the request, lets one thing happen, and writes the answer."""

    def __init__(self, simulator: Simulator) -> None:
        self._world = simulator.world
        self._intake = simulator.intake
        self._purchasing = simulator.purchasing

    def routes(self) -> list[Route]:
        """List the paths, the longer ones first."""
        organization = "/v1/organizations/{id}"
        return [
            Route("/v1/organizations", self.organizations),
            Route(f"{organization}/shipments/select_offers", self.select_offers, methods=["POST"]),
            Route(f"{organization}/shipments/bulk_buy", self.bulk_buy, methods=["POST"]),
            Route(f"{organization}/shipments/calculate", self.calculate, methods=["POST"]),
            Route(f"{organization}/shipments", self.create, methods=["POST"]),
            Route(f"{organization}/shipments", self.shipments),
            Route(organization, self.organization),
            Route("/v1/shipments/{id}/select_offer", self.select_offer, methods=["POST"]),
            Route("/v1/shipments/{id}/buy", self.buy, methods=["POST"]),
            Route("/v1/shipments/{id}", self.edit, methods=["PUT"]),
            Route("/v1/shipments/{id}", self.cancel, methods=["DELETE"]),
            Route("/v1/shipments/{id}", self.shipment),
        ]

    async def organizations(self, request: Request) -> Response:
        items = [organization_document(caller(request, self._world))]
        href = f"{HREF}/v1/organizations"
        return JSONResponse({"href": href, "count": len(items), "page": 1, "per_page": 25, "items": items})

    async def organization(self, request: Request) -> Response:
        return JSONResponse(organization_document(own_organization(request, self._world)))

    async def create(self, request: Request) -> Response:
        organization = own_organization(request, self._world, hidden=True)
        shipment = self._intake.take(self._intake.checked(organization, await shipment_attributes(request)))
        location = f"{HREF}/v1/shipments/{shipment.id}"
        return JSONResponse(shipment_document(shipment), 201, {"Location": location})

    async def calculate(self, request: Request) -> Response:
        organization = own_organization(request, self._world)
        return JSONResponse(shipment_prices(organization, await json_object(request), self._intake))

    async def shipments(self, request: Request) -> Response:
        organization = own_organization(request, self._world)
        return JSONResponse(list_shipments(organization, request.query_params, self._world))

    async def shipment(self, request: Request) -> Response:
        return JSONResponse(shipment_document(self._world.views.of(own_shipment(request, self._world))))

    async def edit(self, request: Request) -> Response:
        shipment = own_shipment(request, self._world)
        self._intake.edit(shipment, await shipment_attributes(request))
        return JSONResponse(shipment_document(shipment))

    async def cancel(self, request: Request) -> Response:
        self._intake.cancel(own_shipment(request, self._world))
        return Response(status_code=204)

    async def select_offer(self, request: Request) -> Response:
        shipment = own_shipment(request, self._world)
        self._select(shipment, await self._taken(shipment, request))
        return JSONResponse(shipment_document(shipment))

    async def buy(self, request: Request) -> Response:
        shipment = own_shipment(request, self._world)
        self._buy(shipment, await self._taken(shipment, request))
        return JSONResponse(shipment_document(shipment))

    async def select_offers(self, request: Request) -> Response:
        for shipment, offer_id in await self._choices(request):
            self._select(shipment, offer_id)
        return Response(status_code=204)

    async def bulk_buy(self, request: Request) -> Response:
        for shipment, offer_id in await self._choices(request, paying=True):
            self._buy(shipment, offer_id)
        return Response(status_code=204)

    def _select(self, shipment: Shipment, offer_id: int) -> None:
        self._purchasing.select(shipment, offer_id)
        self._world.did("offer_selected", shipment.organization, shipment.id, shipment.draft.reference)

    def _buy(self, shipment: Shipment, offer_id: int) -> None:
        self._purchasing.buy(shipment, offer_id)
        self._world.did("purchase_accepted", shipment.organization, shipment.id, shipment.draft.reference)

    async def _taken(self, shipment: Shipment, request: Request) -> int:
        offer_id = checked(Purchase, await json_object(request)).offer_id
        self._world.take(shipment, offer_id)
        return offer_id

    async def _choices(self, request: Request, *, paying: bool = False) -> list[bulk.Choice]:
        organization = own_organization(request, self._world)
        return bulk.choices(await json_object(request), organization, self._world, paying=paying)
