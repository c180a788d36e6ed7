"""A counter where a checkout asks: the routes, over a database of their own and the stand-in providers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx

from bridge.app.answering import Api, internal_routes
from bridge.app.serving import application
from bridge.carriers.intelligentreturns.formats import Name
from bridge.commands.execute import Executor, Operation
from bridge.commands.giving import Giving
from bridge.events.cloudevents import Envelope
from bridge.lifecycle import Stop
from bridge.shipping.returns.api import ReturnsApi
from bridge.shipping.returns.billing.api import BillingApi
from bridge.shipping.returns.billing.asked import MarkRefunded
from bridge.shipping.returns.billing.refunding import Refunding
from bridge.shipping.returns.checkout.api import CheckoutApi
from bridge.shipping.returns.creating import Creating
from bridge.shipping.returns.desk import Desk
from bridge.shipping.returns.keeping import Keeping
from bridge.shipping.returns.orders.api import ReturnOrdersApi
from bridge.shipping.returns.orders.asked import AddReturnOrderItems, CreateReturnOrder, DeleteReturnOrder
from bridge.shipping.returns.orders.ordering import Ordering
from bridge.shipping.returns.platforms import Platforms
from bridge.simulator import Scenario
from bridge.store.commands import SqlCommands
from bridge.store.facts import Recorder
from bridge.store.sealed import Vault
from bridge.store.sqlite import SqliteDatabase
from bridge.web.access import EVERY_SCOPE, Access
from tests.support.migrated import migrated
from tests.support.permits import FreePermits
from tests.unit.ingress.stage import client_of
from tests.unit.shipping.returning import CREATE, SCENARIO, SENDER, makers_over, wanted
from tests.unit.simulator.stage import SCENARIO as CARRIER
from tests.unit.simulator.stage import Stage as Carrier

MONTH: Final = timedelta(days=30)
RETURNS: Final = "/v1/returns"
SERVICES, POINTS, QUOTES = f"{RETURNS}/services", f"{RETURNS}/drop-off-points", f"{RETURNS}/quotes"
ORDERS: Final = "/v1/return-orders"
CLIENTS: Final = [
    client_of("all", EVERY_SCOPE),
    client_of("reader", ["read"]),
    client_of("writer", ["returns:write"]),
    client_of("ours", EVERY_SCOPE, [4821]),
    client_of("others", EVERY_SCOPE, [9999]),
]
SHIRT: Final[dict[str, Any]] = {
    "sku": "SKU-1",
    "name": "Shirt M",
    "quantity": 2,
    "price": {"amount": "100.00", "currency": "EUR"},
    "weight_kg": "0.3",
    "country_of_origin": "CN",
}
SOCKS: Final[dict[str, Any]] = {
    "sku": "SKU-2",
    "name": "Socks",
    "quantity": 1,
    "price": {"amount": "9.90", "currency": "EUR"},
}
ORDER: Final[dict[str, Any]] = {
    "reference": "ORDER123",
    "ordered_at": "2026-03-01T09:30:00+01:00",
    "currency": "EUR",
    "customer": SENDER,
    "items": [SHIRT],
}
QUOTE: Final[dict[str, Any]] = {"sender": SENDER, "items": [SHIRT]}


@dataclass
class Counter:
    """Answers requests; `now` is what caches go by."""

    carrier: Carrier
    app: Any = None
    now: float = 0.0

    async def ask(
        self, method: str, path: str, asked: object = None, *, token: str = "all", key: str | None = None, **query: Any
    ) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} | ({} if key is None else {"idempotency-key": key})
        content = None if asked is None else json.dumps(asked).encode()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://bridge") as http:
            return await http.request(method, path, headers=headers, content=content, params=query)

    async def told(self, path: str, asked: object, key: str) -> dict[str, Any]:
        """Have something made, and give what was answered."""
        answer = await self.ask("POST", path, asked, key=key)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def returned(self, provider: str = "intelligentreturns", key: str = "r-1", **changes: Any) -> dict[str, Any]:
        """Have a return made, a minute ago."""
        asked = wanted(provider, **changes)
        if "expires_at" in asked:
            asked["expires_at"] = (self.carrier.clock.now() + MONTH).isoformat()
        made = await self.told(RETURNS, asked, key)
        await self.carrier.advance(60)
        return made

    async def refuse(self, method: str, code: str, **how: Any) -> None:
        """Let the provider refuse the next call of a method."""
        asked = {"method": method, "code": code, **how}
        await self.control("POST", "/_control/intelligentreturns/refusals", asked)

    async def fault(self, kind: str, method: str, **how: Any) -> None:
        """Let the next call of a method meet a fault."""
        path = f"/intelligentreturns/{method}*"
        await self.control("POST", "/_control/faults", {"kind": kind, "method": "POST", "path": path, **how})

    async def calls(self) -> Sequence[str]:
        """List what the provider was asked, by its methods."""
        items = (await self.control("GET", "/_control/calls")).json()["items"]
        return ["/".join(one["path"].split("/")[2:4]) for one in items]

    async def deeds(self) -> Mapping[str, int]:
        """Count what the provider did."""
        counts: Mapping[str, int] = (await self.control("GET", "/_control/deeds")).json()["counts"]
        return counts

    async def control(self, method: str, path: str, asked: Mapping[str, Any] | None = None) -> httpx.Response:
        transport = httpx.ASGITransport(self.carrier.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://carrier") as http:
            answer = await http.request(method, path, json=asked)
        assert answer.is_success, answer.text
        return answer


@asynccontextmanager
async def counter(
    folder: Path, *, only: str | None = None, form: Name = "json", **scenario: Any
) -> AsyncIterator[Counter]:
    """Open one; `only` is the one provider that is set up, `form` what Intelligentreturns is spoken to in."""
    database, stop = SqliteDatabase(migrated(folder / "bridge.db")), Stop()
    await database.open()
    written = Scenario.model_validate({**CARRIER, **SCENARIO, **scenario})
    async with Carrier(written) as carrier, httpx.AsyncClient(transport=httpx.ASGITransport(carrier.app)) as http:
        vault, clock = Vault.with_keys([b"k" * 32]), carrier.clock.now
        keeping = Keeping(database, vault, Recorder(Envelope("test")), clock, lambda: None)
        makers = makers_over(http, FreePermits(), clock, keeping, form)
        desk = Desk({name: one for name, one in makers.items() if only in (None, name.partition("/")[0])}, ())
        platforms = Platforms.among(desk.makers)
        ordering = Ordering(platforms, clock)
        commands = SqlCommands(database, vault, "counter")
        operations = {
            CREATE: Operation(Creating(desk, keeping, clock)),
            CreateReturnOrder.operation: Operation(ordering.create),
            AddReturnOrderItems.operation: Operation(ordering.add_items),
            DeleteReturnOrder.operation: Operation(ordering.delete),
            MarkRefunded.operation: Operation(Refunding(platforms, keeping, clock)),
        }
        executor = Executor(commands, operations, stop)
        giving, access = Giving(commands, executor.bell.ring, wait_s=1), Access(CLIENTS)
        at = Counter(carrier)
        apis: list[Api] = [
            CheckoutApi(platforms, access, lambda: at.now),
            BillingApi(platforms, keeping, giving, access),
            ReturnOrdersApi(platforms, giving, access),
            ReturnsApi(desk, keeping, giving, access),
        ]
        at.app = application(internal_routes(apis))
        running = asyncio.create_task(executor.run())
        try:
            yield at
        finally:
            stop.announce()
            await running
    await database.close()
