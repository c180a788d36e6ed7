"""Orders over HTTP: told, changed and deleted as commands, read from the provider, which alone has them.

They belong to the account there and to no organization of ours, so only tokens that are for all organizations may.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.commands.giving import GIVEN, PROBLEMS, Giving
from bridge.commands.models import Body
from bridge.errors import FieldProblem
from bridge.model import Command
from bridge.returns import checks
from bridge.shipping.returns.asking import asking
from bridge.shipping.returns.checkout.api import PROVIDER
from bridge.shipping.returns.desk import told
from bridge.shipping.returns.orders.asked import (
    AddReturnOrderItems,
    CreateReturnOrder,
    DeleteReturnOrder,
    FurtherItems,
)
from bridge.shipping.returns.orders.document import ShownReturnOrder, ToldOrder, document, without_people
from bridge.shipping.returns.orders.errands import KINDS
from bridge.shipping.returns.platforms import Platforms
from bridge.web import bodies, endpoint
from bridge.web.access import Access, Client
from bridge.web.endpoint import JSON, Answer, guarded
from bridge.web.kinds import (
    CARRIER_REFUSED,
    CARRIER_UNAVAILABLE,
    FORBIDDEN,
    NOT_FOUND,
    NOT_SUPPORTED,
    NOTHING_SENT,
    UNPROCESSABLE,
)
from bridge.web.parameters import Parameter
from bridge.web.problems import Problem, not_found

_ORDERS: Final = "/v1/return-orders"
_ORDER: Final = f"{_ORDERS}/{{reference:path}}"
_REFERENCE: Final = Parameter(
    "reference", "The shop's own name of the order; a slash in it is written `%2F`.", {"type": "string", "minLength": 1}
)
_LONGEST: Final = 255
_TOLD: Final = {
    **GIVEN,
    200: Answer("What was told when the key first came.", ToldOrder),
    201: Answer("The provider has it.", ToldOrder),
}
_MEETS: Final = (*PROBLEMS, *KINDS, NOT_SUPPORTED, CARRIER_REFUSED, NOTHING_SENT)


class ReturnOrdersApi:
    """`/v1/return-orders`."""

    def __init__(self, platforms: Platforms, giving: Giving, access: Access) -> None:
        self._platforms = platforms
        self._giving = giving
        self._access = access

    def routes(self) -> list[Route]:
        """Give the routes."""
        return endpoint.routes(self, self._access)

    @guarded(
        "POST",
        _ORDERS,
        "returns:write",
        takes=(bodies.REQUIRED_KEY,),
        body=CreateReturnOrder,
        answers=_TOLD,
        problems=_MEETS,
    )
    async def create(self, request: Request, client: Client) -> Response:
        """Tell the provider of an order, before anything of it comes back. The same `Idempotency-Key` tells it once.

        Needs a token for all organizations.
        """
        key = bodies.required_key(request)
        asked = await bodies.read(request, CreateReturnOrder)
        return await self._tell(client, key, asked)

    @guarded(
        "POST",
        f"{_ORDER}/items",
        "returns:write",
        takes=(_REFERENCE, bodies.REQUIRED_KEY),
        body=FurtherItems,
        answers=_TOLD,
        problems=_MEETS,
    )
    async def add_items(self, request: Request, client: Client) -> Response:
        """Tell the provider of more articles of an order. The same `Idempotency-Key` adds them once.

        Needs a token for all organizations.
        """
        key = bodies.required_key(request)
        more = await bodies.read(request, FurtherItems)
        asked = AddReturnOrderItems(
            provider=more.provider,
            reference=_reference(request),
            items=more.items,
            provider_options=more.provider_options,
        )
        return await self._tell(client, key, asked)

    @guarded(
        "GET",
        _ORDER,
        "read",
        takes=(_REFERENCE, PROVIDER),
        answers={200: Answer("The order.", ShownReturnOrder)},
        problems=(NOT_FOUND, NOT_SUPPORTED, CARRIER_REFUSED, CARRIER_UNAVAILABLE),
    )
    async def show(self, request: Request, client: Client) -> Response:
        """Answer an order as the provider has it; with its customer to a token that has `personal:read`.

        Needs a token for all organizations.
        """
        _insist_on_all(client)
        account, reference = self._platforms.account(PROVIDER.read(request)), _reference(request)
        with asking():
            found = await account.platform.find_order(reference)
        if found is None:
            raise not_found("order")
        shown = found if "personal:read" in client.scopes else without_people(found)
        return Response(to_json(document(account.connection, shown)), media_type=JSON)

    @guarded(
        "DELETE",
        _ORDER,
        "returns:write",
        takes=(_REFERENCE, PROVIDER, bodies.OPTIONAL_KEY),
        answers=GIVEN,
        problems=_MEETS,
    )
    async def delete(self, request: Request, client: Client) -> Response:
        """Delete an order of which nothing came back yet; again does no harm, and finds none (404).

        Needs a token for all organizations.
        """
        _insist_on_all(client)
        key, provider = bodies.optional_key(request), PROVIDER.read(request)
        asked = DeleteReturnOrder(provider=provider, reference=_reference(request))
        if not await self._giving.has(asked.operation, key):
            self._platforms.account(provider)
        return await self._giving.give(_command(asked, key, client))

    async def _tell(self, client: Client, key: str, asked: CreateReturnOrder | AddReturnOrderItems) -> Response:
        _insist_on_all(client)
        if not await self._giving.has(asked.operation, key):  # what was asked before is answered as it was then
            platform = self._platforms.account(asked.provider).platform
            _insist(platform.broken(asked.draft))
        return await self._giving.create(_command(asked, key, client))


def _command(asked: Body, key: str, client: Client) -> Command:
    return Command(asked.operation, key, asked.canonical, client.name)


def _insist(broken: Sequence[FieldProblem]) -> None:
    """Refuse what the provider would refuse. Raises a Problem."""
    if errors := [told(one) for one in broken]:
        raise Problem(UNPROCESSABLE, bodies.told(errors), errors)


def _insist_on_all(client: Client) -> None:
    """Refuse a token that is for some organizations: an order is nobody's in particular. Raises a Problem."""
    if client.organizations:
        raise Problem(FORBIDDEN, "Orders are the whole account's: this needs a token for all organizations.")


def _reference(request: Request) -> str:
    """Read which order is meant. Raises a Problem for what no order is called."""
    reference: str = request.path_params["reference"]
    if any(checks.text("reference", reference, _LONGEST, is_needed=True)):
        raise not_found("order")
    return reference
