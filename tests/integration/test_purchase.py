"""A purchase over a real database file: what one process wrote down is all that the next one needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from pydantic import SecretStr

from bridge.carriers.shipx.client import ShipxClient
from bridge.events.cloudevents import Envelope
from bridge.model import DeliveryId, OrganizationId, PurchaseWork, ShipmentId
from bridge.observability import Metrics
from bridge.purchasing.hand import Account
from bridge.purchasing.policy import load
from bridge.purchasing.terms import Terms
from bridge.simulator import Scenario, Simulator, VirtualClock, create_app
from bridge.store.budget import Caps
from bridge.store.facts import Recorder
from bridge.store.outlook import Batch, Errand, Take
from bridge.store.purchases import SqlPurchases
from bridge.store.sqlite import SqliteDatabase
from bridge.store.wanting import want
from tests.support.migrated import migrated
from tests.support.permits import FreePermits
from tests.support.purchases import hand, work

ORGANIZATION = OrganizationId(4821)
TERMS = {
    "id": ORGANIZATION,
    "name": "Sklep",
    "token": "token",
    "account": "prepaid",
    "funds": "100.00",
    "services": [{"id": "inpost_locker_standard", "rate": "12.99"}],
}
POLICY = load(b"[[rules]]\nid = 'default'\nprefer_services = ['inpost_locker_standard']\n")
DRAFT = {
    "receiver": {"email": "anna@example.com", "phone": "888000000"},
    "parcels": [{"template": "small"}],
    "custom_attributes": {"target_point": "KRA010"},
}


class Carrier:
    """The simulated carrier; its clock is everybody's."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        scenario = Scenario.model_validate({"organizations": [TERMS], "purchases": {"again": "charge"}})
        nobody = httpx.MockTransport(lambda _: httpx.Response(200))
        self.app = create_app(scenario, clock=self.clock, seed=1, transport=nobody)
        self.simulator: Simulator = self.app.state.simulator

    async def create(self) -> ShipmentId:
        async with self.http() as http:
            answer = await http.post(f"/v1/organizations/{ORGANIZATION}/shipments", json=DRAFT)
        await self.simulator.advance(1)
        return ShipmentId(answer.json()["id"])

    def http(self) -> httpx.AsyncClient:
        headers = {"Authorization": "Bearer token"}
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://127.0.0.1:9000", headers=headers
        )

    def buys(self) -> int:
        return sum(1 for call in self.simulator.world.calls.after(0) if call.path.endswith("/buy"))


class Stands(NamedTuple):
    """How a purchase stands on disk."""

    shipment: ShipmentId
    state: str
    cause: str
    holder: str


class Process:
    """One process with its own connection to the file; `step` does the next thing that is due."""

    def __init__(self, carrier: Carrier, database: SqliteDatabase, http: httpx.AsyncClient, name: str) -> None:
        self._carrier = carrier
        self.database = database
        self.purchases = SqlPurchases(database, Recorder(Envelope("test")), name)
        client = ShipxClient(
            http,
            base_url="http://127.0.0.1:9000",
            organization=ORGANIZATION,
            token=SecretStr("token"),
            permits=FreePermits(),
            metrics=Metrics(),
            clock=carrier.clock.now,
            version="0",
        )
        terms = Terms("auto", POLICY, Caps(1000), timedelta(seconds=20), timedelta(seconds=10), 3)
        self._account = Account(client, terms)

    async def step(self) -> list[Stands]:
        """Do the next thing for everything that is due; give how each stands then."""
        worked = await work(self.purchases, self._account, self._carrier.clock.now)
        return [await self.stands(one.shipment) for one in worked]

    async def take(self, take: Take) -> Batch:
        """Take something in hand, and do nothing about it yet."""
        [batch] = (await self.purchases.claim(lambda _: [take], self._carrier.clock.now())).batches
        return batch

    async def handle(self, batch: Batch) -> None:
        await hand(self.purchases, self._account, self._carrier.clock.now).handle(batch)

    async def stands(self, shipment: ShipmentId) -> Stands:
        sql = "SELECT shipment, state, cause, holder FROM purchases WHERE shipment = ?"
        [row] = await self.database.read(lambda transaction: transaction.run(sql, (shipment,)))
        return Stands(*row)


