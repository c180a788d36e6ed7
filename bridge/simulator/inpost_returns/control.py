"""The part of the simulator's own API that is about InPost Returns. Not part of any carrier."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge.simulator.control import Command
from bridge.simulator.documents import Document
from bridge.simulator.errors import not_found
from bridge.simulator.inpost_returns.desk import Desk
from bridge.simulator.inpost_returns.documents import written
from bridge.simulator.inpost_returns.tickets import Ticket
from bridge.simulator.requests import json_object
from bridge.simulator.rules import checked


class TicketMove(Command):
    status: Annotated[str, Field(pattern=r"^[A-Z_]{1,64}$")]


class Control:
    """The handlers under `/_control/inpost-returns/`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        return [
            Route("/_control/inpost-returns/tickets", self.tickets),
            Route("/_control/inpost-returns/tickets/{id}/statuses", self.move, methods=["POST"]),
            Route("/_control/inpost-returns/tokens", self.revoke, methods=["DELETE"]),
        ]

    async def tickets(self, request: Request) -> Response:
        """List every ticket, oldest first."""
        return JSONResponse({"items": [self._row(ticket) for ticket in self._desk.tickets]})

    async def move(self, request: Request) -> Response:
        """Let a ticket enter a status now, documented or not."""
        ticket = self._desk.tickets.get(request.path_params["id"])
        if ticket is None:
            raise not_found()
        ticket.move(checked(TicketMove, await json_object(request)).status, self._desk.world.now())
        return JSONResponse(self._row(ticket))

    async def revoke(self, request: Request) -> Response:
        """Let no token be good any more."""
        self._desk.tokens.revoke()
        return Response(status_code=204)

    def _row(self, ticket: Ticket) -> Document:
        return {
            "id": ticket.id,
            "client_id": ticket.account.client_id,
            "reference": ticket.reference,
            "status": ticket.status(self._desk.world.now()),
            "code": ticket.code,
            "tracking_number": ticket.tracking_number,
            "expires_at": written(ticket.expires_at),
        }
