"""The processes of the demo: `bridge simulate` and `bridge serve`, on free ports, in a folder that goes with them."""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

import httpx

from bridge.demo.carrier import SHOPS
from bridge.demo.options import DemoFailed
from bridge.nodes.guard import Guard, free_ports, tail

_START_S: Final = 30.0
_END_S: Final = 30.0
_POLL_S: Final = 0.05
_LINES: Final = 20
IMPATIENT: Final = {"BRIDGE_SHIPX__TIMEOUT_S": "2", "BRIDGE_PURCHASING__SETTLE_S": "8"}
"""With faults: what the scenario may do to a call and to its effect is over sooner than at the real carrier."""


@dataclass(frozen=True, slots=True)
class Child:
    """One process of ours."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def runs(self) -> bool:
        return self.process.poll() is None

    def died(self, when: str) -> DemoFailed:
        """Say how it ended, in its own last words."""
        code = self.process.poll()
        how = "does not answer" if code is None else f"ended with exit code {code}"
        return DemoFailed(f"{self.name} {how} {when}; the end of its log:\n{tail(self.log, _LINES)}")


class Stage:
    """Starts the children, watches them, and ends them; they end with us, however we end.

    `environ` is the user's; no BRIDGE_* variable of it reaches a child.
    """

    def __init__(self, environ: Mapping[str, str], *, faults: bool, seed: int) -> None:
        self._faults = faults
        self._seed = seed
        self._guard = Guard("bridge-demo-")
        self._environ = {name: value for name, value in environ.items() if not name.startswith("BRIDGE_")}
        self._ports = free_ports(2)
        self._children: list[Child] = []
        self.token = secrets.token_hex(16)
        self._secrets = {shop.organization: secrets.token_hex(24) for shop in SHOPS}

    @property
    def folder(self) -> Path:
        """Where the database and the logs are while the demo runs."""
        return self._guard.folder

    @property
    def carrier_url(self) -> str:
        return f"http://127.0.0.1:{self._ports[0]}"

    @property
    def bridge_url(self) -> str:
        return f"http://127.0.0.1:{self._ports[1]}"

    def webhook_url(self, organization: int) -> str:
        """Give the URL to register with the carrier; it holds the secret."""
        return f"{self.bridge_url}/webhooks/shipx/{self._secrets[organization]}"

    async def start_carrier(self) -> None:
        """Start the stand-in carrier. Raises DemoFailed."""
        scenario = "faults" if self._faults else "demo"
        arguments = ["simulate", "--port", str(self._ports[0]), "--scenario", scenario, "--seed", str(self._seed)]
        carrier = self._spawn("the carrier", self.carrier_url, arguments, {})
        await _until_answers(carrier, "/_control/idle")

    async def start_bridge(self, amqp_url: str | None) -> None:
        """Start the bridge. Raises DemoFailed."""
        config = self.folder / "bridge.toml"
        config.write_text(self._config())
        bridge = self._spawn("the bridge", self.bridge_url, ["serve"], self._settings(config, amqp_url))
        await _until_answers(bridge, "/readyz")

    async def watch(self) -> None:
        """Raise DemoFailed when a child ends; never returns."""
        while True:
            self.check()
            await asyncio.sleep(_POLL_S)

    def check(self) -> None:
        """Raise DemoFailed where a child has ended."""
        for child in self._children:
            if not child.runs:
                raise child.died("unexpectedly")

    async def close(self) -> None:
        """Ask the children to end, the bridge first, and remove the folder."""
        try:
            for child in reversed(self._children):
                child.process.terminate()
                await _ended(child)
        finally:
            self.kill()

    def kill(self) -> None:
        """End everything at once."""
        self._guard.close()

    def _spawn(self, name: str, url: str, arguments: list[str], settings: Mapping[str, str]) -> Child:
        log = self.folder / f"{arguments[0]}.log"
        program = [sys.executable, "-m", "bridge.cli", *arguments]
        child = Child(name, url, self._guard.spawn(program, env={**self._environ, **settings}, log=log), log)
        self._children.append(child)
        return child

    def _settings(self, config: Path, amqp_url: str | None) -> dict[str, str]:
        first = SHOPS[0]
        return {
            "BRIDGE_CONFIG": str(config),
            "BRIDGE_ENVIRONMENT": "demo",
            "BRIDGE_DATABASE_URL": f"sqlite:///{self.folder / 'bridge.db'}",
            "BRIDGE_HTTP__PORT": str(self._ports[1]),
            "BRIDGE_API_TOKEN": self.token,
            "BRIDGE_WEBHOOK__NETWORKS": "127.0.0.0/8",
            "BRIDGE_SHIPX__BASE_URL": self.carrier_url,
            "BRIDGE_SHIPX__ORGANIZATION_ID": str(first.organization),
            "BRIDGE_SHIPX__TOKEN": first.token,
            "BRIDGE_SHIPX__WEBHOOK_SECRETS": self._secrets[first.organization],
            "BRIDGE_SHIPX__REQUESTS_PER_MINUTE": "6000",
            "BRIDGE_SHIPX__MAX_IN_FLIGHT": "16",
            "BRIDGE_PURCHASING__MAX_PER_DAY": "20000",
            "BRIDGE_POLICY": str(files("bridge.demo") / "policy.toml"),
            **(IMPATIENT if self._faults else {}),
            **({"BRIDGE_AMQP_URL": amqp_url} if amqp_url else {}),
        }

    def _config(self) -> str:
        """Write the settings file: further organizations have no other place."""
        return "".join(
            "[[shipx.organizations]]\n"
            f"id = {shop.organization}\n"
            f'token = "{shop.token}"\n'
            f'webhook_secrets = ["{self._secrets[shop.organization]}"]\n'
            for shop in SHOPS[1:]
        )


async def _until_answers(child: Child, path: str) -> None:
    end = time.monotonic() + _START_S
    async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
        while not await _answers(http, child.url + path):
            if not child.runs or time.monotonic() > end:
                raise child.died("at its start")
            await asyncio.sleep(_POLL_S)


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).status_code == 200
    except httpx.TransportError:
        return False


async def _ended(child: Child) -> None:
    end = time.monotonic() + _END_S
    while child.runs and time.monotonic() < end:  # noqa: ASYNC110 - a process sets no event
        await asyncio.sleep(_POLL_S)
