"""A bridge that asks for what it was not told, beside a simulated carrier, on one database and in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx
from pydantic import SecretStr

from bridge.carriers.shipx import webhook
from bridge.carriers.shipx.client import ShipxClient
from bridge.events.cloudevents import Envelope
from bridge.events.projection import project
from bridge.events.readback import ReadBack
from bridge.lifecycle import Stop
from bridge.model import Arrival, OrganizationId, ShipmentId
from bridge.observability import Metrics
from bridge.reconciling.discovery import Discovery
from bridge.reconciling.hearing import judge
from bridge.reconciling.learning import Learning
from bridge.reconciling.pace import Pace
from bridge.reconciling.sweeping import Sweeping
from bridge.simulator import Scenario, Simulator, VirtualClock, create_app
from bridge.store import received
from bridge.store.database import ManagedDatabase
from bridge.store.facts import Recorder
from bridge.store.hearing import SqlHearing
from bridge.store.inbox import SqlInbox
from bridge.store.projecting import SqlProjector
from bridge.store.sealed import Vault
from bridge.store.sweeps import SqlSweeps
from bridge.store.watched import Phase
from tests.support.bridge import ORGANIZATION as NUMBER
from tests.support.carrier import CARRIER_TOKEN, DRAFT, TERMS
from tests.support.metrics import METRICS
from tests.support.permits import FreePermits

ORGANIZATION = OrganizationId(NUMBER)
SCENARIO: dict[str, Any] = {
    "organizations": [{**TERMS, "webhook_url": "http://127.0.0.1:9/hook"}],
    "journeys": [
        {"name": "out", "steps": [{"status": "taken_by_courier", "after": 20}, {"status": "delivered", "after": 20}]}
    ],
}
OPEN, TRACKING = timedelta(seconds=15), timedelta(minutes=30)
STEP_S = 5.0


class Round:
    """A bridge and its carrier. Webhooks are lost unless it `hears`; `receives` is whether anybody says that they are
    received."""

    def __init__(
        self,
        database: ManagedDatabase,
        simulator: Simulator,
        http: httpx.AsyncClient,
        *,
        hears: bool,
        receives: bool,
        read_back: ReadBack,
        metrics: Metrics,
    ) -> None:
        self.database = database
        self.simulator = simulator
        self.merchant = http
        self.hears = hears
        self.receives = receives
        self.arrived: list[bytes] = []
        self.metrics = metrics
        self._asked: dict[str, datetime] = {}
        vault, recorder = Vault(), Recorder(Envelope("test"))
        self.inbox = SqlInbox(database, vault)
        self._projector = SqlProjector(database, vault, recorder, webhook.notification, project, read_back)
        self.sweeps = SqlSweeps(database, recorder, Pace(OPEN, TRACKING))
        self.hearing = SqlHearing(database, recorder, judge)
        self.permits = FreePermits()
        self.client = ShipxClient(
            http,
            base_url="http://carrier",
            organization=ORGANIZATION,
            token=SecretStr(CARRIER_TOKEN),
            permits=self.permits,
            metrics=self.metrics,
            clock=lambda: self.now,
            version="0",
        )
        self.learning = Learning(
            self.sweeps,
            metrics=self.metrics,
            clock=lambda: self.now,
            on_events=lambda: None,
            on_wanted=lambda: None,
        )
        since = self.now
        self.sweeping = Sweeping(
            ORGANIZATION,
            carrier=self.client,
            sweeps=self.sweeps,
            learning=self.learning,
            metrics=self.metrics,
            clock=lambda: self.now,
            stop=Stop(),
            heard_since=since,
        )
        self.discovery = Discovery(
            ORGANIZATION,
            carrier=self.client,
            sweeps=self.sweeps,
            learning=self.learning,
            clock=lambda: self.now,
            heard_since=since,
        )

    @property
    def now(self) -> datetime:
        return self.simulator.world.clock.now()

    async def create(self, **changes: Any) -> ShipmentId:
        """Create a shipment at the carrier."""
        answer = await self.merchant.post(f"/v1/organizations/{ORGANIZATION}/shipments", json={**DRAFT, **changes})
        assert answer.status_code == 201, answer.text
        return ShipmentId(answer.json()["id"])

    async def buy(self, shipment: ShipmentId) -> None:
        """Buy what is wanted, as the buyer does."""
        offers = (await self.merchant.get(f"/v1/shipments/{shipment}")).json()["offers"]
        offer = next(one["id"] for one in offers if one["status"] == "available")
        answer = await self.merchant.post(f"/v1/shipments/{shipment}/buy", json={"offer_id": offer})
        assert answer.status_code == 200, answer.text
        await self.database.write(
            lambda it: it.run("UPDATE purchases SET state = 'succeeded' WHERE shipment = ?", (shipment,))
        )

    async def live(self, seconds: float, step_s: float = STEP_S, *, asks: bool = True) -> None:
        """Let time pass: webhooks come or are lost, and rounds are made as often as their time comes."""
        for _ in range(round(seconds / step_s)):
            await self.simulator.advance(step_s)
            await self.receive()
            if asks:
                await self.ask()

    async def receive(self) -> None:
        """Take in what the carrier sent, if anything gets here."""
        bodies, self.arrived[:] = list(self.arrived), []
        if bodies and self.hears:
            await self.inbox.accept([self._arrival(body) for body in bodies])
        await self.project()

    async def project(self) -> None:
        """Work off what is pending."""
        while (await self._projector.project(100, self.now)).deliveries:
            pass

    async def ask(self) -> None:
        """Make every round whose time has come: discovery and open ones each 15 s, the others each minute.

        What webhooks wait for is read at once.
        """
        await self.announce()
        await self.sweeping.sweep(Phase.waiting, timedelta(0))
        if self._is_due("often", 15):
            await self.discovery.look()
            await self.sweeping.take_in()
            await self.sweeping.sweep(Phase.open, OPEN / 2)
        if self._is_due("seldom", 60):
            await self.sweeping.sweep(Phase.tracking, timedelta(seconds=30))
            await self.hearing.review(ORGANIZATION, self.now)

    async def announce(self) -> None:
        """Say each hour that webhooks are received, where they are."""
        if self.receives and self._is_due("said", 3600):
            await self.database.write(lambda it: received.say(it, [ORGANIZATION], self.now))

    def _is_due(self, name: str, every_s: float) -> bool:
        last = self._asked.get(name)
        if last is not None and (self.now - last).total_seconds() < every_s:
            return False
        self._asked[name] = self.now
        return True

    async def wanted(self) -> list[ShipmentId]:
        return [ShipmentId(one) for one in await self.rows("SELECT shipment FROM purchases WHERE state = 'wanted'")]

    async def watched(self) -> dict[int, str]:
        return dict(await self.rows("SELECT shipment, phase FROM sweeps"))

    async def facts(self) -> dict[str, str]:
        """Give every event: what it is about and says, by its id."""
        rows = await self.rows(
            "SELECT events.id, subjects.name, events.type, events.routing_key FROM events"
            " JOIN subjects ON subjects.id = events.subject_id"
        )
        return {row[0]: f"{row[1]} {row[3]}" for row in rows}

    async def rows(self, sql: str) -> list[Any]:
        found = await self.database.read(lambda it: it.run(sql))
        return [row[0] if len(row) == 1 else row for row in found]

    def _arrival(self, body: bytes) -> Arrival:
        found = webhook.read(body, self.now)
        about = (found.id, found.organization, found.event, found.shipment, found.at, self.now)
        return Arrival(*about, body, sha256(body).digest())


@asynccontextmanager
async def rounds(
    database: ManagedDatabase,
    *,
    hears: bool = False,
    receives: bool = True,
    read_back: ReadBack = "purchases",
    metrics: Metrics = METRICS,
    **scenario: Any,
) -> AsyncIterator[Round]:
    """Open one; who reads what it counts gives it `metrics` of its own."""
    arrived: list[bytes] = []

    def receive(request: httpx.Request) -> httpx.Response:
        arrived.append(request.content)
        return httpx.Response(200)

    terms = Scenario.model_validate({**SCENARIO, **scenario})
    app = create_app(terms, clock=VirtualClock(), seed=1, transport=httpx.MockTransport(receive))
    headers = {"Authorization": f"Bearer {CARRIER_TOKEN}"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://carrier", headers=headers) as http:
        opened = Round(
            database, app.state.simulator, http, hears=hears, receives=receives, read_back=read_back, metrics=metrics
        )
        opened.arrived = arrived
        await opened.announce()
        yield opened
        await opened.simulator.aclose()
