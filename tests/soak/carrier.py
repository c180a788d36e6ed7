"""The carrier beside the bridges: a process of its own, which nobody kills, with faults of its own."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import httpx

from bridge.nodes.guard import Guard, clean_environment, free_ports, tail
from tests.soak.takings import Takings
from tests.support.bridge import ORGANIZATION, until

MERCHANT: Final = ORGANIZATION + 2
"""The organization whose shipments are bought."""
MERCHANT_TOKEN: Final = "token-of-the-merchant"
SCENARIO: Final = Path(__file__).with_name("carrier.toml")
_START_S: Final = 30.0
_ANEW: Final = httpx.Limits(max_keepalive_connections=0)
"""A connection for each call: one that was kept could be closed just when it is used."""
_TURN_S: Final = 0.5
"""For how long webhooks go to one bridge."""


class Carrier:
    """Starts the simulator, and looks behind its back."""

    def __init__(self, folder: Path, seed: int) -> None:
        port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{port}"
        self._log = folder / "carrier.log"
        self._guard = Guard("bridge-soak-carrier-")
        arguments = ["simulate", "--port", str(port), "--scenario", str(SCENARIO), "--seed", str(seed)]
        program = [sys.executable, "-m", "bridge.cli", *arguments]
        self._process = self._guard.spawn(program, env=clean_environment("BRIDGE_"), log=self._log)
        self._http = httpx.AsyncClient(base_url=self.url, timeout=30, trust_env=False, limits=_ANEW)

    async def up(self) -> None:
        """Wait until it answers."""
        await until(self._answers, _START_S)

    async def close(self) -> None:
        """End it."""
        await self._http.aclose()
        self._guard.close()

    async def announce(self, urls: Sequence[str]) -> None:
        """Send webhooks to one bridge after the other, whether or not it is there, until cancelled."""
        for url in itertools.cycle(urls):
            await self._ask("PUT", f"organizations/{MERCHANT}/webhook", {"url": url})
            await asyncio.sleep(_TURN_S)

    async def heal(self) -> None:
        """Let nothing go wrong from now on; what has begun ends by itself."""
        await self._ask("DELETE", "faults")

    async def is_idle(self) -> bool:
        """Say whether nothing will happen any more by itself."""
        return bool((await self._ask("GET", "idle"))["idle"])

    async def shipments(self) -> list[int]:
        """List what was created, whether or not the merchant was told so."""
        return [one["id"] for one in (await self._ask("GET", "state"))["shipments"]]

    async def takings(self) -> Takings:
        """Give what it knows by now."""
        charges, calls, met = [(await self._ask("GET", path))["items"] for path in ("charges", "calls", "faults/met")]
        state = await self._ask("GET", "state")
        paths = [one["path"] for one in calls if one["method"] == "POST"]
        return Takings(
            shipments=[one["id"] for one in state["shipments"]],
            charges=[one["shipment_id"] for one in charges],
            paid=sum((Decimal(one["amount"]) for one in charges), Decimal(0)),
            single_purchases=sum(path.endswith("/buy") for path in paths),
            bulk_purchases=sum(path.endswith("/bulk_buy") for path in paths),
            faults=len(met),
            webhooks=state["webhooks"]["attempts"],
            webhooks_lost=state["webhooks"]["attempts"] - state["webhooks"]["acknowledged"],
        )

    async def _answers(self) -> bool:
        try:
            return await self.is_idle()
        except httpx.TransportError:
            return False

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        if self._process.poll() is not None:
            raise AssertionError(f"the carrier ended:\n{tail(self._log)}")
        answer = await self._http.request(method, f"/_control/{path}", json=body)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found
