"""Couriers over HTTP: ordered and called off as commands, listed as they are kept here, priced by the carrier.

Orders are listed and shown from the store: that costs the carrier no call, holds while it is away, and says what the
events said. Only an order that was not made here is asked for there. What it would cost, and the lists that a courier
signs, nobody but the carrier knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.commands.giving import GIVEN, PROBLEMS, Giving
from bridge.commands.models import Body
from bridge.dispatch.asked import (
    MOST_PRINTED,
    AddDispatchComment,
    CalculateDispatchOrder,
    CancelDispatchOrder,
    ChangeDispatchComment,
    CreateDispatchOrder,
)
from bridge.dispatch.document import (
    OrderPage,
    OrderSummary,
    ShownComment,
    ShownOrder,
    ShownPrice,
    document,
    price_document,
    read_document,
)
from bridge.dispatch.printout import Printout
from bridge.dispatch.words import OrderState
from bridge.model import Command, DispatchOrderId, OrganizationId
from bridge.ports.shipping import Dispatcher
from bridge.shipments.asked import Line
from bridge.shipping import refusals
from bridge.shipping.signed import PDF, ZIP, media_type
from bridge.shipping.whose import whose
from bridge.store import dispatches
from bridge.store.database import Database
from bridge.store.dispatches import Kept, Wanted
from bridge.web import bodies, endpoint, numbers
from bridge.web.access import Access, Client
from bridge.web.endpoint import JSON, Answer, guarded
from bridge.web.fields import Number
from bridge.web.kinds import (
    CARRIER_REFUSED,
    CARRIER_UNAVAILABLE,
    FORBIDDEN,
    NOT_FOUND,
    NOTHING_SENT,
    SEVERAL,
    UNPROCESSABLE,
)
from bridge.web.parameters import choice, cursor, limit
from bridge.web.problems import Problem, bad_field, not_found

_ORDERS: Final = "/v1/dispatch-orders"
_ORDER: Final = f"{_ORDERS}/{{dispatch_order_id}}"
_STATE: Final = choice("state", "Only orders in this state.", list(OrderState))
_LIMIT: Final = limit(usual=50, most=500)
_ONE: Final = (numbers.DISPATCH_ORDER, numbers.ORGANIZATION)
_MEETS: Final = (*PROBLEMS, CARRIER_REFUSED, NOTHING_SENT)
_ABOUT_ONE: Final = (*_MEETS, NOT_FOUND, SEVERAL, UNPROCESSABLE)
_ASKS: Final = (CARRIER_REFUSED, CARRIER_UNAVAILABLE, UNPROCESSABLE)
_COMMENTED: Final = {
    **GIVEN,
    200: Answer("The comment that was added when the key first came.", ShownComment),
    201: Answer("It was added.", ShownComment),
}
_CREATED: Final = {
    **GIVEN,
    200: Answer("The order that was made when the key first came.", OrderSummary),
    201: Answer("It was made.", OrderSummary),
}
_FILE: Final = {200: Answer(f"A PDF, or of several services a ZIP (`{ZIP}`) of PDFs.", {"type": "string"}, PDF)}


class Comment(BaseModel):
    """What the courier is to be told."""

    model_config = ConfigDict(defer_build=True, extra="forbid", hide_input_in_errors=True)

    comment: Line


class CommentChange(Comment):
    """What a comment is to say from now on."""

    comment_id: Number


def _before(text: str) -> tuple[int, int]:
    organization, _, order = text.partition(".")
    if not (numbers.is_number(organization) and numbers.is_number(order)):
        raise bad_field("after", "bad_cursor", "is not a cursor of this list")
    return int(organization), int(order)


_AFTER: Final = cursor(_before)


class DispatchApi:
    """`/v1/dispatch-orders` and `/v1/dispatch-printouts`."""

    def __init__(
        self, dispatchers: Mapping[OrganizationId, Dispatcher], database: Database, giving: Giving, access: Access
    ) -> None:
        self._dispatchers = dispatchers
        self._database = database
        self._giving = giving
        self._access = access

    def routes(self) -> list[Route]:
        """Give the routes."""
        return endpoint.routes(self, self._access)

    # -- what is kept here ---------------------------------------------------------------------------------------------

    @guarded(
        "GET",
        _ORDERS,
        "read",
        takes=(_STATE, numbers.OF_SHIPMENT, numbers.ORGANIZATION, _AFTER, _LIMIT),
        answers={200: Answer("A page of orders.", OrderPage)},
    )
    async def list(self, request: Request, client: Client) -> Response:
        """Answer a page of the orders that are kept here, by organization and number, the highest numbers first."""
        most, wanted = _LIMIT.read(request), _wanted(request, client)
        found = await self._database.read(lambda it: dispatches.page(it, wanted, most + 1))
        last = found[most - 1] if len(found) > most else None
        following = None if last is None else f"{last.organization}.{last.id}"
        page: OrderPage = {"items": [document(one) for one in found[:most]], "next": following}
        return _json(page)

    @guarded(
        "POST",
        _ORDERS,
        "shipments:write",
        takes=(bodies.REQUIRED_KEY,),
        body=CreateDispatchOrder,
        answers=_CREATED,
        problems=_MEETS,
    )
    async def create(self, request: Request, client: Client) -> Response:
        """Order a courier to collect shipments. The same `Idempotency-Key` orders it once."""
        key = bodies.required_key(request)
        asked = await bodies.read(request, CreateDispatchOrder)
        asked = asked.model_copy(update={"organization_id": whose(client, asked.organization_id)})
        return await self._giving.create(Command(asked.operation, key, asked.canonical, client.name))

    @guarded(
        "POST",
        f"{_ORDERS}/calculate",
        "read",
        body=CalculateDispatchOrder,
        answers={200: Answer("What it would cost.", ShownPrice)},
        problems=_ASKS,
    )
    async def calculate(self, request: Request, client: Client) -> Response:
        """Ask the carrier what it would cost to have shipments collected; nothing is ordered."""
        asked = await bodies.read(request, CalculateDispatchOrder)
        organization, dispatcher = self._asked(client, asked.organization_id)
        price = await dispatcher.calculate(asked.ids, asked.dispatch_point_id)
        return _json(price_document(organization, price))

    # -- one order -----------------------------------------------------------------------------------------------------

    @guarded(
        "GET",
        _ORDER,
        "read",
        takes=_ONE,
        answers={200: Answer("The order.", ShownOrder)},
        problems=(NOT_FOUND, SEVERAL, *_ASKS),
    )
    async def show(self, request: Request, client: Client) -> Response:
        """Answer how an order stands: as it is kept here, or as the carrier has it where it was not made here."""
        order = numbers.dispatch_order(request)
        kept = await self._kept(request, client, order)
        if kept is not None:
            return _json(document(kept))
        organization, dispatcher = self._asked(client, numbers.ORGANIZATION.read(request))
        return _json(read_document(organization, await dispatcher.read(order)))

    @guarded(
        "DELETE",
        _ORDER,
        "shipments:write",
        takes=(*_ONE, bodies.OPTIONAL_KEY),
        answers=GIVEN,
        problems=_ABOUT_ONE,
    )
    async def cancel(self, request: Request, client: Client) -> Response:
        """Call a courier off: done only when a read of the order shows it."""
        order, organization = await self._found(request, client)
        asked = CancelDispatchOrder(dispatch_order_id=order, organization_id=organization)
        return await self._give(request, client, asked)

    @guarded(
        "GET",
        f"{_ORDER}/printout",
        "personal:read",
        takes=_ONE,
        answers=_FILE,
        problems=(NOT_FOUND, SEVERAL, *_ASKS),
    )
    async def printout(self, request: Request, client: Client) -> Response:
        """Fetch from the carrier the list of an order that the courier signs: a PDF, or a ZIP of several."""
        order, organization = await self._found(request, client)
        _, dispatcher = self._asked(client, organization)
        return _file(await dispatcher.printout(order), f"dispatch-order-{order}")

    @guarded(
        "POST",
        f"{_ORDER}/comments",
        "shipments:write",
        takes=(*_ONE, bodies.REQUIRED_KEY),
        body=Comment,
        answers=_COMMENTED,
        problems=_ABOUT_ONE,
    )
    async def comment(self, request: Request, client: Client) -> Response:
        """Say something to the courier. The same `Idempotency-Key` says it once."""
        key = bodies.required_key(request)
        said = await bodies.read(request, Comment)
        order, organization = await self._found(request, client)
        asked = AddDispatchComment(dispatch_order_id=order, organization_id=organization, comment=said.comment)
        return await self._giving.create(Command(asked.operation, key, asked.canonical, client.name))

    @guarded(
        "PUT",
        f"{_ORDER}/comments",
        "shipments:write",
        takes=(*_ONE, bodies.OPTIONAL_KEY),
        body=CommentChange,
        answers=GIVEN,
        problems=_ABOUT_ONE,
    )
    async def change_comment(self, request: Request, client: Client) -> Response:
        """Say it in other words: `comment_id` is which comment."""
        said = await bodies.read(request, CommentChange)
        order, organization = await self._found(request, client)
        asked = ChangeDispatchComment(
            dispatch_order_id=order, organization_id=organization, comment_id=said.comment_id, comment=said.comment
        )
        return await self._give(request, client, asked)

    # -- many shipments ------------------------------------------------------------------------------------------------

    @guarded(
        "GET",
        "/v1/dispatch-printouts",
        "personal:read",
        takes=(numbers.several_shipments(MOST_PRINTED), numbers.ORGANIZATION),
        answers=_FILE,
        problems=(NOT_FOUND, *_ASKS),
    )
    async def printouts(self, request: Request, client: Client) -> Response:
        """Fetch from the carrier the lists of up to a hundred shipments, whether a courier was ordered or not."""
        shipments = numbers.shipments(request, MOST_PRINTED)
        _, dispatcher = self._asked(client, numbers.ORGANIZATION.read(request))
        return _file(await dispatcher.printouts(shipments), "dispatch-printout")

    async def _give(self, request: Request, client: Client, asked: Body) -> Response:
        key = bodies.optional_key(request)
        return await self._giving.give(Command(asked.operation, key, asked.canonical, client.name))

    def _asked(self, client: Client, asked: int | None) -> tuple[OrganizationId, Dispatcher]:
        """Say at whose carrier account to ask. Raises a Problem."""
        found = refusals.organization(whose(client, asked), self._dispatchers)
        if not isinstance(found, int):
            raise Problem(UNPROCESSABLE, f"{found.field}: {found.message}", [found])
        return found, self._dispatchers[found]

    async def _found(self, request: Request, client: Client) -> tuple[DispatchOrderId, int | None]:
        """Say which order is meant, and whose it is: what is kept here is known to be somebody's."""
        order = numbers.dispatch_order(request)
        kept = await self._kept(request, client, order)
        organization = numbers.ORGANIZATION.read(request) if kept is None else kept.organization
        return order, whose(client, organization)

    async def _kept(self, request: Request, client: Client, order: DispatchOrderId) -> Kept | None:
        asked = numbers.ORGANIZATION.read(request)
        if asked is not None and not client.sees(asked):
            raise not_found("dispatch order")
        among = client.organizations if asked is None else frozenset({asked})
        found = await self._database.read(lambda it: dispatches.find(it, order, among))
        if len(found) > 1:
            raise Problem(SEVERAL, "Several organizations have this order: say which by organization_id.")
        return found[0] if found else None


def _wanted(request: Request, client: Client) -> Wanted:
    """Read what a list is to be of. Raises a Problem."""
    asked = numbers.ORGANIZATION.read(request)
    if asked is not None and not client.sees(asked):
        raise Problem(FORBIDDEN, "This token is not for this organization.")
    among = client.organizations if asked is None else frozenset({asked})
    return Wanted(_STATE.read(request), numbers.OF_SHIPMENT.read(request), among, _AFTER.read(request))


def _json(body: object) -> Response:
    return Response(to_json(body), media_type=JSON)


def _file(found: Printout, name: str) -> Response:
    """Answer a file. It names people, so nobody on the way keeps it."""
    headers = {
        "content-disposition": f'attachment; filename="{name}.{"zip" if found.is_archive else "pdf"}"',
        "cache-control": "no-store",
    }
    return Response(found.content, headers=headers, media_type=media_type(found))
