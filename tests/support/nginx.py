"""A private nginx with the settings that we recommend, and what tells it which replicas are ready."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx

from bridge.nodes.guard import Guard, free_ports, tail
from tests.support.bridge import SECRET, BridgeProcess, until
from tests.support.http import NO_TLS
from tests.support.tools import need_tool

EXAMPLE: Final = Path(__file__).parents[2] / "config" / "nginx.example.conf"
LOAD_BALANCER: Final = "127.0.0.1"
"""Whose word on the sender nginx takes: the test's own."""
_REPLICAS: Final = "        server 10.0.0.11:8080;\n        server 10.0.0.12:8080;\n"
_PROBE_S: Final = 0.1
_END_S: Final = 10.0


class Nginx:
    """nginx on a port of its own, sending to the replicas that it was last told of.

    Without `tries_others` it gives up where one is not reached, so that its second try does not hide that.
    """

    def __init__(self, folder: Path, *, tries_others: bool = True) -> None:
        self._tries_others = tries_others
        self._program = need_tool("nginx")
        self._folder = folder
        self._log = folder / "nginx.log"
        self._settings = folder / "nginx.conf"
        self._guard: Guard | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        self.webhook_url = f"{self.url}/webhooks/shipx/{SECRET}"

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text(errors="replace")

    async def start(self, ports: Sequence[int]) -> None:
        """Start, and wait until it answers. Raises AssertionError with the end of its log."""
        self._write(ports)
        self._guard = Guard("bridge-nginx-")
        program: list[str | Path] = [self._program, "-p", self._folder, "-c", self._settings, "-g", "daemon off;"]
        self._process = self._guard.spawn(program, env=dict(os.environ), log=self._log)
        async with httpx.AsyncClient(trust_env=False, verify=NO_TLS) as http:
            await until(lambda: self._answers(http))

    def send_to(self, ports: Sequence[int]) -> None:
        """Send to these replicas from now on; what is under way to others is finished."""
        assert self._process is not None, "not started"
        self._write(ports)
        self._process.send_signal(signal.SIGHUP)

    def close(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_S)
        if self._guard is not None:
            self._guard.close()

    async def _answers(self, http: httpx.AsyncClient) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"nginx did not start:\n{tail(self._log)}")
        try:
            return (await http.get(self.url)).status_code == 404
        except httpx.TransportError:
            return False

    def _write(self, ports: Sequence[int]) -> None:
        servers = "".join(f"        server 127.0.0.1:{port};\n" for port in ports)
        places = "".join(
            f"    {name}_temp_path {self._folder}/{name};\n"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;\n" if os.geteuid() == 0 else ""
        text = EXAMPLE.read_text(encoding="utf-8")
        for line, ours in (
            ("worker_processes auto;\n", f"{user}worker_processes 2;\n"),
            ("http {\n", f"http {{\n{places}"),
            (_REPLICAS, servers),
            ("    # set_real_ip_from 10.0.1.0/24;\n", f"    set_real_ip_from {LOAD_BALANCER};\n"),
            ("    # real_ip_header X-Forwarded-For;\n", "    real_ip_header X-Forwarded-For;\n"),
            ("        listen 8080;\n", f"        listen 127.0.0.1:{self.port};\n"),
            *(() if self._tries_others else [("proxy_next_upstream error timeout;", "proxy_next_upstream off;")]),
        ):
            assert text.count(line) == 1, line
            text = text.replace(line, ours)
        self._settings.write_text(text, encoding="utf-8")


class Endpoints:
    """Tells nginx which replicas are ready, as a platform's controller does: it looks now and again."""

    def __init__(self, nginx: Nginx, replicas: list[BridgeProcess]) -> None:
        self.nginx = nginx
        self.replicas = replicas
        """Those that are looked at; one that is added is sent to when it is ready."""
        self.ports: list[int] = []
        """Where nginx sends."""
        self.left: dict[int, int | None] = {}
        """How those answered that were taken off the list: a status, or None where nothing did."""
        self._looking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        async with httpx.AsyncClient(timeout=2, trust_env=False, verify=NO_TLS) as http:
            self.ports = _ready(await self._found(http))
        await self.nginx.start(self.ports)
        self._looking = asyncio.create_task(self._look_again())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking
        self.nginx.close()

    async def _look_again(self) -> None:
        async with httpx.AsyncClient(timeout=2, trust_env=False, verify=NO_TLS) as http:
            while True:
                await asyncio.sleep(_PROBE_S)
                found = await self._found(http)
                ready = _ready(found)
                if ready and ready != self.ports:
                    self._nginx_sends_to(ready, found)

    def _nginx_sends_to(self, ready: list[int], found: Mapping[int, int | None]) -> None:
        self.nginx.send_to(ready)
        self.left |= {port: found.get(port) for port in self.ports if port not in ready}
        self.ports = ready

    async def _found(self, http: httpx.AsyncClient) -> dict[int, int | None]:
        """Ask every replica whether it is ready; gives the statuses by port."""
        replicas = list(self.replicas)
        statuses = await asyncio.gather(*(self._status(http, one) for one in replicas))
        return {one.port: status for one, status in zip(replicas, statuses, strict=True)}

    async def _status(self, http: httpx.AsyncClient, one: BridgeProcess) -> int | None:
        try:
            return (await http.get(f"{one.url}/readyz")).status_code
        except httpx.TransportError:
            return None


def _ready(found: Mapping[int, int | None]) -> list[int]:
    return [port for port, status in found.items() if status == 200]
