"""A shipment is in one hand at a time: a command's or the buyer's, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.events.catalogue import Cancelled
from bridge.events.cloudevents import Envelope
from bridge.model import Command, DeliveryId, Evidence, Fact, OfferId, OrganizationId, PurchaseWork, ShipmentId, micros
from bridge.store import creations
from bridge.store.budget import Caps
from bridge.store.commands import SqlCommands
from bridge.store.database import ManagedDatabase, Transaction
from bridge.store.facts import Recorder
from bridge.store.listed import Listed
from bridge.store.orders import Order, Refused
from bridge.store.outlook import Errand, Take
from bridge.store.purchase import PurchaseState, Step
from bridge.store.purchases import Intent, SqlPurchases
from bridge.store.sealed import Vault
from bridge.store.steering import Deed, SqlSteering, Steer, has_any
from bridge.store.wanting import want, want_created
from tests.support.purchases import taken

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ORGANIZATION, SHIPMENT, OFFER = OrganizationId(4821), ShipmentId(3900000017), OfferId(553001)
WINDOW = timedelta(minutes=5)


class Desk:
    """One database, what steers on it, and what buys on it."""

    def __init__(self, database: ManagedDatabase) -> None:
        self.database = database
        self.recorder = Recorder(Envelope("test"))
        self.steering = SqlSteering(self.recorder)
        self.purchases = SqlPurchases(database, self.recorder, "buyer")
        self.commands = SqlCommands(database, Vault(), "executor")

    async def want(self, cause: str = "a-delivery") -> None:
        work = [PurchaseWork(ORGANIZATION, SHIPMENT, NOW + WINDOW, DeliveryId(cause))]
        await self.database.write(lambda it: want(it, work, NOW))

    async def put(self, state: str, reason: str | None = None, **columns: Any) -> None:
        """Have a purchase that stands like this."""
        await self.want()
        changes = {"state": state, "reason": reason, **columns}
        sql = f"UPDATE purchases SET {', '.join(f'{name} = ?' for name in changes)}"
        await self.database.write(lambda it: it.run(sql, tuple(changes.values())))

    async def take(self, steer: Steer) -> Listed | Refused:
        return await self.database.write(lambda it: self.steering.take(it, steer, NOW))

    async def row(self, *columns: str) -> tuple[Any, ...]:
        sql = f"SELECT {', '.join(columns or ('state', 'reason'))} FROM purchases"
        (found,) = await self.database.read(lambda it: it.run(sql))
        return tuple(found)

    async def types(self) -> list[str]:
        found = await self.database.read(lambda it: it.run("SELECT type FROM events ORDER BY position"))
        return [row[0] for row in found]


def steer(deed: Deed = "select", cause: str = "c-1") -> Steer:
    order = Order(SHIPMENT, ORGANIZATION, "Ewa", cause)
    return Steer(order, ORGANIZATION, deed, OFFER if deed == "select" else None)


@pytest.fixture
def desk(database: ManagedDatabase) -> Desk:
    return Desk(database)


# -- taking ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["wanted", "held", "declined", "failed", "expired", "not_ours"])
async def test_what_nobody_pays_for_can_be_taken_and_is_nobody_elses_then(desk: Desk, state: str) -> None:
    await desk.put(state)
    assert isinstance(await desk.take(steer()), Listed)
    assert await desk.row("state", "steered_from", "selected_offer") == ("steered", state, OFFER)
    assert await taken(desk.purchases, NOW, Take(Errand.buy, 10)) == []
    other = await desk.take(steer("cancel", "c-2"))
    assert other == Refused(
        "the purchase is steered: an offer is being selected for it, or it is being cancelled, just now"
    )
    assert isinstance(await desk.take(steer()), Listed), "its own command goes on with it"


@pytest.mark.parametrize("state", ["intended", "doubt", "succeeded"])
async def test_what_is_paid_for_or_may_be_is_left_alone(desk: Desk, state: str) -> None:
    await desk.put(state)
    assert isinstance(await desk.take(steer()), Refused)
    assert await desk.row() == (state, None)


async def test_what_only_a_webhook_says_to_be_bought_can_be_taken(desk: Desk) -> None:
    await desk.put("succeeded", "adopted_by_webhook")
    assert isinstance(await desk.take(steer("cancel")), Listed)


async def test_a_shipment_that_was_never_to_be_bought_can_be_taken(desk: Desk) -> None:
    assert isinstance(await desk.take(steer()), Listed)
    assert await desk.database.read(lambda it: has_any(it, ORGANIZATION))
    await desk.database.write(lambda it: desk.steering.put_back(it, steer(), NOW))
    assert await desk.row() == ("not_ours", "not_asked_for")


async def test_a_buyer_that_has_it_in_hand_loses_it_and_cannot_buy_any_more(desk: Desk) -> None:
    await desk.want()
    [claimed] = await taken(desk.purchases, NOW, Take(Errand.buy, 10))
    await desk.take(steer())
    intended = await desk.purchases.intend([Intent(claimed, lambda _: Step(claimed), None)], Caps(10), NOW)
    assert (intended.purchases, await desk.row("state")) == ((), ("steered",))


async def test_an_intent_that_was_never_taken_in_ends_as_it_was_asked_for(desk: Desk) -> None:
    await desk.put("wanted", answer="not_taken", intent_id="an-intent", offer_id=OFFER, service_id="x")
    await desk.take(steer("cancel"))
    assert await desk.types() == ["shipment.purchase_failed"]
    assert await desk.row("intent_id", "answer") == (None, None)


async def test_nothing_is_taken_while_its_offers_may_be_made_anew(desk: Desk) -> None:
    soon = micros(NOW + timedelta(seconds=15))
    await desk.put("wanted", edited_at=micros(NOW), due_at=soon, held_until=2**61, token=7)
    assert await desk.take(steer()) == Refused("its offers are being made anew just now: try again in a moment")
    assert await desk.row("state", "due_at", "token") == ("wanted", soon, 7)
    await desk.put("wanted", edited_at=micros(NOW), due_at=soon, held_until=0)
    assert isinstance(await desk.take(steer()), Listed), "that is over"


async def test_of_two_commands_at_once_one_has_it(desk: Desk) -> None:
    await desk.want()
    found = await asyncio.gather(desk.take(steer("select", "c-1")), desk.take(steer("cancel", "c-2")))
    assert sorted(type(one).__name__ for one in found) == ["Listed", "Refused"]


# -- letting go --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "reason", "after"),
    [
        ("wanted", None, ("wanted", None)),
        ("held", "by_person", ("held", "by_person")),
        ("held", "approval_required", ("held", "approval_required")),
        ("declined", "no_rule_match", ("declined", "no_rule_match")),
    ],
)
async def test_what_came_to_nothing_leaves_all_as_it_was(
    desk: Desk, state: str, reason: str | None, after: tuple[str, str | None]
) -> None:
    await desk.put(state, reason)
    await desk.take(steer())
    await desk.database.write(lambda it: desk.steering.put_back(it, steer(), NOW))
    assert await desk.row() == after
    assert await desk.row("steered_by", "steered_from") == (None, None)


@pytest.mark.parametrize("state", ["wanted", "held"])
async def test_what_came_to_nothing_leaves_what_was_ordered_and_selected_before(desk: Desk, state: str) -> None:
    kept: dict[str, Any] = {"ordered_offer": 17, "selected_offer": 18, "answer": "renew", "refusals": 2}
    await desk.put(state, "by_person", **kept)
    await desk.take(steer())
    await desk.database.write(lambda it: desk.steering.put_back(it, steer(), NOW))
    assert await desk.row() == (state, "by_person")
    assert await desk.row(*kept) == tuple(kept.values())


async def test_an_offer_that_is_selected_ends_what_was_ordered_before(desk: Desk) -> None:
    await desk.put("wanted", ordered_offer=17, selected_offer=18)
    await desk.take(steer())
    await desk.database.write(lambda it: desk.steering.selected(it, steer(), NOW + WINDOW, NOW))
    assert await desk.row("ordered_offer", "selected_offer", "steered_from") == (None, OFFER, None)


async def test_what_was_asked_for_meanwhile_is_wanted_then_but_for_what_a_person_holds(desk: Desk) -> None:
    await desk.put("declined", "no_rule_match")
    await desk.take(steer())
    await desk.want("another-delivery")
    assert await desk.row() == ("steered", "no_rule_match")
    await desk.database.write(lambda it: desk.steering.put_back(it, steer(), NOW))
    assert await desk.row("state", "reason", "wanted_cause") == ("wanted", None, None)


@pytest.mark.parametrize(("reason", "after"), [("by_person", "by_person"), ("approval_required", None)])
async def test_what_is_selected_is_wanted_and_a_persons_hold_goes_on(
    desk: Desk, reason: str, after: str | None
) -> None:
    await desk.put("held", reason)
    await desk.take(steer())
    await desk.database.write(lambda it: desk.steering.selected(it, steer(), NOW + WINDOW, NOW))
    assert await desk.row("state", "reason", "answer", "selected_offer") == ("wanted", after, "asked", OFFER)


async def test_what_is_cancelled_ends_and_that_is_told_in_the_same_commit(desk: Desk) -> None:
    await desk.want()
    one = steer("cancel")
    data = Cancelled(
        shipment_id=SHIPMENT,
        organization_id=ORGANIZATION,
        evidence=Evidence.carrier,
        current=True,
        first_seen=False,
    )

    def write(transaction: Transaction) -> None:
        desk.steering.take(transaction, one, NOW)
        fact = Fact(one.subject, data.type, "canceled#1", NOW, data, None, "c-1")
        desk.steering.cancelled(transaction, one, lambda _: [fact], NOW)

    await desk.database.write(write)
    await desk.database.write(write)
    assert await desk.row() == ("not_ours", "cancelled")
    assert await desk.types() == ["shipment.cancelled"]


async def test_what_could_not_be_cancelled_is_held_so_that_nothing_is_bought(desk: Desk) -> None:
    await desk.want()
    await desk.take(steer("cancel"))
    await desk.database.write(lambda it: desk.steering.not_cancelled(it, steer("cancel"), lambda _: [], NOW))
    await desk.want("another-delivery")
    assert await desk.row() == ("held", "by_person")


async def test_whoever_wants_it_cancelled_takes_back_what_was_approved(desk: Desk) -> None:
    await desk.put(
        "wanted",
        approved_by="Jan",
        approved_service="x",
        approved_amount=1,
        ordered_offer=OFFER,
    )
    await desk.take(steer("cancel"))
    await desk.database.write(lambda it: desk.steering.not_cancelled(it, steer("cancel"), lambda _: [], NOW))
    assert await desk.row() == ("held", "by_person")
    assert await desk.row("approved_by", "approved_service", "approved_amount", "ordered_offer") == (None,) * 4


async def test_what_could_not_be_cancelled_takes_nothing_from_the_days_budget(desk: Desk) -> None:
    await desk.put("wanted", reserved_day="2026-11-20", reserved_currency="PLN", reserved_amount=129_900)
    await desk.take(steer("cancel"))
    await desk.database.write(lambda it: desk.steering.not_cancelled(it, steer("cancel"), lambda _: [], NOW))
    assert await desk.row("reserved_day", "reserved_amount") == (None, None)


@pytest.mark.parametrize(("deed", "after"), [("select", ("wanted", None)), ("cancel", ("held", "by_person"))])
async def test_what_a_command_had_in_hand_that_is_over_is_let_go_of(
    desk: Desk, deed: Deed, after: tuple[str, str | None]
) -> None:
    operation = {"select": "shipment.select_offer", "cancel": "shipment.cancel"}[deed]
    await desk.want()
    await desk.commands.submit(Command(operation, "c-1", b"{}", "Ewa"))
    await desk.take(steer(deed))
    assert await desk.database.write(lambda it: desk.steering.let_go(it, ORGANIZATION, NOW)) == 0
    assert await desk.row("state") == ("steered",)
    await desk.commands.withdraw(operation, "c-1", only="live")
    assert await desk.database.write(lambda it: desk.steering.let_go(it, ORGANIZATION, NOW)) == 1
    assert await desk.row() == after


# -- made here ---------------------------------------------------------------------------------------------------------


def join(transaction: Transaction) -> None:
    creations.join(transaction, ORGANIZATION, "a-command", {0: SHIPMENT}, NOW)
    want_created(transaction, ORGANIZATION, [SHIPMENT], "a-command", NOW)


async def test_a_claim_says_whether_the_bridge_made_the_shipment(desk: Desk) -> None:
    await desk.want()
    await desk.put("held", "not_created_by_bridge")
    await desk.database.write(join)
    assert await desk.row("state", "reason", "cause") == ("wanted", None, "a-command")
    [claimed] = await taken(desk.purchases, NOW, Take(Errand.buy, 10))
    assert claimed.is_created_here


async def test_what_is_held_for_another_reason_stays_held(desk: Desk) -> None:
    await desk.put("held", "approval_required")
    await desk.database.write(join)
    assert await desk.row() == ("held", "approval_required")


async def test_what_turned_out_to_be_made_here_while_it_was_decided_about_is_not_held(desk: Desk) -> None:
    await desk.want()
    [claimed] = await taken(desk.purchases, NOW, Take(Errand.buy, 10))
    assert not claimed.is_created_here
    await desk.database.write(join)
    held = replace(claimed, state=PurchaseState.held, reason="not_created_by_bridge")
    assert await desk.purchases.step([(claimed, lambda _: Step(held))], NOW) == []
    assert await desk.row("state") == ("wanted",)
