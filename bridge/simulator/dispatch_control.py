"""The part of the simulator's own API that is about dispatch orders. Not part of any carrier."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge.simulator.control import Command
from bridge.simulator.dispatch_orders import DispatchOrder
from bridge.simulator.documents import Document
from bridge.simulator.errors import not_found
from bridge.simulator.requests import id_in_path, json_object
from bridge.simulator.rules import checked
from bridge.simulator.scenario import StatusName
from bridge.simulator.simulator import Simulator


class OrderMove(Command):
    status: StatusName


class DispatchControl:
    """The handlers under `/_control/dispatch_orders`."""

    def __init__(self, simulator: Simulator) -> None:
        self._world = simulator.world
        self._dispatching = simulator.dispatching

    def routes(self) -> list[Route]:
        return [
            Route("/_control/dispatch_orders", self.orders),
            Route("/_control/dispatch_orders/{id}/statuses", self.move, methods=["POST"]),
        ]

    async def orders(self, request: Request) -> Response:
        """List every order, oldest first."""
        return JSONResponse({"items": [_order(order) for order in self._world.dispatch_orders]})

    async def move(self, request: Request) -> Response:
        """Let an order enter a status now, documented or not; the scenario's own steps end with that."""
        order = self._world.dispatch_orders.get(id_in_path(request))
        if order is None:
            raise not_found()
        self._dispatching.move(order, checked(OrderMove, await json_object(request)).status)
        return JSONResponse(_order(order))


def _order(order: DispatchOrder) -> Document:
    return {
        "id": order.id,
        "organization_id": order.organization.id,
        "status": order.status,
        "statuses": order.statuses,
        "dispatch_point_id": order.point.id,
        "shipments": [shipment.id for shipment in order.shipments],
    }
