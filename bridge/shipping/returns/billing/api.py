"""Bills and refunds of returns over HTTP."""

from __future__ import annotations

from typing import Final

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.commands.giving import GIVEN, PROBLEMS, Giving
from bridge.model import Command
from bridge.ports.return_platform import ReturnPlatform
from bridge.returns.bill import bill_of
from bridge.shipping.returns.asking import asking
from bridge.shipping.returns.billing.asked import MarkRefunded, Refund
from bridge.shipping.returns.billing.document import Refunded, ShownBill, document
from bridge.shipping.returns.keeping import Keeping
from bridge.shipping.returns.platforms import PROVIDER, Platforms
from bridge.store.returns import Kept
from bridge.web import bodies, endpoint
from bridge.web.access import Access, Client
from bridge.web.endpoint import JSON, Answer, guarded
from bridge.web.kinds import CARRIER_REFUSED, CARRIER_UNAVAILABLE, NOT_FOUND, NOT_SUPPORTED, NOTHING_SENT
from bridge.web.parameters import Parameter
from bridge.web.problems import Problem, not_found

_RETURN: Final = "/v1/returns/{return_id}"
_ID: Final = Parameter("return_id", "The bridge's own id of the return.", {"type": "string", "minLength": 1})
_TOLD: Final = {
    **GIVEN,
    200: Answer("What was told when the key first came.", Refunded),
    201: Answer("The provider knows.", Refunded),
}


class BillingApi:
    """`/v1/returns/{return_id}/billing` and `/refunded`."""

    def __init__(self, platforms: Platforms, keeping: Keeping, giving: Giving, access: Access) -> None:
        self._platforms = platforms
        self._keeping = keeping
        self._giving = giving
        self._access = access

    def routes(self) -> list[Route]:
        """Give the routes."""
        return endpoint.routes(self, self._access)

    @guarded(
        "GET",
        f"{_RETURN}/billing",
        "read",
        takes=(_ID,),
        answers={200: Answer("The bill.", ShownBill)},
        problems=(NOT_FOUND, NOT_SUPPORTED, CARRIER_REFUSED, CARRIER_UNAVAILABLE),
    )
    async def billing(self, request: Request, client: Client) -> Response:
        """Answer what a return costs, as its provider has it; with its comments to a token that has `personal:read`."""
        kept = await self._kept(request, client)
        platform = self._platform(kept)
        with asking():
            bill = bill_of(await platform.bills(external_id=kept.id), kept.id, kept.tracking_number)
        if bill is None:
            raise not_found("bill")
        shown = document(kept.id, kept.provider, bill, with_comments="personal:read" in client.scopes)
        return Response(to_json(shown), media_type=JSON)

    @guarded(
        "POST",
        f"{_RETURN}/refunded",
        "returns:write",
        takes=(_ID, bodies.OPTIONAL_KEY),
        body=Refund,
        answers=_TOLD,
        problems=(*PROBLEMS, NOT_FOUND, NOT_SUPPORTED, CARRIER_REFUSED, NOTHING_SENT),
    )
    async def refunded(self, request: Request, client: Client) -> Response:
        """Tell the provider that the customer was paid back, now or at `at`; that it is known already is as good."""
        key = bodies.optional_key(request)
        refund, kept = await bodies.read(request, Refund), await self._kept(request, client)
        asked = MarkRefunded(return_id=kept.id, at=refund.at)
        if not await self._giving.has(asked.operation, key):
            self._platform(kept)
        return await self._giving.create(Command(asked.operation, key, asked.canonical, client.name))

    async def _kept(self, request: Request, client: Client) -> Kept:
        kept = await self._keeping.find(request.path_params["return_id"])
        if kept is None or not client.sees(kept.organization):
            raise not_found("return")
        return kept

    def _platform(self, kept: Kept) -> ReturnPlatform:
        """Give the account that a return was made at. Raises a Problem."""
        if kept.provider != PROVIDER:
            raise Problem(NOT_SUPPORTED, f"{kept.provider} does not know this; {PROVIDER} does.")
        platform = self._platforms.find(kept.connection)
        if platform is None:
            raise Problem(NOT_SUPPORTED, "The account that the return was made at is not set up here any more.")
        if kept.tracking_number is None:
            raise Problem(NOT_SUPPORTED, "The provider has no return by this: nothing was made, as far as is known.")
        return platform
