"""Buyers that live and die beside a simulated carrier and a real database, all of it in virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import httpx
from pydantic import SecretStr

from bridge.carriers.http import bounds
from bridge.carriers.shipx.client import ShipxClient
from bridge.connections.gate import Gate
from bridge.events.cloudevents import Envelope
from bridge.lifecycle import Clock, Stop
from bridge.limits.connection import Connection, Limits
from bridge.model import DeliveryId, OrganizationId, PurchaseWork, ShipmentId
from bridge.purchasing.buyer import Buyer
from bridge.purchasing.hand import Account
from bridge.purchasing.policy import Policy
from bridge.purchasing.terms import Mode, Terms
from bridge.simulator import Scenario, Simulator, create_app
from bridge.store.budget import Caps
from bridge.store.connections import SqlConnections, shipx
from bridge.store.database import EVERYTHING, Unit
from bridge.store.facts import Recorder
from bridge.store.purchases import SqlPurchases
from bridge.store.wanting import say_bought, want
from tests.support.metrics import METRICS
from tests.unit.purchasing.disks import AnyDisk, Disk
from tests.unit.purchasing.policy.making import preferring
from tests.unit.purchasing.virtual_time import LoopClock, pass_time

T = TypeVar("T")
Inner = Callable[[httpx.Request], Awaitable[httpx.Response]]
Trouble = Callable[[httpx.Request, Inner], Awaitable[httpx.Response]]
"""What happens to one call on its way: it may pass the call on, or not, and give the answer, or lose it."""

ORGANIZATION = OrganizationId(4821)
TOKEN = "the-token-of-4821"
POLICY = preferring("inpost_locker_standard", "inpost_courier_standard")
CONNECTION = shipx(ORGANIZATION)
LIMITS = Limits(per_minute=6000, at_once=4)
SETTLE = timedelta(seconds=20)
CALL_WITHIN = timedelta(seconds=10)
CAPS = Caps(per_day=1000)
LIVE = ("wanted", "intended", "doubt")

TERMS: dict[str, Any] = {
    "id": ORGANIZATION,
    "name": "Sklep",
    "token": TOKEN,
    "account": "prepaid",
    "funds": "1000.00",
    "services": [
        {"id": "inpost_locker_standard", "rate": "12.99"},
        {"id": "inpost_locker_allegro", "rate": "10.99"},
        {"id": "inpost_courier_standard", "rate": "13.50"},
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


class Crash(BaseException):
    """The process is gone."""


@dataclass
class Points:
    """The places at which a process can die or be frozen: around every commit that changed something, and every call.

    At the place with the number `at` it dies, or freezes for that long: then its clocks run on and it does not.
    """

    at: int = 0
    freeze: float = 0.0
    names: list[str] = field(default_factory=list)
    struck: bool = False
    frozen_until: float = 0.0

    async def reach(self, name: str) -> None:
        """Pass a place, or come to an end there."""
        await self.wake()
        self.pass_by(name)
        await self.wake()

    def pass_by(self, name: str) -> None:
        """Pass a place without giving others the chance to do anything."""
        self.names.append(name)
        if len(self.names) == self.at:
            self.struck = True
            self.frozen_until = asyncio.get_running_loop().time() + self.freeze
        if self.struck and not self.freeze:
            raise Crash

    async def wake(self) -> None:
        """Do nothing while frozen, and never again once dead."""
        if self.struck and not self.freeze:
            raise Crash
        await asyncio.sleep(self.still_frozen())

    def still_frozen(self) -> float:
        """Say for how many seconds it will still do nothing."""
        return max(self.frozen_until - asyncio.get_running_loop().time(), 0)


class InlineDatabase:
    """The database as one process uses it, on the loop's own thread, so that virtual time need not wait for it."""

    def __init__(self, disk: AnyDisk, points: Points, clock: Clock, about: str = "a commit") -> None:
        self._disk = disk
        self._points = points
        self._clock = clock
        self._about = about

    async def write(self, unit: Unit[T], *, at_leisure: bool = False) -> T:
        await self._points.wake()
        before = self._disk.changes
        with self._disk.writing(self._clock) as transaction:
            result = unit(transaction)
            changed = self._disk.changes > before
            if changed and not self._points.freeze:  # who stands still here holds up everybody
                self._points.pass_by(f"before {self._about}")
        if changed:
            await self._points.reach(f"after {self._about}")
        return result

    async def read(self, unit: Unit[T]) -> T:
        await self._points.wake()
        return self._disk.read(unit, self._clock)

    async def decided(self) -> int:
        return EVERYTHING


