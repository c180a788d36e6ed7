"""Listening: sockets that say clearly why they cannot, and a server that ends when the process says so."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from bridge.errors import SettingsError
from bridge.web.wire import Wire

_HOST_KEY = "BRIDGE_HTTP__HOST"
_BACKLOG = 2048
_KEEP_ALIVE_S = 75
"""Longer than the minute after which common proxies drop idle connections, so that they close first."""


def listen(host: str, port: int, key: str) -> socket.socket:
    """Open a listening socket. Raises SettingsError that names the host's key or, for the port, the one given."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (OSError, UnicodeError) as error:
        raise _cannot(_HOST_KEY, f"{host}: no such host", error) from error
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(_BACKLOG)
    except OSError as error:
        found.close()
        blamed = _HOST_KEY if error.errno == errno.EADDRNOTAVAIL else key
        raise _cannot(blamed, f"{host}:{port}", error) from error
    found.setblocking(False)
    return found


def _cannot(key: str, where: str, error: OSError | UnicodeError) -> SettingsError:
    return SettingsError([(key, f"cannot listen on {where}: {getattr(error, 'strerror', None) or error}")])


class Server(uvicorn.Server):
    """Uvicorn with bounds, and without its own signal handling, access log and trust in proxy headers."""

    def __init__(self, app: ASGIApp, listening: socket.socket, shutdown_s: float) -> None:
        self._socket = listening
        self.listening = asyncio.Event()
        super().__init__(
            uvicorn.Config(
                app,
                http=Wire,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ws="none",
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=max(int(shutdown_s), 1),
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process."""
        yield

    async def run_until_told(self) -> None:
        """Serve until `stop`, then finish the requests in hand."""
        await self.serve(sockets=[self._socket])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take requests, and let whoever waits for it know."""
        await super().startup(sockets)
        self.listening.set()

    def stop(self) -> None:
        """Stop accepting."""
        self.should_exit = True
