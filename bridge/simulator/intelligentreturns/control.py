"""The part of the simulator's own API that is about Intelligentreturns. Not part of any carrier."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge.simulator.control import Command
from bridge.simulator.documents import Document
from bridge.simulator.errors import not_found
from bridge.simulator.intelligentreturns.desk import Desk, Ordered
from bridge.simulator.intelligentreturns.returns import Return
from bridge.simulator.parts import Seconds
from bridge.simulator.requests import id_in_path, json_object
from bridge.simulator.rules import checked


class Location(Command):
    """Where a scan is made; a text that is long or odd may be what comes."""

    country: Annotated[str, Field(max_length=255)] = ""
    state: Annotated[str, Field(max_length=255)] = ""
    city: Annotated[str, Field(max_length=255)] = ""


class ReturnMove(Command):
    status: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,16}$")]
    ago: Seconds = 0.0
    location: Location | None = None


class Refusal(Command):
    """The next calls of a method are refused with this code; `done`: after what was asked for has happened."""

    method: Annotated[str, Field(pattern=r"^[a-z]+/[a-z_]+$")]
    code: Annotated[str, Field(pattern=r"^[a-z_]{1,64}$")]
    message: Annotated[str, Field(max_length=1000)] | None = None
    done: bool = False
    times: Annotated[int, Field(ge=1, le=1_000_000)] = 1


class Control:
    """The handlers under `/_control/intelligentreturns/`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        prefix = "/_control/intelligentreturns"
        return [
            Route(f"{prefix}/returns", self.returns),
            Route(f"{prefix}/returns/{{id}}/statuses", self.move, methods=["POST"]),
            Route(f"{prefix}/refusals", self.refuse, methods=["POST"]),
            Route(f"{prefix}/block", self.unblock, methods=["DELETE"]),
        ]

    async def returns(self, request: Request) -> Response:
        """List every return, oldest first."""
        return JSONResponse({"items": [_row(one) for one in self._desk.returns]})

    async def move(self, request: Request) -> Response:
        """Let an event become known now that happened `ago` seconds before, with any code."""
        number = id_in_path(request)
        record = next((one for one in self._desk.returns if one.id == number), None)
        if record is None:
            raise not_found()
        move, now = checked(ReturnMove, await json_object(request)), self._desk.world.now()
        place = None if move.location is None else move.location.model_dump()
        record.scan(move.status, now - timedelta(seconds=move.ago), now, place)
        return JSONResponse(_row(record))

    async def refuse(self, request: Request) -> Response:
        """Let the next calls of a method be refused."""
        asked = checked(Refusal, await json_object(request))
        self._desk.refusals.append(Ordered(asked.method, asked.code, asked.message, asked.done, asked.times))
        return Response(status_code=204)

    async def unblock(self, request: Request) -> Response:
        """Forget wrong logins."""
        self._desk.wrong_logins = 0
        return Response(status_code=204)


def _row(record: Return) -> Document:
    return {
        "id": record.id,
        "login": record.account.login,
        "order_reference": record.draft.order_reference,
        "external_id": record.external_id or None,
        "tracking": record.tracking,
        "service_id": record.service.id,
        "statuses": [scan.status for scan in record.scans],
    }
