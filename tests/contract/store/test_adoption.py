"""What the carrier says is bought comes into the ledger, whoever bought it, and disturbs no purchase of ours."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bridge.model import DeliveryId, PurchaseWork, Receipt, ShipmentId, micros
from bridge.store.database import ManagedDatabase
from bridge.store.deliveries import SqlDeliveries
from bridge.store.migrate import migrations
from bridge.store.purchase import PurchaseState
from bridge.store.sealed import Vault
from bridge.store.wanting import want
from tests.contract.store.shop import ORGANIZATION, Shop, shop
from tests.contract.store.test_facts_store import arrival

SHIPMENT = ShipmentId(7)
ENDED = ["failed", "declined", "held", "expired", "not_ours"]
LIVE = ["wanted", "intended", "doubt"]
SAID = ("not_ours", "said_bought")
COUNTED_FROM = "state, deadline, due_at, cause, intent_id, left_by, reads, attempts, reason, holder, token, updated_at"


async def ask(opened: Shop, shipment: ShipmentId = SHIPMENT, cause: str = "offers") -> None:
    """Ask for a purchase, as the projection of offers does."""
    work = PurchaseWork(ORGANIZATION, shipment, opened.now + timedelta(minutes=5), DeliveryId(cause))
    await opened.database.write(lambda transaction: want(transaction, [work], opened.now))


async def confirm(opened: Shop, *shipments: ShipmentId, second: int = 0) -> list[Receipt | None]:
    """Let a webhook say that they are bought."""
    said = [arrival("confirmed", shipment=one, second=second) for one in shipments or [SHIPMENT]]
    accepted = await opened.inbox.accept(said)
    await opened.project()
    return list(accepted.receipts)


async def offered(opened: Shop) -> tuple[ShipmentId, list[bytes]]:
    """Have a shipment with offers, and give the webhooks that tell of them, which have not come yet."""
    shipment = await opened.create()
    await opened.simulator.advance(0.5)
    bodies, opened.arrived[:] = list(opened.arrived), []
    return shipment, bodies


async def bought_in_the_panel(opened: Shop) -> ShipmentId:
    """Have a shipment that somebody else bought, of which nobody told."""
    shipment, _ = await offered(opened)
    await opened.pick(shipment)
    await opened.simulator.advance(2)
    opened.arrived.clear()
    return shipment


async def look(opened: Shop) -> None:
    """Let so much time pass that everything that was said has been looked into."""
    for _ in range(4):
        await opened.live(15)


async def ledger(opened: Shop) -> list[tuple[str, str | None]]:
    return await opened.rows("SELECT state, reason FROM purchases ORDER BY shipment")


def asked(opened: Shop) -> int:
    """Count the calls that the carrier was asked by."""
    return sum(1 for _ in opened.simulator.world.calls.after(0))


async def is_balanced(opened: Shop) -> bool:
    return (await opened.audit(later=61)).is_balanced


async def told(opened: Shop) -> set[str]:
    return {one.removeprefix("shipment.") for one in await opened.rows("SELECT type FROM facts")}


async def test_a_webhook_that_says_bought_adopts_nothing_before_a_read_shows_it(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        shipment = await bought_in_the_panel(opened)
        await confirm(opened, shipment)
        assert (await ledger(opened), await is_balanced(opened)) == ([SAID], True)
        assert await told(opened) == {"confirmed", "status_changed"}, "as the webhook says"
        [cause] = await opened.rows("SELECT cause FROM purchases")
        assert await opened.rows("SELECT id FROM deliveries") == [cause]
        await opened.live(3)
        assert await ledger(opened) == [("succeeded", "adopted")]
        assert "purchase_succeeded" in await told(opened)
        assert await is_balanced(opened)


async def test_what_is_said_of_a_forged_shipment_comes_to_nothing(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        await confirm(opened)
        await look(opened)
        assert (await ledger(opened), await is_balanced(opened)) == ([SAID], True)
        assert await told(opened) == {"confirmed", "status_changed"}
        calls = asked(opened)
        await look(opened)
        assert asked(opened) == calls, "it was looked into, and that is all"


async def test_a_purchase_that_shows_late_is_adopted(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        shipment, _ = await offered(opened)
        await confirm(opened, shipment)
        await opened.live(5)
        assert await ledger(opened) == [SAID]
        await opened.pick(shipment)
        await opened.simulator.advance(2)
        opened.arrived.clear()
        await look(opened)
        assert await ledger(opened) == [("succeeded", "adopted")]
        assert await is_balanced(opened)


@pytest.mark.parametrize("is_bought", [True, False])
@pytest.mark.parametrize("state", ENDED)
async def test_what_ended_unbought_is_adopted_when_a_webhook_says_so_and_a_read_shows_it(
    state: str, is_bought: bool, database: ManagedDatabase
) -> None:
    async with shop(database) as opened:
        shipment = await bought_in_the_panel(opened) if is_bought else (await offered(opened))[0]
        await ask(opened, shipment)
        await opened.change(f"UPDATE purchases SET state = '{state}', reason = 'as it was'")
        await confirm(opened, shipment)
        await look(opened)
        assert await ledger(opened) == [("succeeded", "adopted") if is_bought else (state, "as it was")]
        assert await is_balanced(opened)


@pytest.mark.parametrize("state", [*LIVE, "succeeded"])
async def test_a_webhook_disturbs_no_purchase_in_hand_or_made(state: str, database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        await ask(opened)
        left_by = micros(opened.now)
        await opened.change(f"UPDATE purchases SET state = '{state}', token = 5, left_by = {left_by}, intent_id = 'x'")
        before = await opened.rows(f"SELECT {COUNTED_FROM} FROM purchases")
        await confirm(opened)
        assert await opened.rows(f"SELECT {COUNTED_FROM} FROM purchases") == before
        assert await is_balanced(opened), "what is in hand will be settled by reads"


async def test_no_webhook_is_believed_over_a_read_that_showed_it_unbought(database: ManagedDatabase) -> None:
    async with shop(database, "approve") as opened:
        shipment, _ = await offered(opened)
        await ask(opened, shipment)
        await confirm(opened, shipment)
        await opened.work()
        assert await ledger(opened) == [("held", "approval_required")]
        await look(opened)
        assert await ledger(opened) == [("held", "approval_required")]
        assert await is_balanced(opened)


async def test_a_shipment_that_the_carrier_never_shows_is_not_adopted_because_a_webhook_says_so(
    database: ManagedDatabase,
) -> None:
    async with shop(database) as opened:
        await ask(opened)
        await confirm(opened)
        for _ in range(8):
            await opened.live(60)
        assert await ledger(opened) == [("not_ours", "not_found")]
        assert await is_balanced(opened)


@pytest.mark.parametrize("is_looked_into", [True, False])
async def test_genuine_offers_are_bought_in_time_whatever_was_forged_before(
    is_looked_into: bool, database: ManagedDatabase
) -> None:
    async with shop(database) as opened:
        shipment, bodies = await offered(opened)
        await confirm(opened, shipment)
        if is_looked_into:
            await look(opened)
        opened.arrived[:] = bodies
        await opened.receive()
        assert await ledger(opened) == [("wanted", None)]
        for _ in range(4):
            await opened.live(1)
        assert await ledger(opened) == [("succeeded", None)]
        assert len(opened.simulator.world.ledger.charges) == 1
        assert await is_balanced(opened)


async def test_offers_that_say_they_are_of_the_far_future_keep_no_genuine_ones_from_being_bought(
    database: ManagedDatabase,
) -> None:
    async with shop(database) as opened:
        shipment, bodies = await offered(opened)
        [genuine] = [body for body in bodies if b'"event":"offers_prepared"' in body.replace(b" ", b"")][:1]
        forged = json.loads(genuine)
        forged["event_ts"] = "2026-03-18 13:20:00 +0100"
        opened.arrived[:] = [json.dumps(forged).encode()]
        await opened.receive()
        await opened.change("UPDATE purchases SET state = 'declined', reason = 'none_available'")
        opened.arrived[:] = [genuine]
        await opened.receive()
        assert await ledger(opened) == [("wanted", None)]
        for _ in range(4):
            await opened.live(1)
        assert await ledger(opened) == [("succeeded", None)]
        assert shipment in [charge.shipment_id for charge in opened.simulator.world.ledger.charges]


async def test_many_that_somebody_buys_are_looked_at_by_one_list_and_forged_ones_with_them(
    database: ManagedDatabase,
) -> None:
    async with shop(database) as opened:
        genuine = [await bought_in_the_panel(opened) for _ in range(5)]
        await confirm(opened, *map(ShipmentId, range(1, 91)), *genuine)
        calls = asked(opened)
        await opened.live(3)
        assert (await ledger(opened))[-5:] == [("succeeded", "adopted")] * 5
        assert asked(opened) == calls + 1
        for _ in range(20):
            await opened.live(15)
        assert asked(opened) < calls + 6, "and what no list has is forgotten soon"
        assert await is_balanced(opened)


async def test_what_a_read_showed_is_not_asked_for_again(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        shipment = await opened.create()
        await opened.simulator.advance(0.5)
        await opened.pick(shipment)
        await opened.simulator.advance(2)
        opened.arrived.clear()
        await ask(opened, shipment)
        await opened.work()
        assert await ledger(opened) == [("succeeded", "adopted")]
        await ask(opened, shipment)
        assert await ledger(opened) == [("succeeded", "adopted")]
        assert await is_balanced(opened)


async def test_a_shipment_met_on_its_way_is_told_as_bought_where_a_read_shows_it(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        shipment = await opened.create(service="inpost_locker_standard")
        await opened.simulator.advance(30)
        opened.arrived.clear()
        found = opened.simulator.world.shipments.get(shipment)
        assert found is not None
        assert found.status == "taken_by_courier"
        found.offers.clear()
        await ask(opened, shipment)
        await opened.work()
        assert await ledger(opened) == [("succeeded", "adopted")]
        assert await opened.rows("SELECT type FROM facts WHERE type = 'shipment.confirmed'") == ["shipment.confirmed"]
        assert await is_balanced(opened)
        await confirm(opened, shipment)
        assert len(await opened.rows("SELECT 1 FROM facts WHERE type = 'shipment.confirmed'")) == 1, "told once"


async def test_what_is_held_and_then_bought_in_the_panel_is_adopted(database: ManagedDatabase) -> None:
    async with shop(database, "approve") as opened:
        shipment = await opened.create()
        await opened.live(1)
        assert await ledger(opened) == [("held", "approval_required")]
        await opened.pick(shipment)
        await opened.live(2)
        await opened.live(3)
        assert await ledger(opened) == [("succeeded", "adopted")]
        assert await is_balanced(opened)


async def test_a_replay_of_the_confirmation_mends_the_ledger(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        shipment = await bought_in_the_panel(opened)
        await confirm(opened, shipment)
        await opened.change("DELETE FROM purchases")
        assert not await is_balanced(opened)
        [key] = await opened.rows("SELECT id FROM deliveries")
        deliveries = SqlDeliveries(database, Vault(), opened.inbox)
        await database.write(lambda transaction: deliveries.reopen(transaction, key))
        [reopened] = await opened.rows("SELECT reopened_at FROM deliveries")
        assert reopened is not None, "it waits since now, not since it came"
        await opened.project()
        await opened.live(3)
        assert await ledger(opened) == [("succeeded", "adopted")]
        assert await is_balanced(opened)


async def test_what_was_confirmed_before_this_version_is_adopted_by_its_migration(database: ManagedDatabase) -> None:
    [migration] = [one for one in migrations(database.dialect) if one.name == "0005_retention"]
    [backfill] = [one for one in migration.statements if one.startswith("INSERT INTO purchases")]
    async with shop(database) as opened:
        for shipment in (1, 2, 3):
            await confirm(opened, ShipmentId(shipment))
        await opened.change("DELETE FROM purchases WHERE shipment = 1")
        await opened.change("UPDATE purchases SET state = 'held', reason = 'approval_required' WHERE shipment = 2")
        await opened.change("UPDATE purchases SET state = 'doubt', reason = NULL WHERE shipment = 3")
        await opened.change(backfill)
        assert await opened.rows("SELECT organization, shipment, state, reason FROM purchases ORDER BY shipment") == [
            (4821, 1, "succeeded", "adopted_by_webhook"),
            (4821, 2, "succeeded", "adopted_by_webhook"),
            (4821, 3, "doubt", None),
        ]
        assert await is_balanced(opened)


def test_a_state_is_either_live_or_bought_or_adopted_from() -> None:
    in_hand = "steered"  # whoever has it in hand reads it itself
    assert set(PurchaseState) == {*LIVE, *ENDED, "succeeded", in_hand}
