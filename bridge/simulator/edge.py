"""What stands in front of the carrier: the headers of every answer, the record of calls, and the faults they meet."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from email.utils import format_datetime
from typing import Final

import httpx
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.simulator.answers import Failure, answer_to, failed, whole
from bridge.simulator.faults import CallKind, Kind
from bridge.simulator.trouble import Mishap
from bridge.simulator.world import World

HANG_UP: Final = "simulator.hang_up"
"""The name under which a server offers to close the connection of a call."""


class Edge:
    """Pass calls on to the carrier, each with the fault that it meets. The control API is never touched."""

    def __init__(self, app: ASGIApp, world: World, failures: Mapping[str, Failure] | None = None) -> None:
        """`failures`: how those say that they failed whose paths begin so; the others are ShipX's."""
        self._app = app
        self._world = world
        self._failures = dict(failures or {})
        self._happening: set[asyncio.Task[Response]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_control/"):
            await self._app(scope, receive, send)
            return
        mishap = self._world.trouble.of_call(scope["method"], _called(scope))
        seconds = self._latency(scope)
        answering = self._answering(scope, send, mishap.kind if mishap else None)
        if mishap is None and not seconds:
            await self._app(scope, receive, answering)
            return
        try:
            await self._struck(mishap, seconds, scope, receive, answering)
        except asyncio.CancelledError:  # a caller in this very process has given up
            self._record(mishap, scope)
            raise

    def _latency(self, scope: Scope) -> float:
        """Say for how long this call's answer is on its way anyhow."""
        name, chance = ("answer", scope["method"], _called(scope)), self._world.chance
        span = self._world.scenario.delays.answer
        return chance.between(span, *name, chance.times(*name)) if span[1] else 0.0

    async def _struck(
        self, mishap: Mishap | None, seconds: float, scope: Scope, receive: Receive, answering: Send
    ) -> None:
        has_happened = mishap is None or mishap.reached
        real = await self._real_answer(mishap, scope, receive) if has_happened else Response()
        async with self._pause(seconds + _lasting(mishap, "slow")):
            answer = real if mishap is None else answer_to(mishap, real, lambda: self._failure(scope["path"]))
            if answer is None:
                await self._hang_up(mishap, scope, receive)
            else:
                await answer(scope, receive, answering)

    async def _real_answer(self, mishap: Mishap | None, scope: Scope, receive: Receive) -> Response:
        """Let the carrier handle the call: what was sent arrives, whether or not its sender still waits."""
        body = await Request(scope, receive).body()
        happening = asyncio.create_task(self._happen(mishap, scope, body))
        self._happening.add(happening)
        happening.add_done_callback(self._happening.discard)
        return await asyncio.shield(happening)

    async def _happen(self, mishap: Mishap | None, scope: Scope, body: bytes) -> Response:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        async with self._pause(_lasting(mishap, "late")):
            if mishap is not None and mishap.kind == "hidden":
                self._hide(mishap)
            await self._app(scope, _sent(body), keep)
        return whole(messages)

    def _pause(self, seconds: float) -> AbstractAsyncContextManager[None]:
        """Wait here for so long."""
        return self._world.pauses.after(seconds) if seconds else nullcontext()

    def _failure(self, path: str) -> Response:
        own = (failure for prefix, failure in self._failures.items() if path.startswith(prefix))
        return next(own, failed)(path)

    def _hide(self, mishap: Mishap) -> None:
        shipment = self._world.shipments.get(mishap.shipment_id or 0)
        if shipment is not None:
            self._world.views.hide(shipment, mishap.seconds or 0)

    async def _hang_up(self, mishap: Mishap | None, scope: Scope, receive: Receive) -> None:
        """Close the connection without a word. A caller in this very process is told as its HTTP client would."""
        self._record(mishap, scope)
        offered = scope.get("extensions", {}).get(HANG_UP)
        if offered is None:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        close: Callable[[], None] = offered["close"]
        close()
        while (await receive())["type"] != "http.disconnect":
            pass

    def _record(self, mishap: Mishap | None, scope: Scope) -> None:
        """Record a call that has no answer."""
        fault = mishap.kind if mishap else None
        self._world.calls.record(scope["method"], _called(scope), None, fault, self._world.now())

    def _answering(self, scope: Scope, send: Send, fault: Kind | None) -> Send:
        """Put the carrier's `Date` on the answer and the caller's `X-Request-ID` or a new one, and record it."""
        request_id = Headers(scope=scope).get("x-request-id") or str(uuid.uuid4())

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                now = self._world.now()
                headers = MutableHeaders(scope=message)
                headers["Date"] = format_datetime(now, usegmt=True)
                headers["X-Request-ID"] = request_id
                self._world.calls.record(scope["method"], _called(scope), message["status"], fault, now)
            await send(message)

        return answer


def _called(scope: Scope) -> str:
    """Name what is called: the path, and the function where the query names one (`/szybkie-zwroty/?do=…`)."""
    function = Request(scope).query_params.get("do")
    return scope["path"] if function is None else f"{scope['path']}?do={function}"


def _lasting(mishap: Mishap | None, kind: CallKind) -> float:
    """Say for how long a call waits where faults of this kind make calls wait."""
    return (mishap.seconds or 0.0) if mishap is not None and mishap.kind == kind else 0.0


def _sent(body: bytes) -> Receive:
    """Give a body that has arrived already."""
    arrived: Message = {"type": "http.request", "body": body, "more_body": False}
    messages = iter([arrived])

    async def receive() -> Message:
        return next(messages, {"type": "http.disconnect"})

    return receive
