"""A real `bridge serve` for tests: its own process, folder and port."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar, overload

import httpx

from bridge.nodes.guard import Guard, free_ports, tail
from tests.support import forked
from tests.support.http import NO_TLS

ORGANIZATION: Final = 4821
"""The organization of the samples."""
SECRET: Final = "5" * 40
TOKEN: Final = "token-of-the-tests"
POLICY: Final = Path(__file__).parents[2] / "config" / "policy.toml"
START_S: Final = 20.0
END_S: Final = 30.0
_POLL_S: Final = 0.02

Found = TypeVar("Found")


@overload
async def until(check: Callable[[], Awaitable[Found | None]], seconds: float = 10) -> Found: ...
@overload
async def until(check: Callable[[], Found | None], seconds: float = 10) -> Found: ...
async def until(check: Callable[[], object], seconds: float = 10) -> object:
    """Ask again and again until the answer is true, and give it; AssertionError when the time is over.

    An assertion that fails inside `check` counts as not yet, and is what is raised in the end.
    """
    end = time.monotonic() + seconds
    while True:
        failed: AssertionError | None = None
        try:
            answer = check()
            found = await answer if isawaitable(answer) else answer
            if found:
                return found
        except AssertionError as error:
            failed = error
        if time.monotonic() > end:
            raise failed or AssertionError(f"not within {seconds} s: {getattr(check, '__name__', check)}")
        await asyncio.sleep(_POLL_S)


class BridgeProcess:
    """One bridge, on SQLite in `folder` unless told. It may be killed and started again: port and database stay.

    Each life is forked from a process that has imported the bridge: a tenth of the work of a start.

    Settings are those below; `extra_env` adds to them or replaces them, and None takes one away.
    """

    def __init__(self, folder: Path, *, amqp_url: str | None = None, **extra_env: str | None) -> None:
        self.folder = folder
        self.port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        self.webhook_url = f"{self.url}/webhooks/shipx/{SECRET}"
        self.headers = {"authorization": f"Bearer {TOKEN}"}
        self.log_file = folder / f"bridge-{self.port}.log"
        settings = {**self._defaults(), "BRIDGE_AMQP_URL": amqp_url, **extra_env}
        self.environ = {name: value for name, value in settings.items() if value is not None}
        self._process: forked.Forked | subprocess.Popen[bytes] | None = None
        self._guard: Guard | None = None

    def _defaults(self) -> dict[str, str]:
        return {
            "BRIDGE_ENVIRONMENT": "demo",
            "BRIDGE_DATABASE_URL": f"sqlite:///{self.folder}/bridge-{self.port}.db",
            "BRIDGE_HTTP__PORT": str(self.port),
            "BRIDGE_API_TOKEN": TOKEN,
            "BRIDGE_WEBHOOK__NETWORKS": "127.0.0.0/8",
            "BRIDGE_SHIPX__BASE_URL": "http://127.0.0.1:9",
            "BRIDGE_SHIPX__ORGANIZATION_ID": str(ORGANIZATION),
            "BRIDGE_SHIPX__WEBHOOK_SECRETS": SECRET,
            "BRIDGE_POLICY": str(POLICY),
        }

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def database_url(self) -> str:
        """Where its rows are."""
        return self.environ["BRIDGE_DATABASE_URL"]

    @property
    def log(self) -> str:
        """What it has logged so far, over all its lives."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    @property
    def pid(self) -> int:
        """The process id of this life."""
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How the last life ended; None while it runs."""
        return None if self._process is None else self._process.poll()

    async def start(self) -> None:
        """Start, and wait until `/readyz` says yes. Raises AssertionError with the end of the log."""
        assert not self.running, "runs already"
        self._guard = self._guard or Guard("bridge-test-")
        self._process = self._begun(self._guard, {**_bare(), **self.environ})
        async with httpx.AsyncClient(timeout=5, trust_env=False, verify=NO_TLS) as http:
            end = time.monotonic() + START_S
            while not await self._is_ready(http):
                if not self.running or time.monotonic() > end:
                    self.kill()
                    raise AssertionError(f"the bridge did not start:\n{tail(self.log_file)}")
                await asyncio.sleep(_POLL_S)

    def _begun(self, guard: Guard, environ: Mapping[str, str]) -> forked.Forked | subprocess.Popen[bytes]:
        return forked.serve(environ, guard.folder, self.log_file, guard.process_group)

    def kill(self) -> None:
        """End at once, as a crash would (`kill -9`)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(END_S)

    async def terminate(self) -> int:
        """Ask it to end (SIGTERM), wait, and give its exit code."""
        assert self._process is not None, "not started"
        self._process.terminate()
        return await asyncio.to_thread(self._process.wait, END_S)

    def close(self) -> None:
        """Kill what is left; the database and the log stay in `folder`."""
        self.kill()
        if self._guard is not None:
            self._guard.close()
            self._guard = None

    async def _is_ready(self, http: httpx.AsyncClient) -> bool:
        try:
            return (await http.get(f"{self.url}/readyz")).status_code == 200
        except httpx.TransportError:
            return False


class Program(BridgeProcess):
    """The same, started from its file as an operator does: for tests of how a process ends and of what it takes."""

    def _begun(self, guard: Guard, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
        return guard.spawn([sys.executable, "-m", "bridge.cli", "serve"], env=environ, log=self.log_file)


def _bare() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
