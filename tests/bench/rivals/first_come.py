"""What published integrations do with offers, at its best: whoever came first is read and bought, one call at a time.

It keeps nothing, knows no deadline and makes no offer anew; it is as fast as its rate and its two connections allow.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import httpx

_FAILED: Final = 400


@dataclass
class FirstCome:
    """Buys the first offer that is available. The calls go to `http`, at most so many a minute and at once."""

    http: httpx.AsyncClient
    per_minute: int
    at_once: int
    waiting: deque[int] = field(default_factory=deque)
    _next: float = 0.0

    def want(self, shipments: Sequence[int]) -> None:
        """Queue up."""
        self.waiting.extend(shipments)

    async def run(self) -> None:
        """Work for ever."""
        async with asyncio.TaskGroup() as hands:
            for _ in range(self.at_once):
                hands.create_task(self._work())

    async def _work(self) -> None:
        while True:
            if self.waiting:
                await self._buy(self.waiting.popleft())
            else:
                await asyncio.sleep(0.05)

    async def _buy(self, shipment: int) -> None:
        found = await self._call("GET", f"/v1/shipments/{shipment}")
        if found is None:
            self.waiting.append(shipment)
            return
        available = [offer for offer in found.json()["offers"] if offer["status"] == "available"]
        if available:
            await self._call("POST", f"/v1/shipments/{shipment}/buy", {"offer_id": available[0]["id"]})

    async def _call(self, method: str, path: str, json: object = None) -> httpx.Response | None:
        """Make one call in its turn; None where it brought nothing."""
        loop = asyncio.get_running_loop()
        self._next = max(self._next, loop.time()) + 60 / self.per_minute
        await asyncio.sleep(self._next - 60 / self.per_minute - loop.time())
        try:
            answer = await self.http.request(method, path, json=json)
        except httpx.TransportError:
            return None
        return None if answer.status_code >= _FAILED else answer
