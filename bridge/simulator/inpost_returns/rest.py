"""The API of InPost Returns, and the token endpoint in front of it."""

from __future__ import annotations

import json
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge.simulator.forms import form_of
from bridge.simulator.inpost_returns.desk import Desk
from bridge.simulator.inpost_returns.documents import created_document, label
from bridge.simulator.inpost_returns.drafts import checked
from bridge.simulator.inpost_returns.listing import page_of, question_in
from bridge.simulator.inpost_returns.problems import Problem
from bridge.simulator.inpost_returns.terms import AccountTerms

PREFIX: Final = "/inpost-returns"
TOKEN: Final = f"{PREFIX}/auth/realms/external/protocol/openid-connect/token"
TICKETS: Final = f"{PREFIX}/v1/returns/tickets"


class Rest:
    """The handlers: each reads the request, lets one thing happen, and writes the answer."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._terms = desk.terms

    def routes(self) -> list[Route]:
        return [
            Route(TOKEN, self.token, methods=["POST"]),
            Route(TICKETS, self.create, methods=["POST"]),
            Route(TICKETS, self.tickets),
            Route(f"{TICKETS}/{{id}}/label", self.label),
        ]

    async def token(self, request: Request) -> Response:
        answer = self._desk.tokens.issue(await form_of(request))
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    async def create(self, request: Request) -> Response:
        account = self._caller(request)
        draft = checked(await _json(request), self._desk.world.now())
        ticket = self._desk.create(account, draft)
        host = str(request.base_url).rstrip("/") if self._terms.label_host == "own" else "https://labels.invalid"
        return JSONResponse(created_document(ticket, draft, f"{host}{TICKETS}/{ticket.id}/label", self._terms))

    async def tickets(self, request: Request) -> Response:
        account = self._caller(request)
        question = question_in(request.query_params, request.headers.get("accept-time-zone"), self._terms)
        found = self._desk.visible(account)
        return JSONResponse(page_of(found, question, self._desk.world.now(), self._terms))

    async def label(self, request: Request) -> Response:
        ticket = self._desk.labelled(self._caller(request), request.path_params["id"])
        return Response(label(ticket), media_type="application/pdf")

    def _caller(self, request: Request) -> AccountTerms:
        """Tell whose token this is, or refuse it."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        account = self._desk.tokens.owner(token.strip())
        if scheme.lower() != "bearer" or account is None:
            raise Problem(401, "Unauthorized")
        if not account.permitted:
            raise Problem(403, "Permission denied")
        return account


async def _json(request: Request) -> object:
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError):
        raise Problem(400, "Malformed JSON") from None
