"""The eighteen methods behind `/<group>/<method>/<format>`; errors stand in the body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.simulator.documents import Document
from bridge.simulator.forms import form_of
from bridge.simulator.intelligentreturns.booking import Booking
from bridge.simulator.intelligentreturns.cancelling import Cancelling
from bridge.simulator.intelligentreturns.desk import Desk
from bridge.simulator.intelligentreturns.failures import Failed
from bridge.simulator.intelligentreturns.finding import Finding
from bridge.simulator.intelligentreturns.formats import Format, failure, success, tree_in
from bridge.simulator.intelligentreturns.ordering import Ordering
from bridge.simulator.intelligentreturns.places import Places
from bridge.simulator.intelligentreturns.prices import Prices
from bridge.simulator.intelligentreturns.refunding import Refunding
from bridge.simulator.intelligentreturns.terms import AccountTerms
from bridge.simulator.intelligentreturns.tracking import Tracking
from bridge.simulator.intelligentreturns.values import unix

PREFIX: Final = "/intelligentreturns"
AVAILABLE: Final = "check/available"
"""The one method that needs no login."""
Method = Callable[[AccountTerms, Mapping[str, object]], Document]


def methods_of(desk: Desk) -> Mapping[str, Method]:
    """List the methods that need a login."""
    ordering, booking, finding, prices = Ordering(desk), Booking(desk), Finding(desk), Prices(desk)
    cancelling, tracking, refunding, places = Cancelling(desk), Tracking(desk), Refunding(desk), Places(desk)
    return {
        "orders/create": ordering.create,
        "orders/get": ordering.get,
        "orders/delete": ordering.delete,
        "orders/add_items": ordering.add_items,
        "returns/create": booking.create,
        "returns/get": finding.get,
        "returns/items": finding.items,
        "returns/request_for_prices": prices.request,
        "returns/cancel": cancelling.cancel,
        "returns/billing": cancelling.billing,
        "tracking/get": tracking.get,
        "tracking/get_by_date_range": tracking.by_date,
        "tracking/get_by_date_added_range": tracking.by_date_added,
        "tracking/add_status": refunding.add,
        "services/get_available": places.available,
        "services/get_drop_off_points": places.points,
        "services/get_drop_off_by_id": places.point,
    }


class Rest:
    """The handler, which lets the method happen that the path names."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._methods = methods_of(desk)

    def routes(self) -> list[Route]:
        path = f"{PREFIX}/{{group}}/{{method}}"
        return [Route(f"{path}/{{format}}", self.call, methods=["POST"]), Route(path, self.call, methods=["POST"])]

    async def call(self, request: Request) -> Response:
        named = request.path_params
        form: Format = "xml" if named.get("format") == "xml" else "json"
        try:
            if named.get("format", "json") != form:
                raise Failed("unknown_call")
            document = self._document(f"{named['group']}/{named['method']}", await form_of(request), form)
        except Failed as failed:
            return failure(failed, form, self._desk.terms.error_status)
        return success(document, form, bare=self._desk.terms.xml_text == "bare")

    def _document(self, name: str, fields: Mapping[str, str], form: Format) -> Document:
        refusal = self._desk.refusal_of(name)
        if refusal is not None and not refusal.done:
            raise Failed(refusal.code, refusal.message)
        document = self._answered(name, fields, form)
        if refusal is not None:
            raise Failed(refusal.code, refusal.message)
        return document

    def _answered(self, name: str, fields: Mapping[str, str], form: Format) -> Document:
        if name == AVAILABLE:
            return {"date": unix(self._desk.world.now())}
        method = self._methods.get(name)
        if method is None:
            raise Failed("unknown_call")
        for field in ("login", "api_key", "request"):
            if not fields.get(field):
                raise Failed(f"{field}_empty")
        account = self._desk.caller(fields["login"], fields["api_key"])
        return method(account, tree_in(fields["request"], form))


def failed(path: str) -> Response:
    """Say that the provider failed, in the format that the path names."""
    return failure(Failed("internal"), "xml" if path.endswith("/xml") else "json", 500)
