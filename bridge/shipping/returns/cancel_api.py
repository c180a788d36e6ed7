"""A return is called off over HTTP, as a command."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.commands.giving import GIVEN, PROBLEMS, Giving
from bridge.model import Command
from bridge.shipping.returns.asked import CancelReturn
from bridge.shipping.returns.keeping import Keeping
from bridge.web import bodies, endpoint
from bridge.web.access import Access, Client
from bridge.web.endpoint import guarded
from bridge.web.kinds import CARRIER_REFUSED, IN_OTHER_HANDS, NOT_CANCELLABLE, NOT_FOUND, NOT_SUPPORTED, NOTHING_SENT
from bridge.web.parameters import Parameter
from bridge.web.problems import not_found

_ID: Final = Parameter("return_id", "The bridge's own id of the return.", {"type": "string", "minLength": 1})


class Nothing(BaseModel):
    """There is nothing to say; a body may be left out."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class CancelApi:
    """`/v1/returns/{return_id}/cancel`."""

    def __init__(self, keeping: Keeping, giving: Giving, access: Access) -> None:
        self._keeping = keeping
        self._giving = giving
        self._access = access

    def routes(self) -> list[Route]:
        """Give the routes."""
        return endpoint.routes(self, self._access)

    @guarded(
        "POST",
        "/v1/returns/{return_id}/cancel",
        "returns:write",
        takes=(_ID, bodies.OPTIONAL_KEY),
        body=Nothing,
        answers=GIVEN,
        problems=(
            *PROBLEMS,
            *(NOT_FOUND, NOT_SUPPORTED, NOT_CANCELLABLE, IN_OTHER_HANDS, CARRIER_REFUSED, NOTHING_SENT),
        ),
    )
    async def cancel(self, request: Request, client: Client) -> Response:
        """Ask the provider to call a return off: `cancellation` says what came of it.

        `requested`: its state becomes `cancelled` when the provider's status says so. `withdrawn`: nobody had been
        asked to make it.
        """
        key = bodies.optional_key(request)
        await bodies.read(request, Nothing)
        kept = await self._keeping.find(request.path_params["return_id"])
        if kept is None or not client.sees(kept.organization):
            raise not_found("return")
        asked = CancelReturn(return_id=kept.id)
        return await self._giving.give(Command(asked.operation, key, asked.canonical, client.name))
