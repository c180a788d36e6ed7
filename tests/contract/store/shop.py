"""A shop on one database: a simulated carrier, its webhooks in the inbox, purchases and publishes, in virtual time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx
from pydantic import SecretStr

from bridge.carriers.shipx import webhook
from bridge.carriers.shipx.client import ShipxClient
from bridge.events.cloudevents import Envelope
from bridge.events.projection import project
from bridge.limits.connection import LONGEST_REST_S
from bridge.model import Arrival, DeliveryId, OrganizationId, Parked, ShipmentId
from bridge.ports import Permits
from bridge.purchasing.hand import Account
from bridge.purchasing.policy import load
from bridge.purchasing.terms import Mode, Terms
from bridge.simulator import Scenario, Simulator, VirtualClock, create_app
from bridge.store.audit import Audit, survey
from bridge.store.budget import Caps
from bridge.store.database import ManagedDatabase
from bridge.store.facts import Recorder
from bridge.store.inbox import SqlInbox
from bridge.store.leases import SqlLeases
from bridge.store.outbox import SqlOutbox
from bridge.store.projecting import SqlProjector
from bridge.store.purchases import SqlPurchases
from bridge.store.sealed import Vault
from tests.support.metrics import METRICS
from tests.support.permits import FreePermits
from tests.support.purchases import work

ORGANIZATION = OrganizationId(4821)
PARTITIONS = range(64)
SETTLE = timedelta(seconds=20)
POLICY = load(b"[[rules]]\nid = 'default'\nprefer_services = ['inpost_locker_standard']\n")
SCENARIO: dict[str, Any] = {
    "organizations": [
        {
            "id": ORGANIZATION,
            "name": "Sklep",
            "token": "token",
            "account": "prepaid",
            "funds": "1000.00",
            "webhook_url": "http://127.0.0.1:9/hook",
            "services": [
                {"id": "inpost_locker_standard", "rate": "12.99"},
                {"id": "inpost_courier_standard", "rate": "13.50"},
            ],
        }
    ],
    "webhooks": {"repeat_every": 3, "also_announce": ["offers_prepared", "confirmed"]},
    "journeys": [
        {"name": "out", "steps": [{"status": "taken_by_courier", "after": 20}, {"status": "delivered", "after": 20}]}
    ],
}
DRAFT: dict[str, Any] = {
    "receiver": {
        "first_name": "Anna",
        "last_name": "Kowalska",
        "email": "anna@example.com",
        "phone": "888000000",
        "address": {"street": "Malborska", "building_number": "130", "city": "Kraków", "post_code": "30-624"},
    },
    "parcels": [{"template": "small"}],
    "custom_attributes": {"target_point": "KRA010", "sending_method": "dispatch_order"},
}


class Shop:
    """Everything that a bridge does to its database, one step after the other."""

    def __init__(
        self, database: ManagedDatabase, mode: Mode, permits: Permits, http: httpx.AsyncClient, simulator: Simulator
    ) -> None:
        self.database = database
        self.simulator = simulator
        self.merchant = http
        self.arrived: list[bytes] = []
        vault, recorder = Vault(), Recorder(Envelope("test"))
        self.inbox = SqlInbox(database, vault)
        self._projector = SqlProjector(database, vault, recorder, webhook.notification, project)
        self.purchases = SqlPurchases(database, recorder, "one")
        self.outbox = SqlOutbox(database, "one")
        self.leases = SqlLeases(database, "one")
        client = ShipxClient(
            http,
            base_url="http://carrier",
            organization=ORGANIZATION,
            token=SecretStr("token"),
            permits=permits,
            metrics=METRICS,
            clock=lambda: self.now,
            version="0",
        )
        self.account = Account(client, Terms(mode, POLICY, Caps(1000), SETTLE, timedelta(seconds=10), 3))

    @property
    def now(self) -> datetime:
        return self.simulator.world.clock.now()

    async def create(self, **changes: Any) -> ShipmentId:
        """Create a shipment at the carrier; with a `service` the carrier buys it itself."""
        answer = await self.merchant.post(f"/v1/organizations/{ORGANIZATION}/shipments", json={**DRAFT, **changes})
        assert answer.status_code == 201, answer.text
        return ShipmentId(answer.json()["id"])

    async def pick(self, shipment: ShipmentId) -> None:
        """Buy as somebody does in the carrier's panel."""
        offers = (await self.merchant.get(f"/v1/shipments/{shipment}")).json()["offers"]
        bought = await self.merchant.post(f"/v1/shipments/{shipment}/buy", json={"offer_id": offers[0]["id"]})
        assert bought.status_code == 200, bought.text

    async def refuse_all(self) -> None:
        """Let the carrier answer nothing from now on but that it is to be left alone, for as long as it can say."""
        calls = [{"kind": "limited", "share": 1, "seconds": [LONGEST_REST_S, LONGEST_REST_S]}]
        answer = await self.merchant.put("/_control/faults", json={"calls": calls})
        assert answer.status_code == 200, answer.text

    async def live(self, seconds: float) -> None:
        """Let time pass: webhooks come and are worked off, and each purchase that is due does its next step."""
        await self.simulator.advance(seconds)
        await self.receive()
        await self.work()

    async def receive(self) -> None:
        """Accept what the carrier sent, and project it."""
        bodies, self.arrived[:] = list(self.arrived), []
        if bodies:
            await self.inbox.accept([self.arrival(body) for body in bodies])
        await self.project()

    async def project(self) -> None:
        while (await self._projector.project(100, self.now)).deliveries:
            pass

    async def work(self) -> None:
        await work(self.purchases, self.account, lambda: self.now)

    async def publish(self, most: int = 1000) -> int:
        """Let the broker confirm what is pending, so many of it at most."""
        start = await self.outbox.begin("earliest")
        tokens = await self.leases.hold([f"relay/{number}" for number in PARTITIONS])
        pending = await self.outbox.pending(start, most, PARTITIONS)
        if pending:
            await self.outbox.confirm([one.event.position for one in pending], tokens, self.now)
        return len(pending)

    def arrival(self, body: bytes) -> Arrival:
        found = webhook.read(body, self.now)
        about = (found.id, found.organization, found.event, found.shipment, found.at, self.now)
        return Arrival(*about, body, sha256(body).digest())

    async def misfits(self) -> None:
        """Receive what takes no effect: one to be parked, one that cannot be read again, one that no row holds."""
        body = json.dumps(
            {"event_ts": None, "event": "news", "organization_id": ORGANIZATION, "payload": {"shipment_id": 77}}
        ).encode()
        good = self.arrival(body)
        parked = Parked(DeliveryId("00ff"), "outside_networks", ORGANIZATION, "192.0.2.1", self.now, 2, b"{}")
        unreadable = replace(good, id=DeliveryId("01ff"), body=b"nothing")
        await self.inbox.accept([good, parked, unreadable, replace(good, id=DeliveryId("\udfff"))])
        await self.project()

    async def audit(self, since: datetime | None = None, *, later: float = 0) -> Audit:
        """Look at the books, as if so many seconds had passed."""
        now = self.now + timedelta(seconds=later)
        return await self.database.survey(lambda it: survey(it, now, since, settle=SETTLE, watch=lambda *_: None))

    async def rows(self, sql: str) -> list[Any]:
        found = await self.database.read(lambda it: it.run(sql))
        return [row[0] if len(row) == 1 else row for row in found]

    async def change(self, sql: str) -> None:
        await self.database.write(lambda it: it.run(sql))


@asynccontextmanager
async def shop(database: ManagedDatabase, mode: Mode = "auto", permits: Permits | None = None) -> AsyncIterator[Shop]:
    """Open a shop."""
    arrived: list[bytes] = []

    def receive(request: httpx.Request) -> httpx.Response:
        arrived.append(request.content)
        return httpx.Response(200)

    app = create_app(
        Scenario.model_validate(SCENARIO), clock=VirtualClock(), seed=1, transport=httpx.MockTransport(receive)
    )
    headers = {"Authorization": "Bearer token"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://carrier", headers=headers
    ) as http:
        opened = Shop(database, mode, permits or FreePermits(), http, app.state.simulator)
        opened.arrived = arrived
        yield opened
        await opened.simulator.aclose()
