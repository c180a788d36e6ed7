"""Codes made in advance over HTTP: made, activated and made useless as commands, listed from the store.

A code opens a locker once it is active, so it is looked up as soon as it came, and goes by its id from there on.
"""

from __future__ import annotations

from typing import Final, get_args

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.commands.giving import GIVEN, PROBLEMS, Giving
from bridge.model import Command
from bridge.shipping.returns import place
from bridge.shipping.returns.cancel_api import Nothing
from bridge.shipping.returns.codes.asked import ActivateCode, Activation, InvalidateCode, MakeCodes
from bridge.shipping.returns.codes.document import CodesPage, MadeCodes, document
from bridge.shipping.returns.codes.stock import Stock
from bridge.shipping.returns.codes.stocking import not_here
from bridge.shipping.returns.desk import told
from bridge.shipping.returns.document import ShownReturn
from bridge.shipping.whose import whose
from bridge.store.spare_codes import Spare, SpareState, Wanted
from bridge.web import bodies, endpoint, numbers
from bridge.web.access import Access, Client
from bridge.web.endpoint import JSON, Answer, guarded
from bridge.web.kinds import (
    CARRIER_REFUSED,
    FORBIDDEN,
    IN_OTHER_HANDS,
    NOT_FOUND,
    NOT_INACTIVE,
    NOTHING_SENT,
    UNPROCESSABLE,
)
from bridge.web.parameters import Parameter, choice, limit
from bridge.web.problems import FieldError, Problem, not_found

_CODES: Final = "/v1/returns/codes"
_CODE: Final = Parameter(
    "code", "The code, or better the bridge's `id` of it: paths lie in logs.", {"type": "string", "minLength": 1}
)
_STATE: Final = choice("state", "Only codes in this state.", get_args(SpareState))
_LIMIT: Final = limit(usual=50, most=500)
_MADE: Final = {
    **GIVEN,
    200: Answer("The codes that were made when the key first came.", MadeCodes),
    201: Answer("They were made, or as many of them as the provider gave.", MadeCodes),
}
_ACTIVATED: Final = {
    **GIVEN,
    200: Answer("The return that was made when the key first came.", ShownReturn),
    201: Answer("The code is active, and this is its return.", ShownReturn),
}
_ABOUT_ONE: Final = (*PROBLEMS, NOT_FOUND, NOT_INACTIVE, IN_OTHER_HANDS, CARRIER_REFUSED, NOTHING_SENT)


class CodesApi:
    """`/v1/returns/codes`."""

    def __init__(self, stock: Stock, giving: Giving, access: Access) -> None:
        self._stock = stock
        self._giving = giving
        self._access = access

    def routes(self) -> list[Route]:
        """Give the routes."""
        return endpoint.routes(self, self._access)

    @guarded(
        "POST",
        _CODES,
        "returns:write",
        takes=(bodies.REQUIRED_KEY,),
        body=MakeCodes,
        answers=_MADE,
        problems=(*PROBLEMS, CARRIER_REFUSED, NOTHING_SENT),
    )
    async def make_codes(self, request: Request, client: Client) -> Response:
        """Make codes in advance, inactive, to be packed with what is sold: as many as the provider gives.

        Codes of a lost answer are nobody's: they open nothing and cost nothing, and others are made in their place.
        """
        key = bodies.required_key(request)
        asked = await bodies.read(request, MakeCodes)
        asked = asked.model_copy(update={"organization_id": whose(client, asked.organization_id)})
        is_new = not await self._giving.has(asked.operation, key)
        if is_new and self._stock.connection(asked.connection) is None:
            raise _wrong(not_here(asked))
        return await self._giving.create(Command(asked.operation, key, asked.canonical, client.name))

    @guarded(
        "GET",
        _CODES,
        "read",
        takes=(_STATE, numbers.ORGANIZATION, place.AFTER, _LIMIT),
        answers={200: Answer("A page of codes.", CodesPage)},
    )
    async def list_codes(self, request: Request, client: Client) -> Response:
        """Answer a page of codes, the newest first; the codes themselves to a token that has `personal:read`."""
        most, wanted = _LIMIT.read(request), _wanted(request, client)
        found = await self._stock.page(wanted, most + 1)
        last = found[most - 1] if len(found) > most else None
        following = None if last is None else place.written(last.made_at, last.id)
        sees = "personal:read" in client.scopes
        page: CodesPage = {"items": [document(one, with_code=sees) for one in found[:most]], "next": following}
        return Response(to_json(page), media_type=JSON)

    @guarded(
        "POST",
        f"{_CODES}/{{code}}/activate",
        "returns:write",
        takes=(_CODE, bodies.REQUIRED_KEY),
        body=Activation,
        answers=_ACTIVATED,
        problems=_ABOUT_ONE,
    )
    async def activate_code(self, request: Request, client: Client) -> Response:
        """Make a code usable: a return is made of it, one for each code."""
        key = bodies.required_key(request)
        told_of = await bodies.read(request, Activation)
        spare = await self._spare(request, client)
        asked = ActivateCode(code=spare.id, **{name: getattr(told_of, name) for name in Activation.model_fields})
        if not await self._giving.has(asked.operation, key):
            self._check(spare, asked)
        return await self._giving.create(Command(asked.operation, key, asked.canonical, client.name))

    @guarded(
        "POST",
        f"{_CODES}/{{code}}/invalidate",
        "returns:write",
        takes=(_CODE, bodies.OPTIONAL_KEY),
        body=Nothing,
        answers=GIVEN,
        problems=_ABOUT_ONE,
    )
    async def invalidate_code(self, request: Request, client: Client) -> Response:
        """Make a code useless that was never activated. One that is active cannot be called back."""
        key = bodies.optional_key(request)
        await bodies.read(request, Nothing)
        asked = InvalidateCode(code=(await self._spare(request, client)).id)
        return await self._giving.give(Command(asked.operation, key, asked.canonical, client.name))

    def _check(self, spare: Spare, asked: ActivateCode) -> None:
        """See that the provider takes it. Raises a Problem."""
        desk = self._stock.desks.get(spare.connection)
        if desk is not None and (broken := desk.broken(asked.draft)):
            raise _wrong(*map(told, broken))

    async def _spare(self, request: Request, client: Client) -> Spare:
        spare = await self._stock.find(request.path_params["code"])
        if spare is None or not client.sees(spare.organization):
            raise not_found("code")
        return spare


def _wrong(*errors: FieldError) -> Problem:
    return Problem(UNPROCESSABLE, bodies.told(errors), errors)


def _wanted(request: Request, client: Client) -> Wanted:
    """Read what a list is to be of. Raises a Problem."""
    asked = numbers.ORGANIZATION.read(request)
    if asked is not None and not client.sees(asked):
        raise Problem(FORBIDDEN, "This token is not for this organization.")
    among = client.organizations if asked is None else frozenset({asked})
    return Wanted(_STATE.read(request), among, place.AFTER.read(request))
