"""Returns over HTTP: made as commands, shown from the store, their labels from here or from the provider."""

from __future__ import annotations

from typing import Final, get_args

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.commands.giving import GIVEN, PROBLEMS, Giving
from bridge.model import Command
from bridge.shipments.label import MEDIA_TYPES
from bridge.shipping.returns import place, qr
from bridge.shipping.returns.asked import CreateReturn, Provider, Settlement, SettleReturn
from bridge.shipping.returns.desk import Desk
from bridge.shipping.returns.document import FollowedReturn, ReturnPage, ShownReturn, document, followed, without_code
from bridge.shipping.returns.handover import NOTHING
from bridge.shipping.returns.keeping import Keeping
from bridge.shipping.returns.labelling import OTHERWISE, Labels, media_type
from bridge.shipping.whose import whose
from bridge.store.returns import Kept, State, Wanted
from bridge.web import bodies, endpoint, numbers
from bridge.web.access import Access, Client
from bridge.web.endpoint import JSON, Answer, guarded
from bridge.web.kinds import (
    CALLED_OFF,
    CARRIER_REFUSED,
    CARRIER_UNAVAILABLE,
    FORBIDDEN,
    NOT_FOUND,
    NOT_IN_DOUBT,
    NOTHING_SENT,
    UNPROCESSABLE,
)
from bridge.web.parameters import Parameter, choice, limit
from bridge.web.problems import Problem, not_found

_RETURNS: Final = "/v1/returns"
_RETURN: Final = f"{_RETURNS}/{{return_id}}"
_ID: Final = Parameter("return_id", "The bridge's own id of the return.", {"type": "string", "minLength": 1})
_STATE: Final = choice("state", "Only returns in this state.", get_args(State))
_PROVIDER: Final = choice("provider", "Only returns of this provider.", get_args(Provider))
_LIMIT: Final = limit(usual=50, most=500)
_CREATED: Final = {
    **GIVEN,
    200: Answer("The return that was made when the key first came.", ShownReturn),
    201: Answer("It was made.", ShownReturn),
}
_BYTES: Final = {"type": "string", "format": "binary"}
_FILE: Final = {
    200: Answer("The label as the provider made it.", _BYTES, MEDIA_TYPES["pdf"], further=(qr.MEDIA_TYPE, OTHERWISE))
}