@asynccontextmanager
async def process(carrier: Carrier, folder: Path, name: str = "one") -> AsyncIterator[Process]:
    database = SqliteDatabase(migrated(folder / "bridge.db"), clock=carrier.clock.now)
    await database.open()
    async with carrier.http() as http:
        yield Process(carrier, database, http, name)
    await database.close()


async def wanted(carrier: Carrier, running: Process, *shipments: ShipmentId) -> None:
    now = carrier.clock.now()
    work = [PurchaseWork(ORGANIZATION, one, now + timedelta(minutes=5), DeliveryId("delivery")) for one in shipments]
    await running.database.write(lambda transaction: want(transaction, work, now))


async def told(running: Process) -> list[Any]:
    rows = await running.database.read(lambda it: it.run("SELECT type FROM events ORDER BY position"))
    return [row[0].removeprefix("shipment.") for row in rows]


HAPPY = [
    "offer_selected",
    "purchase_requested",
    "purchase_succeeded",
    "confirmed",
    "tracking_number_assigned",
    "status_changed",
]


async def test_a_purchase_goes_from_wanted_through_doubt_to_succeeded(tmp_path: Path) -> None:
    carrier = Carrier()
    async with process(carrier, tmp_path) as running:
        shipment = await carrier.create()
        await wanted(carrier, running, shipment)
        [asked] = await running.step()
        assert (asked.state, await running.step()) == ("doubt", [])
        await carrier.simulator.advance(1)
        [settled] = await running.step()
        assert settled.state == "succeeded"
        assert await told(running) == HAPPY
        await carrier.simulator.advance(600)
        assert (await running.step(), carrier.buys()) == ([], 1)


async def test_what_one_process_began_the_next_one_ends(tmp_path: Path) -> None:
    carrier = Carrier()
    async with process(carrier, tmp_path, "one") as running:
        shipment = await carrier.create()
        await wanted(carrier, running, shipment)
        await running.step()
    await carrier.simulator.advance(30)
    async with process(carrier, tmp_path, "two") as running:
        [settled] = await running.step()
        assert settled.state == "succeeded"
        assert (await told(running), carrier.buys()) == (HAPPY, 1)


async def test_two_processes_over_one_file_buy_each_shipment_once(tmp_path: Path) -> None:
    carrier = Carrier()
    async with process(carrier, tmp_path, "one") as one, process(carrier, tmp_path, "two") as two:
        shipments = [await carrier.create() for _ in range(5)]
        await wanted(carrier, one, *shipments)
        taken = await asyncio.gather(one.step(), two.step(), one.step(), two.step())
        assert sorted(purchase.shipment for some in taken for purchase in some) == shipments
        await carrier.simulator.advance(2)
        await asyncio.gather(one.step(), two.step())
        assert carrier.buys() == 5
        assert sorted(await told(one)) == sorted(HAPPY * 5)


async def test_who_lost_its_lease_can_change_nothing(tmp_path: Path) -> None:
    carrier = Carrier()
    async with process(carrier, tmp_path, "one") as one, process(carrier, tmp_path, "two") as two:
        await wanted(carrier, one, await carrier.create())
        late = await one.take(Take(Errand.buy, 1))
        await carrier.simulator.advance(9)
        [asked] = await two.step()
        assert (asked.state, asked.holder) == ("doubt", "two")
        await one.handle(late)
        await one.purchases.renew(late.purchases)
        assert await two.stands(asked.shipment) == asked
        await carrier.simulator.advance(2)
        [settled] = await two.step()
        assert (settled.state, settled.holder, carrier.buys(), await told(two)) == ("succeeded", "two", 1, HAPPY)


async def test_what_is_asked_for_while_an_older_read_is_decided_about_is_decided_about_anew(tmp_path: Path) -> None:
    carrier = Carrier()
    async with process(carrier, tmp_path) as running:
        shipment = await carrier.create()
        await wanted(carrier, running, shipment)
        await carrier.simulator.advance(400)
        stale = await running.take(Take(Errand.renew, 1))
        newer = PurchaseWork(ORGANIZATION, shipment, carrier.clock.now() + timedelta(minutes=5), DeliveryId("newer"))
        await running.database.write(lambda transaction: want(transaction, [newer], carrier.clock.now()))
        await running.handle(stale)
        again = await running.stands(shipment)
        assert (again.state, again.cause) == ("wanted", "newer")
