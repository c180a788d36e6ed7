"""Listening: sockets that say clearly why they cannot, and a server that ends when the process says so."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from bridge.errors import SettingsError

_BACKLOG = 2048
_KEEP_ALIVE_S = 75
"""Longer than the minute after which common proxies drop idle connections, so that they close first."""


def listen(host: str, port: int, key: str) -> socket.socket:
    """Open a listening socket. Raises SettingsError that names the key."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        found = socket.socket(family, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(_BACKLOG)
    except OSError as error:
        raise SettingsError([(key, f"cannot listen on {host}:{port}: {error.strerror or error}")]) from error
    found.setblocking(False)
    return found


class Server(uvicorn.Server):
    """Uvicorn without its own signal handling, access log and trust in proxy headers."""

    def __init__(self, app: ASGIApp, listening: socket.socket, shutdown_s: float) -> None:
        self._socket = listening
        self.listening = asyncio.Event()
        super().__init__(
            uvicorn.Config(
                app,
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
