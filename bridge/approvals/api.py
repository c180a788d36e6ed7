"""Purchases over HTTP: listed, looked at, and approved, held or retried as commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.approvals.words import document
from bridge.commands.giving import Giving
from bridge.commands.models import ApprovePurchase, HoldPurchase, OrganizationNumber, RetryPurchase, ShipmentOrder
from bridge.lifecycle import Clock
from bridge.model import Command
from bridge.store.listed import Listed, SqlListed, Wanted
from bridge.store.purchase import PurchaseState
from bridge.web import bodies, numbers
from bridge.web.access import Access, Client
from bridge.web.paging import limit
from bridge.web.problems import Problem, bad_field, not_found

_DEFAULT, _MOST = 50, 500
_ORDERS: Final[Mapping[str, type[ShipmentOrder]]] = {
    "approve": ApprovePurchase,
    "hold": HoldPurchase,
    "retry": RetryPurchase,
}
_ONE: Final = "/v1/purchases/{shipment_id}"


class Whose(BaseModel):
    """What is asked for about a purchase whose shipment the path names."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    organization_id: OrganizationNumber | None = None


class PurchasesApi:
    """`/v1/purchases`."""

    def __init__(self, listed: SqlListed, giving: Giving, access: Access, clock: Clock) -> None:
        self._listed = listed
        self._giving = giving
        self._access = access
        self._clock = clock

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/v1/purchases", self.list),
            Route(_ONE, self.show),
            Route(f"{_ONE}/approve", self.approve, methods=["POST"]),
            Route(f"{_ONE}/hold", self.hold, methods=["POST"]),
            Route(f"{_ONE}/retry", self.retry, methods=["POST"]),
        ]

    async def list(self, request: Request) -> Response:
        """Answer a page of purchases, by organization and shipment, the highest numbers first."""
        client = self._access.require(request, "read")
        most = limit(request, usual=_DEFAULT, most=_MOST)
        found = await self._listed.list(_wanted(request, client), most)
        last = found[-1] if len(found) == most else None
        following = None if last is None else f"{last.organization}.{last.shipment}"
        return _json({"items": [document(one, self._clock()) for one in found], "next": following})

    async def show(self, request: Request) -> Response:
        """Answer the purchase of a shipment: state, offer, price, seconds left, who holds or approved it, last step."""
        client = self._access.require(request, "read")
        found = await self._found(request, client, numbers.organization(request))
        return _json(document(found, self._clock()))

    async def approve(self, request: Request) -> Response:
        """Let a held purchase be made: of the service that was chosen, at its price; it is read anew first."""
        return await self._order(request, "approve")

    async def hold(self, request: Request) -> Response:
        """Buy nothing for a shipment until somebody approves or retries it."""
        return await self._order(request, "hold")

    async def retry(self, request: Request) -> Response:
        """Have a purchase decided about anew that ended unbought, is held, or is bought as a webhook alone says."""
        return await self._order(request, "retry")

    async def _order(self, request: Request, name: str) -> Response:
        client = self._access.require(request, "purchases:write")
        key = bodies.required_key(request)
        whose = await bodies.read(request, Whose)
        found = await self._found(request, client, whose.organization_id)
        asked = _ORDERS[name](shipment_id=found.shipment, organization_id=found.organization)
        return await self._giving.give(Command(asked.operation, key, asked.canonical, client.name))

    async def _found(self, request: Request, client: Client, organization: int | None) -> Listed:
        """Find the purchase that the path names, of those that the client sees. Raises a Problem."""
        if organization is not None and not client.sees(organization):
            raise not_found("purchase")
        among = client.organizations if organization is None else frozenset({organization})
        found = await self._listed.find(numbers.shipment(request, "purchase"), among)
        if not found:
            raise not_found("purchase")
        if len(found) > 1:
            raise Problem(409, "several", "Several organizations have this shipment: say which by organization_id.")
        return found[0]


def _wanted(request: Request, client: Client) -> Wanted:
    organization = numbers.organization(request)
    if organization is None:
        return Wanted(_state(request), client.organizations, _before(request))
    if not client.sees(organization):
        raise Problem(403, "forbidden", "This token is not for this organization.")
    return Wanted(_state(request), frozenset({organization}), _before(request))


def _state(request: Request) -> PurchaseState | None:
    text = request.query_params.get("state")
    if text is None:
        return None
    try:
        return PurchaseState(text)
    except ValueError:
        raise bad_field("state", "unknown_value", f"must be one of {', '.join(PurchaseState)}") from None


def _before(request: Request) -> tuple[int, int] | None:
    text = request.query_params.get("after")
    if not text:
        return None
    organization, _, shipment = text.partition(".")
    if not numbers.is_number(organization) or not numbers.is_number(shipment):
        raise bad_field("after", "bad_cursor", "is not a cursor of this list")
    return int(organization), int(shipment)


def _json(body: object) -> Response:
    return Response(to_json(body), media_type="application/json")
