"""The stand-in carrier on a port, with a look at how fast it is called and by how many at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from bridge.model import ShipmentId
from bridge.simulator import Scenario, Simulator, create_app
from bridge.web.server import Server, listen
from tests.support.bridge import ORGANIZATION
from tests.support.http import NO_TLS

CARRIER_TOKEN: Final = "token-at-the-carrier"
TERMS: Final[dict[str, Any]] = {
    "id": ORGANIZATION,
    "name": "Sklep",
    "token": CARRIER_TOKEN,
    "account": "prepaid",
    "funds": "100000.00",
    "services": [{"id": "inpost_locker_standard", "rate": "12.99"}],
}
DRAFT: Final[dict[str, Any]] = {
    "receiver": {"email": "anna@example.com", "phone": "888000000"},
    "parcels": [{"template": "small"}],
    "custom_attributes": {"target_point": "KRA010"},
}
_OURS: Final = "shipx-bridge"


@dataclass(frozen=True, slots=True)
class Asked:
    """A call of the bridge, as the carrier saw it."""

    method: str
    path: str
    at: float


class SlowCarrier:
    """Takes a moment for every call of the bridge, so that calls overlap where they may."""

    def __init__(self, *, takes_s: float = 0.05, delays: dict[str, float] | None = None, **providers: Any) -> None:
        delays = {"offers": 0.05, "purchase": 0.1} | (delays or {})
        scenario = {"organizations": [TERMS], "delays": delays, **providers}
        self.app = create_app(Scenario.model_validate(scenario), seed=1)
        self.simulator: Simulator = self.app.state.simulator
        self.takes_s = takes_s
        self.asked: list[Asked] = []
        self.running = self.most_running = 0
        self.waiting = 0
        """How many calls are held."""
        self._held: str | None = None
        self._is_done = False
        self._free = asyncio.Event()
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or Headers(scope=scope).get("x-user-agent") != _OURS:
            await self.app(scope, receive, send)
            return
        self.asked.append(Asked(scope["method"], scope["path"], time.monotonic()))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await asyncio.sleep(self.takes_s)
            if self._held is None or not scope["path"].endswith(self._held):
                await self.app(scope, receive, send)
            elif self._is_done:
                await self.app(scope, receive, self._late(send))
            else:
                await self._wait()
                await self.app(scope, receive, send)
        finally:
            self.running -= 1

    async def _wait(self) -> None:
        self.waiting += 1
        try:
            await self._free.wait()
        finally:
            self.waiting -= 1

    def _late(self, send: Send) -> Send:
        """Send no part of an answer before it may go."""

        async def late(message: Message) -> None:
            await self._wait()
            await send(message)

        return late

    @asynccontextmanager
    async def open(self) -> AsyncIterator[SlowCarrier]:
        """Serve on a free port."""
        listening = listen("127.0.0.1", 0, "CARRIER_PORT")
        self.url = "http://{}:{}".format(*listening.getsockname()[:2])
        server = Server(self, listening, 1)
        async with self.simulator.running():
            serving = asyncio.create_task(server.run_until_told())
            await server.listening.wait()
            try:
                yield self
            finally:
                server.stop()
                await serving

    def hold(self, ending: str, *, is_done: bool = False) -> None:
        """Let calls of the bridge to paths that end so wait; an empty one holds them all.

        Where `is_done`, what they ask for is done before, and only the answers wait.
        """
        self._held, self._is_done = ending, is_done
        self._free.clear()

    def let_go(self) -> None:
        """Go on with what waits."""
        self._held = None
        self._free.set()

    def announce_to(self, webhook_url: str | None) -> None:
        """Register where webhooks go; None: nowhere."""
        self.simulator.register(self.simulator.world.organizations.get(ORGANIZATION), webhook_url)  # type: ignore[arg-type]

    async def create(self) -> ShipmentId:
        """Create a shipment as a merchant does."""
        headers = {"authorization": f"Bearer {CARRIER_TOKEN}"}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, trust_env=False, verify=NO_TLS) as http:
            answer = await http.post(f"/v1/organizations/{ORGANIZATION}/shipments", json=DRAFT)
        assert answer.status_code == 201, answer.text
        return ShipmentId(answer.json()["id"])

    def charges(self) -> list[int]:
        """List the shipments that money was taken for, once per charge."""
        return sorted(charge.shipment_id for charge in self.simulator.world.ledger.charges)

    def most_in(self, seconds: float) -> int:
        """Give the most calls in any time so long."""
        times = [one.at for one in self.asked]
        return max(sum(start <= one < start + seconds for one in times) for start in times)
