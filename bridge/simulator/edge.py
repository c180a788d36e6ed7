"""What stands in front of the carrier: the headers of every answer, the record of calls, and failures on request."""

from __future__ import annotations

import uuid
from email.utils import format_datetime

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.simulator.faults import Kind
from bridge.simulator.world import World

PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"

ANSWERS: dict[Kind, tuple[int, dict[str, str]]] = {
    "unavailable": (503, {}),
    "limited": (429, {"Retry-After": "1"}),
    "lost": (502, {}),
}


class Edge:
    """Pass calls on to the carrier, unless a failure was asked for. The control API is never touched."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_control/"):
            await self._app(scope, receive, send)
            return
        fault = self._world.faults.take(scope["method"], scope["path"])
        answer = self._answering(scope, send, fault)
        if fault is None:
            await self._app(scope, receive, answer)
            return
        if fault == "lost":
            await self._app(scope, receive, _nowhere)
        await _page(fault)(scope, receive, answer)

    def _answering(self, scope: Scope, send: Send, fault: Kind | None) -> Send:
        """Put the carrier's `Date` on the answer and the caller's `X-Request-ID` or a new one, and record it."""
        request_id = Headers(scope=scope).get("x-request-id") or str(uuid.uuid4())

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                now = self._world.now()
                headers = MutableHeaders(scope=message)
                headers["Date"] = format_datetime(now, usegmt=True)
                headers["X-Request-ID"] = request_id
                self._world.calls.record(scope["method"], scope["path"], message["status"], fault, now)
            await send(message)

        return answer


def _page(fault: Kind) -> Response:
    status, headers = ANSWERS[fault]
    return HTMLResponse(PAGE.format(status), status, headers)


async def _nowhere(message: Message) -> None:
    """Lose one part of an answer."""
