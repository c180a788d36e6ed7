"""The simulator as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import structlog
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bridge.simulator.app import create_app
from bridge.simulator.edge import HANG_UP
from bridge.simulator.scenario import Scenario

log = structlog.get_logger(__name__)

Ready = Callable[[str], None]


async def serve(
    scenario: Scenario,
    host: str = "127.0.0.1",
    port: int = 8090,
    webhook_url: str | None = None,
    *,
    allow_remote: bool = False,
    seed: int = 0,
    stop: asyncio.Event | None = None,
    on_ready: Ready | None = None,
) -> None:
    """Serve until stopped; port 0 takes a free one, and `on_ready` is given the base URL once it answers.

    `webhook_url` is for every organization that names none itself. Without `stop` the signals of the process end
    it; with `stop` they are left to the caller. TargetRefused and OSError come before anything runs.
    """
    app = create_app(_registered(scenario, webhook_url), seed=seed, allow_remote=allow_remote)
    # The simulator's clock writes the Date header, so the server must not.
    config = uvicorn.Config(app, http=_Line, log_config=None, access_log=False, date_header=False, lifespan="on")
    with _listening(host, port) as listener:
        server = _Server(config, listener, stop, on_ready)
        await server.serve(sockets=[listener])


class _Line(HttpToolsProtocol):
    """A connection that can be closed in the middle of a call."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {HANG_UP: {"close": self.transport.close}}


class _Server(uvicorn.Server):
    """A server that says when it is ready, and stops when asked."""

    def __init__(
        self, config: uvicorn.Config, listener: socket.socket, stop: asyncio.Event | None, on_ready: Ready | None
    ) -> None:
        super().__init__(config)
        self._url = _url(listener)
        self._stop = stop
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        log.info("simulator.ready", url=self._url)
        if self._on_ready:
            self._on_ready(self._url)

    async def main_loop(self) -> None:
        if self._stop is None:
            await super().main_loop()
            return
        serving = asyncio.create_task(super().main_loop())
        await self._stop.wait()
        self.should_exit = True
        await serving

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if self._stop is not None:
            yield
            return
        with super().capture_signals():
            yield


def _registered(scenario: Scenario, webhook_url: str | None) -> Scenario:
    organizations = [
        one if one.webhook_url else one.model_copy(update={"webhook_url": webhook_url})
        for one in scenario.organizations
    ]
    return scenario.model_copy(update={"organizations": organizations})


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
