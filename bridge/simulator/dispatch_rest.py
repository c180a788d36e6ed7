"""The carrier's API for dispatch orders."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge.simulator.dispatch_documents import comment_document, dispatch_order_document
from bridge.simulator.dispatch_drafts import PriceQuestion
from bridge.simulator.dispatch_listing import list_dispatch_orders
from bridge.simulator.dispatch_orders import DispatchOrder
from bridge.simulator.dispatch_prices import price_list
from bridge.simulator.documents import HREF
from bridge.simulator.downloads import download, shipments_in
from bridge.simulator.errors import not_found
from bridge.simulator.organizations import Organization
from bridge.simulator.printouts import printout, refuse_a_mixture
from bridge.simulator.requests import caller, id_in_path, json_object, own_organization
from bridge.simulator.rules import checked
from bridge.simulator.simulator import Simulator


class DispatchRest:
    """The handlers of dispatch orders."""

    def __init__(self, simulator: Simulator) -> None:
        self._world = simulator.world
        self._dispatching = simulator.dispatching

    def routes(self) -> list[Route]:
        """List the paths, the longer ones first. Comments hang on the organization's path, in every public client."""
        orders = "/v1/organizations/{id}/dispatch_orders"
        return [
            Route(f"{orders}/calculate", self.calculate, methods=["POST"]),
            Route(f"{orders}/printouts", self.printouts),
            Route(f"{orders}/{{order}}/comment", self.comment, methods=["POST"]),
            Route(f"{orders}/{{order}}/comment", self.amend, methods=["PUT"]),
            Route(f"{orders}/{{order}}/comment", self.withdraw, methods=["DELETE"]),
            Route(orders, self.create, methods=["POST"]),
            Route(orders, self.orders),
            Route("/v1/dispatch_orders/{order}/printout", self.printout),
            Route("/v1/dispatch_orders/{order}", self.cancel, methods=["DELETE"]),
            Route("/v1/dispatch_orders/{order}", self.order),
        ]

    async def create(self, request: Request) -> Response:
        order = self._dispatching.take(own_organization(request, self._world), await json_object(request))
        location = {"Location": f"{HREF}/v1/dispatch_orders/{order.id}"}
        return JSONResponse(dispatch_order_document(order), 201, location)

    async def orders(self, request: Request) -> Response:
        organization = own_organization(request, self._world)
        return JSONResponse(list_dispatch_orders(organization, request.query_params, self._world))

    async def order(self, request: Request) -> Response:
        return JSONResponse(dispatch_order_document(self._own(request, caller(request, self._world))))

    async def cancel(self, request: Request) -> Response:
        self._dispatching.cancel(self._own(request, caller(request, self._world)))
        return Response(status_code=204)

    async def comment(self, request: Request) -> Response:
        order = self._own(request, own_organization(request, self._world))
        return JSONResponse(comment_document(self._dispatching.comment(order, await json_object(request))), 201)

    async def amend(self, request: Request) -> Response:
        order = self._own(request, own_organization(request, self._world))
        return JSONResponse(comment_document(self._dispatching.amend(order, await json_object(request))))

    async def withdraw(self, request: Request) -> Response:
        order = self._own(request, own_organization(request, self._world))
        self._dispatching.withdraw(order, await json_object(request))
        return Response(status_code=204)

    async def calculate(self, request: Request) -> Response:
        organization = own_organization(request, self._world)
        question = checked(PriceQuestion, await json_object(request))
        return JSONResponse(price_list(question, organization, self._world))

    async def printout(self, request: Request) -> Response:
        order = self._own(request, caller(request, self._world))
        return download(printout(order.shipments, request.query_params))

    async def printouts(self, request: Request) -> Response:
        shipments = shipments_in(request, own_organization(request, self._world), self._world)
        refuse_a_mixture(shipments, self._world)
        return download(printout(shipments, request.query_params))

    def _own(self, request: Request, organization: Organization) -> DispatchOrder:
        """Give the order of the path; missing and another's look the same."""
        order = self._world.dispatch_orders.get(id_in_path(request, "order"))
        if order is None or order.organization is not organization:
            raise not_found()
        return order
