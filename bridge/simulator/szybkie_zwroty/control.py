"""The part of the simulator's own API that is about Szybkie Zwroty. Not part of any carrier."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge.simulator.control import Command
from bridge.simulator.documents import Document
from bridge.simulator.errors import not_found
from bridge.simulator.requests import json_object
from bridge.simulator.rules import checked
from bridge.simulator.scenario import StatusName
from bridge.simulator.szybkie_zwroty.codes import Code
from bridge.simulator.szybkie_zwroty.desk import Desk


class CodeMove(Command):
    status: StatusName


class Control:
    """The handlers under `/_control/szybkie-zwroty/`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        return [
            Route("/_control/szybkie-zwroty/codes", self.codes),
            Route("/_control/szybkie-zwroty/codes/{code}/statuses", self.move, methods=["POST"]),
        ]

    async def codes(self, request: Request) -> Response:
        """List every code, oldest first."""
        return JSONResponse({"items": [self._row(code) for code in self._desk.codes]})

    async def move(self, request: Request) -> Response:
        """Let the parcel of an active code enter a status now; the first one sends it, in time or not."""
        code = self._desk.codes.get(request.path_params["code"])
        if code is None or code.order is None:
            raise not_found()
        code.move(checked(CodeMove, await json_object(request)).status, self._desk.world.now())
        return JSONResponse(self._row(code))

    def _row(self, code: Code) -> Document:
        return {
            "code": code.code,
            "rma": code.order.rma if code.order else None,
            "reference": code.order.description if code.order else None,
            "active": code.active(self._desk.world.now()),
            "valid": code.valid,
            "used": code.used,
            "pack_code": code.pack_code or None,
            "status": code.status or None,
        }
