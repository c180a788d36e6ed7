"""Serving: the sockets, and which routes are served on which."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.ingress.receiver import PREFIX, Receiver
from bridge.settings import Settings
from bridge.web.application import Application
from bridge.web.kinds import INTERNAL
from bridge.web.problems import HANDLERS, Problem
from bridge.web.requestlog import RequestLog
from bridge.web.server import Server, listen

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Edges:
    """What the process serves: the webhook routes and all others, each with its socket (or the same one)."""

    servers: tuple[Server, ...]
    urls: tuple[str, ...]


def open_sockets(stack: AsyncExitStack, settings: Settings) -> list[socket.socket]:
    """Listen on the port, and on the internal one where it is set. Raises SettingsError."""
    http = settings.http
    sockets = [listen(http.host, http.port, "BRIDGE_HTTP__PORT")]
    if http.internal_port is not None:
        sockets.append(listen(http.host, http.internal_port, "BRIDGE_HTTP__INTERNAL_PORT"))
    for opened in sockets:
        stack.callback(opened.close)
    return sockets


def make_edges(
    settings: Settings, sockets: Sequence[socket.socket], webhooks: list[Route], internal: list[Route]
) -> Edges:
    """Serve all on one port, or the webhooks on the public one and the rest on the internal one."""
    routes = [[*webhooks, *internal]] if len(sockets) == 1 else [webhooks, internal]
    seconds = settings.shutdown_s / 2  # requests get half of the bound, the loops what is left of it
    servers = tuple(Server(application(some), one, seconds) for some, one in zip(routes, sockets, strict=True))
    return Edges(servers, tuple("http://{}:{}".format(*one.getsockname()[:2]) for one in sockets))


def application(routes: list[Route]) -> Starlette:
    """Answer these routes; webhooks, where they are among them, by the short way."""
    receiver = next((route.endpoint for route in routes if isinstance(route.endpoint, Receiver)), None)
    app = Application(
        direct=(PREFIX, receiver) if receiver else None,
        routes=routes,
        middleware=[Middleware(RequestLog)],
        exception_handlers={**HANDLERS, Exception: _unexpected},
    )
    app.router.redirect_slashes = False
    return app


async def _unexpected(_request: Request, error: Exception) -> Response:
    """Answer a bug of ours."""
    log.error("http.bug", exc_info=error)
    return Problem(INTERNAL, "Something went wrong here; the log says where.").response()