class Wire(httpx.AsyncBaseTransport):
    """The way from one process to the carrier. `troubles` are used up in order, by what is asked for."""

    def __init__(self, inner: httpx.AsyncBaseTransport, points: Points, troubles: dict[str, list[Trouble]]) -> None:
        self._inner = inner
        self._points = points
        self._troubles = troubles

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._leave(request)
        waiting = self._troubles.get(asked(request), [])
        trouble = waiting.pop(0) if waiting else passed_on
        answer = await trouble(request, self._inner.handle_async_request)
        await self._points.reach(f"after {asked(request)}")
        return answer

    async def _leave(self, request: httpx.Request) -> None:
        """Let a process die before any call. None freezes between its last look at the clock and the socket."""
        if request.method == "POST" and self._points.freeze:
            await self._points.wake()
        else:
            await self._points.reach(f"before {asked(request)}")


def asked(request: httpx.Request) -> str:
    """Say by its method what is asked for; what is about many has a name of its own."""
    if request.url.path.endswith("/shipments"):
        return "LIST"
    return "BULK" if request.url.path.endswith("/bulk_buy") else request.method


async def passed_on(request: httpx.Request, inner: Inner) -> httpx.Response:
    return await inner(request)


class Process:
    """One buyer and everything it is made of."""

    def __init__(
        self,
        stage: Stage,
        name: str,
        points: Points,
        terms: Terms,
        *,
        token: bool,
        others: Mapping[OrganizationId, Account],
    ) -> None:
        transport = Wire(httpx.ASGITransport(stage.app), points, stage.troubles)
        self.http = httpx.AsyncClient(transport=transport, timeout=bounds(CALL_WITHIN.total_seconds()))
        self.gate = Gate(
            stage.connections(points), CONNECTION, stage.limits, holder=name, clock=stage.clock, dice=lambda: 0.5
        )
        self.client = ShipxClient(
            self.http,
            base_url="http://carrier",
            organization=ORGANIZATION,
            token=SecretStr(TOKEN),
            permits=self.gate,
            metrics=METRICS,
            clock=stage.clock,
            version="0",
        )
        self.points = points
        self.stop = Stop()
        self.buyer = Buyer(
            purchases=stage.purchases(name, points),
            accounts=({ORGANIZATION: Account(self.client, terms, stage.limits)} if token else {}) | dict(others),
            others=terms,
            metrics=METRICS,
            clock=stage.clock,
            stop=self.stop,
            on_events=lambda: None,
            poll_s=stage.poll_s,
        )
        self.task = asyncio.create_task(self.buyer.run())

    @property
    def crashed(self) -> bool:
        """Say whether it is gone; anything but our crash is a bug."""
        if not self.task.done():
            return False
        error = self.task.exception()
        bugs = error.split(Crash)[1] if isinstance(error, BaseExceptionGroup) else error
        if bugs is not None:
            raise bugs
        return True

    async def end(self) -> None:
        """Ask it to end, and see it do so."""
        self.stop.announce()
        if not self.crashed:
            await asyncio.wait([self.task])
        assert self.crashed
        await self.gate.close()
        await self.http.aclose()


@dataclass(frozen=True, slots=True)
class Told:
    """An event as a consumer would read it."""

    type: str
    facet: str
    key: str
    data: dict[str, Any]


