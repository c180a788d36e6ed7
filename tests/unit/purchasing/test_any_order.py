"""Whatever comes in whatever order, nothing is paid for twice, and what is said is so.

Webhooks and sweeps ask for purchases and say that they are made, forged ones too, two replicas start, die and stand
still, people give orders, others edit and buy, calls go wrong, and time passes. Every run tells the same
stories. For others, take `derandomize` away; for more of them raise EXAMPLES: what is found is shrunk to what matters.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import httpx
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.events.cloudevents import Envelope
from bridge.limits.connection import Limits
from bridge.model import OfferId, ShipmentId
from bridge.purchasing.terms import Mode
from bridge.store.approvals import SqlApprovals
from bridge.store.database import Transaction
from bridge.store.facts import Recorder
from bridge.store.listed import Listed
from bridge.store.orders import Order, Refused
from bridge.store.steering import SqlSteering, Steer
from bridge.store.wanting import WINDOW
from tests.unit.purchasing.behaviours import gone_when_asked_for
from tests.unit.purchasing.invariants import check, check_told
from tests.unit.purchasing.stage import CONNECTION, LIMITS, LIVE, ORGANIZATION, Points, Stage, Trouble, passed_on
from tests.unit.purchasing.troubles import answered, delayed, lost, refused
from tests.unit.purchasing.virtual_time import LoopClock, in_virtual_time, pass_time

EXAMPLES: Final = 60
STEPS: Final = 25
SHIPMENTS: Final = 6
REPLICAS: Final = 2
COURIER: Final = "inpost_courier_standard"
POLL_S: Final = 5.0
TROUBLES: Final[dict[str, Trouble]] = {
    "none": passed_on,
    "lost before": answered(502),
    "lost after": answered(502, effect=True),
    "limited": answered(429, retry_after="20"),
    "page": answered(200),
    "no connection": lost(httpx.ConnectError),
    "slow there": delayed(before=7),
    "slow back": delayed(after=7),
    "refused": refused("offer_unavailable"),
}
CALLS: Final = {
    "calls": [
        {"kind": kind, "share": 0.1, "method": method, "path": path}
        for kind in ("lost", "dropped", "limited", "page", "crashed", "cut")
        for method, path in (("POST", "*/buy"), ("POST", "*/bulk_buy"), ("PUT", "/v1/shipments/*"))
    ],
    "hidden": {"share": 0.5, "seconds": [0.1, 8.0]},
}


@dataclass(frozen=True)
class World:
    """What a story is told in. Where others buy, the carrier refuses a second purchase; where not, it charges twice.

    `buys` is what becomes of the calls that buy, in order. Where somebody `holds`, it is the first purchase, at once.
    """

    others_buy: bool
    faults: bool
    buys: tuple[str, ...]
    purchase_s: float
    limits: Limits
    mode: Mode
    seed: int
    answers_s: float
    holds: bool


Step = tuple[Any, ...]
_troubles = st.sampled_from([*TROUBLES])
_which = st.integers(0, SHIPMENTS - 1)
_steered = st.just(0)
"""Most of what people do is about one and the same, so that it comes together."""
_seconds = st.sampled_from([0.3, 1.0, 3.0, 10.0, 31.0, 90.0])
WORLDS: Final = st.builds(
    World,
    others_buy=st.booleans(),
    faults=st.booleans(),
    buys=st.lists(_troubles, min_size=4, max_size=10).map(tuple),
    purchase_s=st.sampled_from([0.0, 0.6, 7.0]),
    limits=st.sampled_from([LIMITS, LIMITS, Limits(20, 1)]),
    mode=st.sampled_from(["auto", "auto", "approve"]),
    seed=st.integers(1, 1000),
    answers_s=st.sampled_from([0.0, 0.4]),
    holds=st.booleans(),
)
STORIES: Final = st.lists(
    st.one_of(
        st.tuples(st.just("asks"), _which, st.sampled_from(["delivery", "again"])),
        st.tuples(st.just("says"), _which),
        st.tuples(st.just("sweeps")),
        st.tuples(st.just("starts"), st.integers(0, 40), st.sampled_from([0.0, 30.0])),
        st.tuples(st.just("starts"), st.just(0), st.just(0.0)),
        st.tuples(
            st.just("meets"), st.sampled_from(["POST", "BULK", "GET", "LIST", "PUT"]), st.sampled_from([*TROUBLES])
        ),
        st.tuples(st.just("passes"), _seconds),
        st.tuples(st.just("passes"), _seconds),
        st.tuples(st.just("approves")),
        st.tuples(st.just("edits")),
        st.tuples(st.just("buys"), _which),
        st.tuples(st.just("loses"), _which),
        st.tuples(st.just("orders"), _steered, st.sampled_from(["hold", "hold", "retry", "refresh", "pick"])),
        st.tuples(st.just("orders"), _steered, st.sampled_from(["hold", "refresh", "pick"])),
        st.tuples(st.just("asks"), _steered, st.sampled_from(["delivery", "again"])),
        st.tuples(st.just("selects"), _steered),
        st.tuples(st.just("cancels"), _steered),
        st.tuples(st.just("pauses")),
        st.tuples(st.just("resumes")),
        st.tuples(st.just("changes"), st.sampled_from(["auto", "approve"])),
    ),
    min_size=8,
    max_size=STEPS,
)


@dataclass
class Story:
    """A story as it goes on."""

    stage: Stage
    world: World
    shipments: list[ShipmentId]
    mode: Mode
    bought: set[ShipmentId] = field(default_factory=set)
    """What others bought."""
    only: dict[ShipmentId, set[int]] = field(default_factory=dict)
    """What may be bought of shipments that a person holds: nothing, or what they picked since, and nothing else."""
    given: int = 0
    """How many orders were given."""

    async def step(self, what: str, *how: Any) -> None:
        """Let one thing happen, and check what holds at any time."""
        await getattr(self, what)(*how)
        assert max(Counter(self.stage.charges()).values(), default=0) <= 1
        for shipment in self.stage.wanted(self.shipments):
            check_told(self.stage.told(shipment), is_over=False)
        self.keeps_to_orders()

    def keeps_to_orders(self) -> None:
        """Check that while the last order of a person is a hold, nothing is bought but what they picked."""
        for charge in self.stage.simulator.world.ledger.charges:
            allowed = self.only.get(ShipmentId(charge.shipment_id))
            assert allowed is None or charge.shipment_id in self.bought or charge.offer_id in allowed

    async def asks(self, which: int, cause: str) -> None:
        self.stage.want(self.shipments[which], cause=cause)

    async def says(self, which: int) -> None:
        self.stage.say(self.shipments[which])

    async def sweeps(self) -> None:
        self.stage.want(*self.shipments, cause="sweep")

    async def starts(self, at: int, freeze: float) -> None:
        if sum(not process.crashed for process in self.stage.processes) < REPLICAS:
            self.stage.start(Points(at, freeze), mode=self.mode)

    async def meets(self, call: str, trouble: str) -> None:
        self.stage.troubles.setdefault(call, []).append(TROUBLES[trouble])

    async def passes(self, seconds: float) -> None:
        """Let time pass; what was written before rings within a second, and nobody looks oftener without need."""
        if seconds >= 1:
            for process in self.stage.processes:
                process.buyer.bell.ring()
        await pass_time(seconds)

    async def approves(self) -> None:
        """Approve all that is held, as a person does who looks at its price."""
        for shipment in self.stage.wanted(self.shipments):
            if self.stage.state(shipment) == "held":
                self.only.pop(shipment, None)
        await self.stage.write(_approve_all)

    async def orders(self, which: int, name: str) -> None:
        """Give an order about a purchase, which may be refused."""
        shipment = self.shipments[which]
        offer = await self._first_offer(shipment)
        found = await self.stage.write(partial(_give, name, self._order(shipment), offer, self.stage.clock))
        if isinstance(found, Refused):
            return
        if name == "hold":
            self.only[shipment] = set()
        elif name == "pick" and shipment in self.only:
            self.only[shipment] = {offer}
        elif name == "retry":
            self.only.pop(shipment, None)

    async def selects(self, which: int) -> None:
        """Select an offer, as the command does."""
        shipment = self.shipments[which]
        offer = await self._first_offer(shipment)
        steer = Steer(self._order(shipment), ORGANIZATION, "select", offer)
        steering, clock = SqlSteering(Recorder(Envelope("test"))), self.stage.clock
        if isinstance(await self.stage.write(lambda it: steering.take(it, steer, clock.now())), Refused):
            return
        answer = await self.stage.merchant.post(f"/v1/shipments/{shipment}/select_offer", json={"offer_id": offer})
        if answer.is_success:
            until = clock.now() + WINDOW
            await self.stage.write(lambda it: steering.selected(it, steer, until, clock.now()))
        else:
            await self.stage.write(lambda it: steering.put_back(it, steer, clock.now()))

    async def cancels(self, which: int) -> None:
        """Want one cancelled, which the carrier does not do."""
        shipment = self.shipments[which]
        steer = Steer(self._order(shipment), ORGANIZATION, "cancel")
        steering, now = SqlSteering(Recorder(Envelope("test"))), self.stage.clock.now()
        if not isinstance(await self.stage.write(lambda it: steering.take(it, steer, now)), Refused):
            await self.stage.write(lambda it: steering.not_cancelled(it, steer, lambda _: [], now))
            self.only[shipment] = set()

    async def pauses(self) -> None:
        connections = self.stage.connections()
        await connections.prepare([CONNECTION])
        await self.stage.write(lambda it: connections.pause(it, CONNECTION, reason="operator", by="somebody"))

    async def resumes(self) -> None:
        await self.stage.write(lambda it: self.stage.connections().resume(it, CONNECTION))

    async def _first_offer(self, shipment: ShipmentId) -> OfferId:
        seen = (await self.stage.merchant.get(f"/v1/shipments/{shipment}")).json()
        return OfferId(next((one["id"] for one in seen["offers"]), 17))

    def _order(self, shipment: ShipmentId) -> Order:
        self.given += 1
        return Order(shipment, ORGANIZATION, "Ewa", f"order-{self.given}")

    async def edits(self) -> None:
        """Edit everything: what is not bought yet gets other offers."""
        for shipment in self.shipments:
            with suppress(httpx.TransportError):  # calls of a merchant get lost, too
                await self.stage.merchant.put(f"/v1/shipments/{shipment}", json={})

    async def buys(self, which: int) -> None:
        if self.world.others_buy:
            shipment = self.shipments[which]
            seen = (await self.stage.merchant.get(f"/v1/shipments/{shipment}")).json()
            if any(one["service"]["id"] == COURIER and one["status"] == "available" for one in seen["offers"]):
                self.bought.add(shipment)
                await self.stage.buy(shipment, COURIER)

    async def loses(self, which: int) -> None:
        await gone_when_asked_for(self.stage, [self.shipments[which]])

    async def changes(self, mode: Mode) -> None:
        """Let what is started from now on ask a person first, or not."""
        self.mode = mode

    async def ends(self) -> None:
        """Let everything come to an end, with nothing in its way any more."""
        self.stage.troubles.clear()
        self.stage.simulator.world.trouble.heal()
        await pass_time(10)  # until what others bought shows, which no webhook tells here
        self.stage.want(*self.bought, cause="end")
        self.stage.say(*self.bought)  # what a person holds is not wanted, and looked at all the same
        await self.resumes()
        self.stage.start()
        wanted = self.stage.wanted(self.shipments)
        for shipment in wanted:
            await self.stage.settled(shipment, seconds=1800)
        await pass_time(40)
        assert all(self.stage.state(one) not in LIVE for one in wanted)
        check(self.stage, wanted)
        self.keeps_to_orders()


def _give(name: str, order: Order, offer: OfferId, clock: LoopClock, transaction: Transaction) -> Listed | Refused:
    approvals, now = SqlApprovals(Recorder(Envelope("test"))), clock.now()
    match name:
        case "hold":
            return approvals.hold(transaction, order, now)
        case "retry":
            return approvals.retry(transaction, order, now)
        case "refresh":
            return approvals.renew(transaction, order, [ORGANIZATION], now)
        case _:
            return approvals.pick(transaction, order, offer, [ORGANIZATION], now)


def _approve_all(transaction: Transaction) -> None:
    transaction.run(
        "UPDATE purchases SET state = 'wanted', due_at = ?, reason = NULL, approved_by = 'somebody',"
        " approved_service = service_id, approved_amount = 135000 WHERE state = 'held'",
        (transaction.now,),
    )


async def play(world: World, steps: list[Step]) -> None:
    again = "refuse" if world.others_buy else "charge"
    faults = CALLS if world.faults and not world.others_buy else {}
    stage = Stage(again=again, purchase=world.purchase_s, limits=world.limits, seed=world.seed, answers=world.answers_s)
    stage.poll_s = POLL_S
    async with stage.open():
        await stage.bought_before()
        assert (await stage.merchant.put("/_control/faults", json=faults)).is_success
        shipments = [await stage.create() for _ in range(SHIPMENTS)]
        story = Story(stage, world, shipments, world.mode)
        stage.troubles |= {"POST": [TROUBLES[one] for one in world.buys], "BULK": [TROUBLES[one] for one in world.buys]}
        await story.sweeps()
        if world.holds:
            await story.orders(0, "hold")
        await story.starts(0, 0.0)
        for what, *how in steps:
            await story.step(what, *how)
        await story.ends()


@settings(
    max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
@given(WORLDS, STORIES)
def test_whatever_comes_in_whatever_order_nothing_is_paid_for_twice(world: World, steps: list[Step]) -> None:
    with structlog.testing.capture_logs():
        in_virtual_time(play(world, steps))
