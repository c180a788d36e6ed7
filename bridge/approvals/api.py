"""Purchases over HTTP: listed, looked at, and approved, held or retried as commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.approvals.document import PurchasePage, ShownPurchase, document
from bridge.commands.giving import GIVEN, PROBLEMS, Giving
from bridge.commands.models import ApprovePurchase, HoldPurchase, RetryPurchase, ShipmentOrder, Word
from bridge.lifecycle import Clock
from bridge.model import Command
from bridge.store.listed import Listed, SqlListed, Wanted
from bridge.store.purchase import PurchaseState
from bridge.web import bodies, endpoint, numbers
from bridge.web.access import Access, Client
from bridge.web.endpoint import JSON, Answer, Endpoint, OfClient, guarded
from bridge.web.fields import Number
from bridge.web.kinds import FORBIDDEN, NOT_FOUND, SEVERAL
from bridge.web.parameters import choice, cursor, limit
from bridge.web.problems import Problem, bad_field, not_found

_ORDERS: Final[Mapping[str, type[ShipmentOrder]]] = {
    "approve": ApprovePurchase,
    "hold": HoldPurchase,
    "retry": RetryPurchase,
}
_ONE: Final = "/v1/purchases/{shipment_id}"
_STATE: Final = choice("state", "Only purchases in this state.", list(PurchaseState))
_LIMIT: Final = limit(usual=50, most=500)


class WhosePurchase(BaseModel):
    """What is asked for about a purchase whose shipment the path names."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", hide_input_in_errors=True)

    organization_id: Number | None = None


class ApprovedPurchase(WhosePurchase):
    """The same, of an approval: with an intent, only of what is held under that one."""

    intent_id: Word | None = None


def _before(text: str) -> tuple[int, int]:
    organization, _, shipment = text.partition(".")
    if not numbers.is_number(organization) or not numbers.is_number(shipment):
        raise bad_field("after", "bad_cursor", "is not a cursor of this list")
    return int(organization), int(shipment)


_AFTER: Final = cursor(_before)


def _order(name: str, body: type[WhosePurchase] = WhosePurchase) -> Callable[[OfClient], Endpoint]:
    """Describe an order about a purchase."""
    return guarded(
        "POST",
        f"{_ONE}/{name}",
        "purchases:write",
        takes=(numbers.SHIPMENT, bodies.OPTIONAL_KEY),
        body=body,
        answers=GIVEN,
        problems=(*PROBLEMS, NOT_FOUND, SEVERAL),
    )


class PurchasesApi:
    """`/v1/purchases`."""

    def __init__(self, listed: SqlListed, giving: Giving, access: Access, clock: Clock) -> None:
        self._listed = listed
        self._giving = giving
        self._access = access
        self._clock = clock

    def routes(self) -> list[Route]:
        """Give the routes."""
        return endpoint.routes(self, self._access)

    @guarded(
        "GET",
        "/v1/purchases",
        "read",
        takes=(_STATE, numbers.ORGANIZATION, _AFTER, _LIMIT),
        answers={200: Answer("A page.", PurchasePage)},
    )
    async def list(self, request: Request, client: Client) -> Response:
        """Answer a page of purchases, by organization and shipment, the highest numbers first."""
        most = _LIMIT.read(request)
        found = await self._listed.list(_wanted(request, client), most)
        last = found[-1] if len(found) == most else None
        following = None if last is None else f"{last.organization}.{last.shipment}"
        page: PurchasePage = {"items": [document(one, self._clock()) for one in found], "next": following}
        return _json(page)

    @guarded(
        "GET",
        _ONE,
        "read",
        takes=(numbers.SHIPMENT, numbers.ORGANIZATION),
        answers={200: Answer("The purchase.", ShownPurchase)},
        problems=(NOT_FOUND, SEVERAL),
    )
    async def show(self, request: Request, client: Client) -> Response:
        """Answer the purchase of a shipment: state, offer, price, seconds left, who holds or approved it, last step."""
        found = await self._found(request, client, numbers.ORGANIZATION.read(request))
        return _json(document(found, self._clock()))

    @_order("approve", ApprovedPurchase)
    async def approve(self, request: Request, client: Client) -> Response:
        """Let a held purchase be made: of the service that was chosen, at its price; it is read anew first."""
        return await self._give(request, client, "approve", ApprovedPurchase)

    @_order("hold")
    async def hold(self, request: Request, client: Client) -> Response:
        """Buy nothing for a shipment until somebody approves or retries it."""
        return await self._give(request, client, "hold")

    @_order("retry")
    async def retry(self, request: Request, client: Client) -> Response:
        """Have a purchase decided about anew that ended unbought, is held, or is bought as a webhook alone says."""
        return await self._give(request, client, "retry")

    async def _give(
        self, request: Request, client: Client, name: str, body: type[WhosePurchase] = WhosePurchase
    ) -> Response:
        key = bodies.optional_key(request)
        told = await bodies.read(request, body)
        found = await self._found(request, client, told.organization_id)
        whose = {"shipment_id": found.shipment, "organization_id": found.organization}
        asked = _ORDERS[name].model_validate(told.model_dump() | whose)
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
            raise Problem(SEVERAL, "Several organizations have this shipment: say which by organization_id.")
        return found[0]


def _wanted(request: Request, client: Client) -> Wanted:
    organization = numbers.ORGANIZATION.read(request)
    if organization is None:
        return Wanted(_STATE.read(request), client.organizations, _AFTER.read(request))
    if not client.sees(organization):
        raise Problem(FORBIDDEN, "This token is not for this organization.")
    return Wanted(_STATE.read(request), frozenset({organization}), _AFTER.read(request))


def _json(body: object) -> Response:
    return Response(to_json(body), media_type=JSON)
