"""The carrier's API for labels."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.simulator.downloads import download, shipments_in
from bridge.simulator.labels import labels_of, wish_in
from bridge.simulator.requests import own_organization, own_shipment
from bridge.simulator.simulator import Simulator


class LabelRest:
    """The handlers of labels."""

    def __init__(self, simulator: Simulator) -> None:
        self._world = simulator.world

    def routes(self) -> list[Route]:
        organization = "/v1/organizations/{id}"
        return [
            Route(f"{organization}/shipments/labels", self.labels),
            Route(f"{organization}/shipments/return_labels", self.return_labels),
            Route("/v1/shipments/{id}/label", self.label),
        ]

    async def label(self, request: Request) -> Response:
        shipment = own_shipment(request, self._world)
        return download(labels_of([shipment], wish_in(request.query_params), self._world))

    async def labels(self, request: Request) -> Response:
        return self._many(request)

    async def return_labels(self, request: Request) -> Response:
        return self._many(request, way_back=True)

    def _many(self, request: Request, *, way_back: bool = False) -> Response:
        organization = own_organization(request, self._world)
        wish = wish_in(request.query_params, way_back=way_back)
        return download(labels_of(shipments_in(request, organization, self._world), wish, self._world))