class Stage:
    """The carrier and the disk; processes come and go."""

    def __init__(
        self,
        *,
        again: str = "charge",
        purchase: float = 0.6,
        delays: Mapping[str, float] | None = None,
        limits: Limits = LIMITS,
        faults: Mapping[str, Any] | None = None,
        seed: int = 1,
        answers: float = 0.0,
        bulk_refusals: str = "unnamed",
        lists: Mapping[str, Any] | None = None,
        disk: AnyDisk | None = None,
        **terms: Any,
    ) -> None:
        self.clock = LoopClock()
        self.limits = limits
        scenario = Scenario.model_validate(
            {
                "organizations": [TERMS | terms],
                "purchases": {"again": again, "bulk_refusals": bulk_refusals},
                "delays": {"purchase": purchase, "answer": [answers, answers], **(delays or {})},
                "faults": faults or {},
                "lists": lists or {},
            }
        )
        nobody = httpx.MockTransport(lambda _: httpx.Response(200))
        self.app = create_app(scenario, clock=self.clock, seed=seed, transport=nobody)
        self.simulator: Simulator = self.app.state.simulator
        self.disk = disk or Disk()
        self.troubles: dict[str, list[Trouble]] = {}
        self.processes: list[Process] = []
        self.regenerations = 3
        self.poll_s = 1.0
        self.calls_of_the_merchant = 0
        headers = {"Authorization": f"Bearer {TOKEN}"}
        self.merchant = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://carrier", headers=headers
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Stage]:
        """Let the carrier run; at the end every process must still be able to end."""
        async with self.simulator.running(), self.merchant:
            yield self
            for process in self.processes:
                await process.end()
        self.disk.close()

    # -- the merchant ------------------------------------------------------------------------------------------------

    async def create(self, **changes: Any) -> ShipmentId:
        """Create a shipment and wait for its offers."""
        answer = await self.merchant.post(f"/v1/organizations/{ORGANIZATION}/shipments", json={**DRAFT, **changes})
        assert answer.status_code == 201, answer.text
        await pass_time(0.5)
        return ShipmentId(answer.json()["id"])

    def want(self, *shipments: ShipmentId, cause: str = "delivery") -> None:
        """Do what the projection of `offers_prepared` does."""
        now = self.clock.now()
        work = [
            PurchaseWork(ORGANIZATION, one, now + timedelta(minutes=5), DeliveryId(f"{cause}-{one}"))
            for one in shipments
        ]
        self.want_all(work)

    def want_all(self, work: Sequence[PurchaseWork]) -> None:
        """Do the same for any work."""
        with self.disk.writing(self.clock) as transaction:
            want(transaction, work, self.clock.now())

    def say(self, *shipments: ShipmentId) -> None:
        """Do what the projection of a webhook does that says that they are bought, forged or not."""
        with self.disk.writing(self.clock) as transaction:
            say_bought(transaction, [(ORGANIZATION, one, f"said-{one}") for one in shipments], self.clock.now())

    async def buy(self, shipment: ShipmentId, service: str) -> httpx.Response:
        """Buy as somebody else with the same account does: in the carrier's panel."""
        offers = (await self.merchant.get(f"/v1/shipments/{shipment}")).json()["offers"]
        number = next(offer["id"] for offer in offers if offer["service"]["id"] == service)
        return await self.merchant.post(f"/v1/shipments/{shipment}/buy", json={"offer_id": number})

    async def bought_before(self) -> ShipmentId:
        """Have one that was bought a while ago, with which lists are compared: many are then bought by one call."""
        shipment = await self.create()
        answer = await self.buy(shipment, "inpost_courier_standard")
        assert answer.status_code == 200, answer.text
        await pass_time(20)
        with self.disk.writing(self.clock) as transaction:
            transaction.run(
                "INSERT INTO purchases (organization, shipment, state, deadline, due_at, reason, updated_at)"
                " VALUES (?, ?, 'succeeded', 0, 0, 'adopted', 0)",
                (ORGANIZATION, shipment),
            )
        return shipment

    # -- the bridge --------------------------------------------------------------------------------------------------

    def start(
        self,
        points: Points | None = None,
        *,
        mode: Mode = "auto",
        policy: Policy = POLICY,
        caps: Caps = CAPS,
        regenerations: int | None = None,
        token: bool = True,
        others: Mapping[OrganizationId, Account] | None = None,
        only_created: bool = False,
    ) -> Process:
        """Start a process."""
        name = f"process-{len(self.processes) + 1}"
        times = self.regenerations if regenerations is None else regenerations
        terms = Terms(mode, policy, caps, SETTLE, CALL_WITHIN, times, only_created)
        process = Process(self, name, points or Points(), terms, token=token, others=others or {})
        self.processes.append(process)
        return process

    def purchases(self, name: str, points: Points | None = None) -> SqlPurchases:
        """Give the store as one process uses it."""
        return SqlPurchases(InlineDatabase(self.disk, points or Points(), self.clock), Recorder(Envelope("test")), name)

    def connections(self, points: Points | None = None) -> SqlConnections:
        """Give the store of connections as one process uses it."""
        database = InlineDatabase(self.disk, points or Points(), self.clock, about="a permit's commit")
        return SqlConnections(database, Recorder(Envelope("test")))

    async def write(self, unit: Unit[T]) -> T:
        """Write something that no process of the story does."""
        return await InlineDatabase(self.disk, Points(), self.clock).write(unit)

    async def connection(self) -> Connection:
        """Look at the row that all processes share."""
        [seen] = await self.connections().list()
        return seen.connection

    async def settled(self, shipment: ShipmentId, *, seconds: float = 600) -> str:
        """Wait until nobody will work on a shipment any more; a process that died is started anew."""
        for _ in range(int(seconds)):
            await pass_time(1)
            if all(process.crashed for process in self.processes):
                self.start()
            if (state := self.state(shipment)) not in LIVE:
                return state
        raise AssertionError(f"left {self.state(shipment)}")

    def wanted(self, shipments: Collection[ShipmentId]) -> list[ShipmentId]:
        """Give those of the shipments that a purchase was ever asked for."""
        known = {row[0] for row in self.disk.rows("SELECT shipment FROM purchases")}
        return [one for one in shipments if one in known]

    # -- looking behind ----------------------------------------------------------------------------------------------

    def state(self, shipment: ShipmentId) -> str:
        return str(self.disk.rows(f"SELECT state FROM purchases WHERE shipment = {shipment}")[0][0])

    def reason(self, shipment: ShipmentId) -> str | None:
        found = self.disk.rows(f"SELECT reason FROM purchases WHERE shipment = {shipment}")[0][0]
        return None if found is None else str(found)

    def told(self, shipment: ShipmentId) -> list[Told]:
        """List the events about a shipment, in order; their numbers have no gaps and their ids are unique."""
        rows = self.disk.rows(
            "SELECT events.type, routing_key, facts.key, events.body, events.sequence, events.id"
            " FROM events JOIN subjects ON subjects.id = events.subject_id"
            " JOIN facts ON facts.position = events.position"
            f" WHERE subjects.name = 'shipment/{shipment}' ORDER BY events.sequence"
        )
        assert [row[4] for row in rows] == list(range(1, len(rows) + 1))
        assert len({row[5] for row in rows}) == len(rows)
        return [
            Told(
                row[0].removeprefix("shipment."),
                row[1].split(".", 3)[3] if row[1].count(".") > 2 else "",
                row[2],
                _data(row[3]),
            )
            for row in rows
        ]

    def types(self, shipment: ShipmentId) -> list[str]:
        return [one.type for one in self.told(shipment)]

    def charges(self) -> list[int]:
        """List the shipments that money was taken for, once per charge."""
        return [charge.shipment_id for charge in self.simulator.world.ledger.charges]

    def note_calls_of_the_merchant(self) -> None:
        """Remember which calls were not the bridge's."""
        self.calls_of_the_merchant = sum(1 for _ in self.simulator.world.calls.after(0))

    def live(self) -> int:
        """Count the purchases that somebody will still work on."""
        [(n,)] = self.disk.rows("SELECT count(*) FROM purchases WHERE state IN ('wanted', 'intended', 'doubt')")
        return int(n)

    def calls_of_programs(self) -> int:
        """Count the calls that were no creation of a shipment: those of whoever buys."""
        return sum(
            1
            for call in self.simulator.world.calls.after(0)
            if not (call.method == "POST" and call.path.endswith("/shipments"))
        )

    def calls(self, ending: str) -> int:
        """Count the calls that reached the carrier's address."""
        return sum(1 for call in self.simulator.world.calls.after(0) if call.path.endswith(ending))


def _data(body: bytes) -> dict[str, Any]:
    data = json.loads(body)["data"]
    assert isinstance(data, dict)
    return data
