"""What the carrier says is bought comes into the ledger, whoever bought it, and disturbs no purchase of ours."""

from __future__ import annotations

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


async def ask(opened: Shop, shipment: ShipmentId = SHIPMENT, cause: str = "offers") -> None:
    """Ask for a purchase, as the projection of offers does."""
    work = PurchaseWork(ORGANIZATION, shipment, opened.now + timedelta(minutes=5), DeliveryId(cause))
    await opened.database.write(lambda transaction: want(transaction, [work], opened.now))


async def confirm(opened: Shop, shipment: ShipmentId = SHIPMENT, *, second: int = 0) -> Receipt | None:
    """Let the carrier's webhook say that it is bought."""
    accepted = await opened.inbox.accept([arrival("confirmed", shipment=shipment, second=second)])
    await opened.project()
    return accepted.receipts[0]


async def ledger(opened: Shop) -> list[tuple[str, str | None]]:
    return await opened.rows("SELECT state, reason FROM purchases ORDER BY shipment")


async def is_balanced(opened: Shop) -> bool:
    return (await opened.audit(later=61)).is_balanced


async def test_a_confirmation_without_a_purchase_is_adopted(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        await confirm(opened)
        assert await ledger(opened) == [("succeeded", "adopted_by_webhook")]
        [cause] = await opened.rows("SELECT cause FROM purchases")
        assert await opened.rows("SELECT id FROM deliveries") == [cause]
        assert await is_balanced(opened)


@pytest.mark.parametrize("state", ENDED)
async def test_a_purchase_that_ended_unbought_is_adopted_when_the_carrier_confirms_it(
    state: str, database: ManagedDatabase
) -> None:
    async with shop(database) as opened:
        await ask(opened)
        await opened.change(f"UPDATE purchases SET state = '{state}', reason = 'as it was'")
        await confirm(opened)
        assert await ledger(opened) == [("succeeded", "adopted_by_webhook")]
        assert await is_balanced(opened)


@pytest.mark.parametrize("state", [*LIVE, "succeeded"])
async def test_a_webhook_disturbs_no_purchase_in_hand_or_made(state: str, database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        await ask(opened)
        left_by = micros(opened.now)
        await opened.change(f"UPDATE purchases SET state = '{state}', token = 5, left_by = {left_by}, intent_id = 'x'")
        before = await opened.rows("SELECT * FROM purchases")
        await confirm(opened)
        assert await opened.rows("SELECT * FROM purchases") == before
        assert await is_balanced(opened), "what is in hand will be settled by reads"


async def test_a_purchase_that_ends_unbought_after_the_confirmation_is_adopted(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        unknown = SHIPMENT  # to the carrier, so that reads find nothing until the window is over
        await ask(opened, unknown)
        await confirm(opened, unknown)
        assert await ledger(opened) == [("wanted", None)]
        for _ in range(8):
            await opened.live(60)
        assert await ledger(opened) == [("succeeded", "adopted_by_webhook")]
        assert await opened.rows("SELECT state_after FROM journal ORDER BY id DESC LIMIT 1") == ["not_ours"]
        assert await is_balanced(opened)


async def test_what_a_webhook_alone_says_is_decided_anew_where_a_read_is_asked_for(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        shipment = await opened.create()
        await opened.simulator.advance(0.5)
        opened.arrived.clear()
        await confirm(opened, shipment)
        assert await ledger(opened) == [("succeeded", "adopted_by_webhook")], "a forged webhook says so"
        await ask(opened, shipment)
        assert await ledger(opened) == [("wanted", None)]
        for _ in range(4):
            await opened.live(1)
        assert await ledger(opened) == [("succeeded", None)], "and the carrier's own answer says that nobody has"
        assert len(opened.simulator.world.ledger.charges) == 1
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
        assert await ledger(opened) == [("succeeded", "adopted_by_webhook")]
        assert await is_balanced(opened)


async def test_a_replay_of_the_confirmation_mends_the_ledger(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        await confirm(opened)
        await opened.change("DELETE FROM purchases")
        assert not await is_balanced(opened)
        [key] = await opened.rows("SELECT id FROM deliveries")
        deliveries = SqlDeliveries(database, Vault(), opened.inbox)
        await database.write(lambda transaction: deliveries.reopen(transaction, key))
        [reopened] = await opened.rows("SELECT reopened_at FROM deliveries")
        assert reopened is not None, "it waits since now, not since it came"
        await opened.project()
        assert await ledger(opened) == [("succeeded", "adopted_by_webhook")]
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
    assert set(PurchaseState) == {*LIVE, *ENDED, "succeeded"}
