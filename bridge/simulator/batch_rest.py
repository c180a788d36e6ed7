"""The carrier's API for batches."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge.simulator.batches import Batch
from bridge.simulator.documents import HREF, Document, short_shipment_document
from bridge.simulator.errors import not_found
from bridge.simulator.requests import caller, id_in_path, json_object, own_organization
from bridge.simulator.simulator import Simulator
from bridge.simulator.times import timestamp


class BatchRest:
    """The handlers of batches."""

    def __init__(self, simulator: Simulator) -> None:
        self._world = simulator.world
        self._batching = simulator.batching

    def routes(self) -> list[Route]:
        return [
            Route("/v1/organizations/{id}/batches", self.create, methods=["POST"]),
            Route("/v1/batches/{id}", self.batch),
        ]

    async def create(self, request: Request) -> Response:
        batch = self._batching.take(own_organization(request, self._world), await json_object(request))
        return JSONResponse(self._document(batch), 201, {"Location": f"{HREF}/v1/batches/{batch.id}"})

    async def batch(self, request: Request) -> Response:
        organization = caller(request, self._world)
        batch = self._world.batches.get(id_in_path(request))
        if batch is None or batch.organization is not organization:
            raise not_found()
        return JSONResponse(self._document(batch))

    def _document(self, batch: Batch) -> Document:
        """Write the batch; its shipments as reads see them now."""
        seen = [self._world.views.of(one) for one in batch.shipments]
        return {
            "href": f"{HREF}/v1/batches/{batch.id}",
            "id": batch.id,
            "status": batch.status,
            "shipments": [{**short_shipment_document(one), "status": one.status} for one in seen],
            "created_at": timestamp(batch.created_at),
            "updated_at": timestamp(batch.updated_at),
        }
