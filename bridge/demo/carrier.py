"""The stand-in carrier from both sides: its REST API, as a merchant has it, and its control API behind the scenes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from bridge.demo.options import DemoFailed
from bridge.demo.records import Delivery, Mishap, Parcel


@dataclass(frozen=True, slots=True)
class Shop:
    """An organization of the simulator's packaged scenario."""

    organization: int
    token: str
    prepaid: bool


SHOPS: Final = (Shop(4821, "demo-token-prepaid", prepaid=True), Shop(4822, "demo-token-postpaid", prepaid=False))


class Carrier:
    """Calls the simulator. Raises DemoFailed where it does not do what it is asked."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._after = 0
        self._ahead: set[int] = set()
        self._met = 0

    @classmethod
    @asynccontextmanager
    async def at(cls, url: str) -> AsyncIterator[Carrier]:
        """Open a client for the simulator at this address."""
        async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as http:
            yield cls(http)

    async def register(self, shop: Shop, webhook_url: str) -> None:
        """Register the URL that the carrier calls for this organization."""
        await self._call("PUT", f"/_control/organizations/{shop.organization}/webhook", {"url": webhook_url})

    async def fund(self, shop: Shop, amount: int) -> None:
        """Top up the account, in PLN."""
        await self._call("POST", f"/_control/organizations/{shop.organization}/funds", {"amount": str(amount)})

    async def create(self, shop: Shop, shipment: dict[str, Any]) -> int:
        """Create a shipment as a merchant does, and give its number."""
        path = f"/v1/organizations/{shop.organization}/shipments"
        answer = await self._call("POST", path, shipment, token=shop.token)
        return int(answer["id"])

    async def answered(self) -> list[Delivery]:
        """Give the webhooks that were answered since the last time, in the order of sending."""
        items = (await self._call("GET", f"/_control/webhooks?after={self._after}"))["items"]
        done = [one for one in items if one["answered_at"] or one["error"]]
        news = [Delivery.of(one) for one in done if one["id"] not in self._ahead]
        self._ahead.update(one["id"] for one in done)
        while self._after + 1 in self._ahead:
            self._after += 1
            self._ahead.discard(self._after)
        return news

    async def mishaps(self) -> list[Mishap]:
        """Give the faults that were met since the last time."""
        items = (await self._call("GET", f"/_control/faults/met?after={self._met}"))["items"]
        self._met += len(items)
        return [Mishap.of(one) for one in items]

    async def heal(self) -> None:
        """Let nothing go wrong from now on."""
        await self._call("DELETE", "/_control/faults")

    async def is_idle(self) -> bool:
        """Say whether nothing will happen any more by itself."""
        return bool((await self._call("GET", "/_control/idle"))["idle"])

    async def parcels(self) -> list[Parcel]:
        """Give every shipment as the carrier sees it."""
        return [Parcel(one["id"], one["status"]) for one in (await self._call("GET", "/_control/state"))["shipments"]]

    async def charges(self) -> Sequence[int]:
        """Give the shipment of every charge."""
        return [one["shipment_id"] for one in (await self._call("GET", "/_control/charges"))["items"]]

    async def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, token: str | None = None
    ) -> dict[str, Any]:
        answer = await self._ask(method, path, body, token)
        while answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            await asyncio.sleep(float(answer.headers["retry-after"]))
            answer = await self._ask(method, path, body, token)
        if answer.is_error:
            raise DemoFailed(f"the carrier answered {answer.status_code} to {method} {path}: {answer.text[:300]}")
        found: dict[str, Any] = answer.json()
        return found

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None, token: str | None) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        try:
            return await self._http.request(method, path, json=body, headers=headers)
        except httpx.TransportError as error:
            raise DemoFailed(f"the carrier does not answer: {type(error).__name__}") from error