class ReturnsApi:
    """`/v1/returns`."""

    def __init__(self, desk: Desk, keeping: Keeping, giving: Giving, access: Access) -> None:
        self._desk = desk
        self._keeping = keeping
        self._labels = Labels(desk, keeping)
        self._giving = giving
        self._access = access

    def routes(self) -> list[Route]:
        """Give the routes."""
        return endpoint.routes(self, self._access)

    @guarded(
        "POST",
        _RETURNS,
        "returns:write",
        takes=(bodies.REQUIRED_KEY,),
        body=CreateReturn,
        answers=_CREATED,
        problems=(*PROBLEMS, CALLED_OFF, CARRIER_REFUSED, NOTHING_SENT),
    )
    async def create(self, request: Request, client: Client) -> Response:
        """Make a return. The same `Idempotency-Key` makes it once."""
        key = bodies.required_key(request)
        asked = await bodies.read(request, CreateReturn)
        asked = asked.model_copy(update={"organization_id": whose(client, asked.organization_id)})
        if not await self._giving.has(asked.operation, key):  # what was asked before is answered as it was then
            self._check(asked)
        return await self._giving.create(Command(asked.operation, key, asked.canonical, client.name))

    @guarded(
        "GET",
        _RETURNS,
        "read",
        takes=(_STATE, _PROVIDER, numbers.ORGANIZATION, place.AFTER, _LIMIT),
        answers={200: Answer("A page of returns.", ReturnPage)},
    )
    async def list(self, request: Request, client: Client) -> Response:
        """Answer a page of returns, the newest first; with their codes to a token that has `personal:read`."""
        most, wanted = _LIMIT.read(request), _wanted(request, client)
        found = await self._keeping.page(wanted, most + 1)
        last = found[most - 1] if len(found) > most else None
        following = None if last is None else place.written(last.begun_at, last.id)
        page: ReturnPage = {"items": [_shown(one, client) for one in found[:most]], "next": following}
        return Response(to_json(page), media_type=JSON)

    @guarded(
        "GET",
        _RETURN,
        "read",
        takes=(_ID,),
        answers={200: Answer("The return.", FollowedReturn)},
        problems=(NOT_FOUND,),
    )
    async def show(self, request: Request, client: Client) -> Response:
        """Answer how a return stands, and its way back so far; with its code to a token that has `personal:read`.

        So it is with its second barcode, and where it is sent at first.
        """
        kept = await self._kept(request, client)
        handover = await self._keeping.handover(kept.id) if _sees_people(client) else NOTHING
        shown = followed(_visible(kept, client), await self._keeping.seen(kept.id), handover)
        return Response(to_json(shown), media_type=JSON)

    @guarded(
        "POST",
        f"{_RETURN}/settle",
        "returns:write",
        takes=(_ID, bodies.OPTIONAL_KEY),
        body=Settlement,
        answers=GIVEN,
        problems=(*PROBLEMS, NOT_FOUND, NOT_IN_DOUBT),
    )
    async def settle(self, request: Request, client: Client) -> Response:
        """Say what became of a return that nobody knows of, as a person found out at its provider."""
        key = bodies.optional_key(request)
        kept = await self._kept(request, client)
        asked = SettleReturn(return_id=kept.id, found=await bodies.read(request, Settlement))
        return await self._giving.give(Command(asked.operation, key, asked.canonical, client.name))

    @guarded(
        "GET",
        f"{_RETURN}/label",
        "personal:read",
        takes=(_ID,),
        answers=_FILE,
        problems=(NOT_FOUND, CARRIER_REFUSED, CARRIER_UNAVAILABLE),
    )
    async def label(self, request: Request, client: Client) -> Response:
        """Answer the label of a return: the one that came along with it, or else the provider's."""
        kept = await self._kept(request, client)
        found = await self._labels.find(kept)
        if found is None:
            raise not_found("label")
        return _file(kept, found.content, found.format)

    @guarded(
        "GET",
        f"{_RETURN}/qr",
        "personal:read",
        takes=(_ID,),
        answers={200: Answer("The code as a QR image.", _BYTES, qr.MEDIA_TYPE)},
        problems=(NOT_FOUND,),
    )
    async def qr(self, request: Request, client: Client) -> Response:
        """Answer the code of a return as a QR image, for its customer to show at a locker."""
        kept = await self._kept(request, client)
        if kept.secrets.code is None:
            raise not_found("code")
        return _file(kept, qr.png(kept.secrets.code), "png")

    def _check(self, asked: CreateReturn) -> None:
        """See that somebody takes it. Raises a Problem."""
        ways = self._desk.ways(asked)
        if not isinstance(ways, tuple):
            raise Problem(UNPROCESSABLE, bodies.told(ways), ways)

    async def _kept(self, request: Request, client: Client) -> Kept:
        kept = await self._keeping.find(request.path_params["return_id"])
        if kept is None or not client.sees(kept.organization):
            raise not_found("return")
        return kept


def _shown(kept: Kept, client: Client) -> ShownReturn:
    return document(_visible(kept, client))


def _visible(kept: Kept, client: Client) -> Kept:
    return kept if _sees_people(client) else without_code(kept)


def _sees_people(client: Client) -> bool:
    return "personal:read" in client.scopes


def _wanted(request: Request, client: Client) -> Wanted:
    """Read what a list is to be of. Raises a Problem."""
    asked = numbers.ORGANIZATION.read(request)
    if asked is not None and not client.sees(asked):
        raise Problem(FORBIDDEN, "This token is not for this organization.")
    among = client.organizations if asked is None else frozenset({asked})
    return Wanted(_STATE.read(request), _PROVIDER.read(request), among, place.AFTER.read(request))


def _file(kept: Kept, content: bytes, form: str) -> Response:
    """Answer a file. It names people, so nobody on the way keeps it."""
    headers = {
        "content-disposition": f'attachment; filename="return-{kept.id}.{form}"',
        "cache-control": "no-store",
    }
    return Response(content, headers=headers, media_type=media_type(form))
