"""What a command does in the database counts only with the note of it, and only as long as the command is in this hand.

Every kind of command is tried as the bridge puts it together, on every database. What stands still or dies does so
exactly at the write that takes effect, whichever that is: the first one that changes anything but the commands.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, TypeVar, cast

import pytest
from pydantic import BaseModel

from bridge.app.commanding import make_commanding, open_executor
from bridge.app.labelling import make_desk
from bridge.app.providers.opening import open_accounts
from bridge.app.returning import open_returns
from bridge.app.shared import Shared
from bridge.app.stores import Stores, prepare_stores
from bridge.approvals.evaluating import EvaluateOffers
from bridge.commands.models import (
    ApprovePurchase,
    Backfill,
    Body,
    BuyShipment,
    CancelShipment,
    HoldPurchase,
    PauseConnection,
    RedriveDead,
    RefreshOffers,
    ReplayDeliveries,
    ReplayEvents,
    ResumeConnection,
    RetryPurchase,
    SelectOffer,
)
from bridge.dispatch.asked import (
    AddDispatchComment,
    CalculateDispatchOrder,
    CancelDispatchOrder,
    ChangeDispatchComment,
    CreateDispatchOrder,
    PrintDispatchOrder,
)
from bridge.errors import StoreUnavailable
from bridge.lifecycle import Loops, utc_now
from bridge.model import (
    Arrival,
    Command,
    CommandState,
    DeliveryId,
    Fact,
    OrganizationId,
    Parked,
    ShipmentId,
    Standing,
    Subject,
)
from bridge.settings import load
from bridge.shipments.asked import CreateMany, CreateOne, CreateShipments
from bridge.shipments.asked_label import FetchLabel, KeepLabel
from bridge.shipping.returns.asked import CancelReturn, CreateReturn, FetchReturnLabel, Settlement, SettleReturn
from bridge.shipping.returns.billing.asked import MarkRefunded
from bridge.shipping.returns.codes.asked import ActivateCode, InvalidateCode, MakeCodes
from bridge.shipping.returns.keeping import Keeping
from bridge.shipping.returns.orders.asked import AddReturnOrderItems, CreateReturnOrder, DeleteReturnOrder
from bridge.store.commands import SqlCommands
from bridge.store.connections import shipx
from bridge.store.database import ManagedDatabase, Transaction, Unit
from bridge.store.returns import Kept, Secrets
from tests.support.bridge import until

T = TypeVar("T")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OWNER, OTHER = OrganizationId(4821), OrganizationId(4822)
SETTINGS = load(
    {
        "BRIDGE_ENVIRONMENT": "demo",
        "BRIDGE_SHIPX__BASE_URL": "http://127.0.0.1:9",
        "BRIDGE_SHIPX__TOKEN": "token",
        "BRIDGE_SHIPX__ORGANIZATION_ID": str(OWNER),
        "BRIDGE_SHIPX__WEBHOOK_SECRETS": "a1" * 20,
    }
)
HELD, WANTED, FAILED, NEW = 11, 12, 13, 14
DOUBTFUL = "d" * 32
"""A return."""
EFFECTIVE: list[Body] = [
    PauseConnection(name=shipx(OWNER)),
    ResumeConnection(name=shipx(OTHER)),
    RedriveDead(limit=None),
    ReplayDeliveries(deliveries=("failed", "parked"), state=None),
    ApprovePurchase(shipment_id=HELD),
    HoldPurchase(shipment_id=WANTED),
    RetryPurchase(shipment_id=FAILED),
    BuyShipment(shipment_id=NEW, organization_id=OWNER),
    SettleReturn(return_id=DOUBTFUL, found=Settlement(made=True, provider_reference="t-1")),
]
OUTSIDE: list[type[Body]] = [
    ReplayEvents,
    Backfill,
    CreateShipments,
    CreateOne,
    CreateMany,
    FetchLabel,
    KeepLabel,
    CreateReturn,
    CancelReturn,
    FetchReturnLabel,
    MakeCodes,
    ActivateCode,
    InvalidateCode,
    CreateReturnOrder,
    AddReturnOrderItems,
    DeleteReturnOrder,
    MarkRefunded,
    SelectOffer,
    RefreshOffers,
    CancelShipment,
    CreateDispatchOrder,
    CalculateDispatchOrder,
    CancelDispatchOrder,
    AddDispatchComment,
    ChangeDispatchComment,
    PrintDispatchOrder,
    EvaluateOffers,
]
"""What these do they do elsewhere, at the broker or with what a carrier shows: they are tried where those are."""


# -- the database ------------------------------------------------------------------------------------------------------


class Note(BaseModel):
    """What the event of these tests carries."""

    number: int


async def fill(stores: Stores) -> None:
    """Keep a connection that is paused and one that is not, a dead event, deliveries, purchases, a return in doubt."""
    await stores.connections.prepare([shipx(OWNER), shipx(OTHER)])
    await stores.inbox.accept([_arrival("failed"), _parked("parked")])
    keeping = Keeping(stores.database, stores.vault, stores.recorder, lambda: NOON, lambda: None)
    returned = Kept(DOUBTFUL, "inpost_returns/main", None, "two", "pending", NOON, Secrets("ORDER 1"), sender="digest")
    fact = Fact(Subject.shipment(OWNER, ShipmentId(1)), "shipment.confirmed", "1", NOON, Note(number=1))

    def write(transaction: Transaction) -> None:
        keeping.begin(transaction, returned)
        keeping.lost(transaction, returned)
        ledgers = stores.recorder.lock(transaction, {fact.subject})
        stores.recorder.record(transaction, ledgers, [fact], NOON)
        stores.recorder.save(transaction, ledgers.values())
        transaction.run("UPDATE outbox SET state = 2, published_at = 1")
        for shipment, state in ((HELD, "held"), (WANTED, "wanted"), (FAILED, "failed")):
            transaction.run(
                "INSERT INTO purchases (organization, shipment, state, deadline, due_at, intent_id, offer_id,"
                " service_id, updated_at) VALUES (?, ?, ?, 1, 1, ?, 5, 'inpost_locker_standard', 1)",
                (OWNER, shipment, state, f"intent {shipment}"),
            )
        transaction.run("UPDATE deliveries SET state = 2, verdict = 'bug'")
        transaction.run(
            "UPDATE connections SET paused_since = 1, paused_reason = 'operator', paused_by = 'x' WHERE name = ?",
            (shipx(OTHER),),
        )

    await stores.database.write(write)


def _body(second: int) -> bytes:
    payload = {"shipment_id": 7, "status": "delivered"}
    document = {
        "event_ts": f"2026-11-20 12:00:{second:02} +0100",
        "event": "shipment_status_changed",
        "organization_id": OWNER,
        "payload": payload,
    }
    return json.dumps(document).encode()


def _arrival(key: str) -> Arrival:
    body = _body(1)
    return Arrival(DeliveryId(key), OWNER, "status", ShipmentId(7), NOON, NOON, body, sha256(body).digest())


def _parked(key: str) -> Parked:
    body = _body(2)
    return Parked(DeliveryId(key), "outside_networks", OWNER, "8.8.4.4", NOON, len(body), body)


_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
    "postgres": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
}


def everything(transaction: Transaction) -> dict[str, list[str]]:
    """Give all that is in the database, but for the commands."""
    names = sorted(row[0] for row in transaction.run(_TABLES[transaction.dialect]))
    found = {name: transaction.run(f"SELECT * FROM {name}") for name in names if name != "commands"}
    found["sealed"] = [row for row in found["sealed"] if not row[0].startswith("command:")]
    return {name: sorted(repr(row) for row in rows) for name, rows in found.items()}


class Undone(Exception):
    """Ends a transaction that was only to be looked at."""


def _broken_off(unit: Unit[T]) -> Unit[T]:
    """Do all of it, and die before the commit."""

    def broken_off(transaction: Transaction) -> T:
        unit(transaction)
        raise StoreUnavailable("the process is dead")

    return broken_off


Hook = Callable[[], Awaitable[None]]


class AtTheEffect:
    """A database as a process uses it that stands still before or after the write that takes effect, or dies in it."""

    def __init__(
        self,
        inner: ManagedDatabase,
        *,
        before: Hook | None = None,
        after: Hook | None = None,
        dies: bool = False,
    ) -> None:
        self._inner = inner
        self._before = before
        self._after = after
        self._dies = dies
        self._one_by_one = asyncio.Lock()
        self.is_dead = False
        self.effects = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def write(self, unit: Unit[T], *, at_leisure: bool = False) -> T:
        async with self._one_by_one:
            if self.is_dead:
                raise StoreUnavailable("the process is dead")
            is_effect = not self.effects and await self._takes_effect(unit)
            self.effects += is_effect
            if is_effect and self._before is not None:
                await self._before()
            self.is_dead = is_effect and self._dies
            result = await self._inner.write(_broken_off(unit) if self.is_dead else unit, at_leisure=at_leisure)
            if is_effect and self._after is not None:
                await self._after()
            return result

    async def _takes_effect(self, unit: Unit[T]) -> bool:
        """Try a write and undo it, to see whether it would change anything but the commands."""
        is_effect = False

        def attempt(transaction: Transaction) -> None:
            nonlocal is_effect
            before = everything(transaction)
            unit(transaction)
            is_effect = everything(transaction) != before
            raise Undone

        with pytest.raises(Undone):
            await self._inner.write(attempt)
        return is_effect


# -- the process -------------------------------------------------------------------------------------------------------


class Ground:
    """A filled database with one command in it."""

    def __init__(self, stores: Stores, asked: Body) -> None:
        self.stores = stores
        self.asked = asked
        self.commands = SqlCommands(stores.database, stores.vault, "another")

    async def standing(self) -> Standing:
        found = await self.commands.look(self.asked.operation, "one")
        assert found is not None
        return found

    async def everything(self) -> dict[str, list[str]]:
        return await self.stores.database.read(everything)

    async def withdraw(self) -> None:
        await self.commands.withdraw(self.asked.operation, "one", only="live")

    async def take_over(self) -> None:
        """Let another replica have it, as one has whose eight seconds are over."""
        await self.change("UPDATE commands SET held_until = 1 WHERE state = 'running'")
        await self.commands.claim({self.asked.operation: 1})

    async def let_the_lease_end(self) -> None:
        await self.change("UPDATE commands SET held_until = 1 WHERE state = 'running'")

    async def change(self, sql: str) -> None:
        await self.stores.database.write(lambda transaction: transaction.run(sql))

    @asynccontextmanager
    async def process(self, database: AtTheEffect) -> AsyncIterator[None]:
        """Have commands carried out as a bridge does, until what is in hand has ended."""
        stores = await prepare_stores(SETTINGS, cast("ManagedDatabase", database))
        shared = Shared(SETTINGS, utc_now, Loops(lambda: None))
        returns = open_returns(shared, stores, open_accounts(AsyncExitStack(), shared, stores))
        open_executor(shared, stores, make_commanding(shared, stores), {}, make_desk(shared, stores, {}), returns)
        try:
            yield
        finally:
            shared.stop.announce()
            await shared.loops.finish(5)
            assert shared.loops.crashed is None

    async def is_over(self) -> bool:
        return (await self.standing()).state.is_over


@pytest.fixture(params=EFFECTIVE, ids=[one.operation for one in EFFECTIVE])
async def ground(request: pytest.FixtureRequest, database: ManagedDatabase) -> Ground:
    asked: Body = request.param
    stores = await prepare_stores(SETTINGS, database)
    await fill(stores)
    found = Ground(stores, asked)
    await found.commands.submit(Command(asked.operation, "one", asked.canonical, "tests"))
    return found


def _kinds(body: type[Body]) -> set[type[Body]]:
    """Give what can be asked for; what only others are made from has no operation."""
    below = {kind for one in body.__subclasses__() for kind in _kinds(one)}
    return below | ({body} if hasattr(body, "operation") else set())


def test_every_kind_of_command_is_tried_here() -> None:
    assert {type(one) for one in EFFECTIVE} | set(OUTSIDE) == _kinds(Body)


LOSSES = [
    # how it is lost, how it stands then
    (Ground.withdraw, CommandState.withdrawn),
    (Ground.take_over, CommandState.running),
]


@pytest.mark.parametrize(("lose", "state"), LOSSES, ids=["withdrawn", "taken over"])
async def test_whoever_stood_still_until_it_was_another_ones_changes_nothing(
    ground: Ground, lose: Callable[[Ground], Awaitable[None]], state: CommandState
) -> None:
    before = await ground.everything()
    database = AtTheEffect(ground.stores.database, before=lambda: lose(ground))
    async with ground.process(database):
        await until(lambda: database.effects)
    assert await ground.everything() == before
    standing = await ground.standing()
    assert (standing.state, standing.progress.at) == (state, {})


@pytest.mark.parametrize("lose", [Ground.withdraw, Ground.take_over], ids=["withdrawn", "taken over"])
async def test_what_was_done_is_written_down_with_it_and_is_not_done_again(
    ground: Ground, lose: Callable[[Ground], Awaitable[None]]
) -> None:
    told: list[tuple[Standing, dict[str, list[str]]]] = []

    async def look_and_lose() -> None:
        told.append((await ground.standing(), await ground.everything()))
        await lose(ground)

    database = AtTheEffect(ground.stores.database, after=look_and_lose)
    async with ground.process(database):
        await until(lambda: told)
    ((standing, done),) = told
    assert standing.state is CommandState.done or standing.progress.at, "the effect and the note of it are one"
    await ground.let_the_lease_end()
    async with ground.process(AtTheEffect(ground.stores.database)):
        if standing.state is CommandState.done or lose is Ground.take_over:
            await until(ground.is_over)
    assert await ground.everything() == done


async def test_a_process_that_dies_before_the_commit_leaves_neither_and_the_next_one_brings_both(
    ground: Ground,
) -> None:
    before = await ground.everything()
    database = AtTheEffect(ground.stores.database, dies=True)
    async with ground.process(database):
        await until(lambda: database.is_dead)
    standing = await ground.standing()
    assert (standing.state, standing.progress.at) == (CommandState.running, {})
    assert await ground.everything() == before
    await ground.let_the_lease_end()
    async with ground.process(AtTheEffect(ground.stores.database)):
        await until(ground.is_over)
    assert (await ground.standing()).state is CommandState.done
    assert await ground.everything() != before
