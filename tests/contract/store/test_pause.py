"""A pause that comes between a purchase's permit and its intent, the same on every database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bridge.events.cloudevents import Envelope
from bridge.limits.connection import Outcome, Purpose, Verdict
from bridge.model import ShipmentId
from bridge.store.connections import SqlConnections, shipx
from bridge.store.database import ManagedDatabase
from bridge.store.facts import Recorder
from bridge.store.journal import entries
from bridge.store.outlook import Errand, Take
from bridge.store.purchase import Step
from tests.contract.store.shop import ORGANIZATION, Shop, shop
from tests.support.permits import FreePermit, FreePermits
from tests.support.purchases import taken

NAME = shipx(ORGANIZATION)
TOLD = "SELECT DISTINCT type FROM events WHERE type LIKE 'shipment.purchase%' OR type = 'shipment.offer_selected'"
PURCHASE = "SELECT state, intent_id, offer_id, send_before FROM purchases"


class Operator(FreePermits):
    """Somebody who pauses the connection as soon as a permit to buy is given out, once."""

    def __init__(self, database: ManagedDatabase) -> None:
        super().__init__()
        self._database = database
        self.connections = SqlConnections(database, Recorder(Envelope("test")))
        self.is_to_pause = True

    @asynccontextmanager
    async def permit(self, purpose: Purpose, patience_s: float) -> AsyncIterator[FreePermit]:
        async with super().permit(purpose, patience_s) as permit:
            if purpose is Purpose.buy and self.is_to_pause:
                self.is_to_pause = False
                await self.pause()
            yield permit

    async def pause(self) -> None:
        assert await self._database.write(
            lambda transaction: self.connections.pause(transaction, NAME, reason="operator", by="somebody")
        )

    async def resume(self) -> None:
        assert await self._database.write(lambda transaction: self.connections.resume(transaction, NAME))


@asynccontextmanager
async def paused_late(database: ManagedDatabase) -> AsyncIterator[tuple[Shop, Operator]]:
    """Open a shop whose connection is paused between the first permit to buy and the intent."""
    operator = Operator(database)
    await operator.connections.prepare([NAME])
    async with shop(database, permits=operator) as opened:
        yield opened, operator


def asked(opened: Shop) -> int:
    """Count the purchases that the carrier was asked for."""
    return sum(call.path.endswith("/buy") for call in opened.simulator.world.calls.after(0))


async def last_note(opened: Shop, shipment: ShipmentId) -> tuple[str, str, str, str | None]:
    """Give the last step as the journal has it: what was done, what followed, what it is now, and why."""
    last = (await opened.database.read(lambda it: entries(it, ORGANIZATION, shipment)))[-1]
    return last.note.what, last.note.result, last.after, last.reason


async def test_a_pause_after_the_permit_stops_a_purchase_before_its_intent(database: ManagedDatabase) -> None:
    async with paused_late(database) as (opened, operator):
        shipment = await opened.create()
        for _ in range(5):
            await opened.live(2)
        assert not operator.is_to_pause, "it got as far as its permit"
        assert await opened.rows(PURCHASE) == [("wanted", None, None, None)]
        assert await last_note(opened, shipment) == ("read", "buy", "wanted", "paused")
        assert (await opened.rows(TOLD), asked(opened)) == ([], 0)
        assert operator.outcomes[-1] == Outcome(Verdict.unused)


async def test_what_a_late_pause_stopped_is_bought_once_when_it_is_over(database: ManagedDatabase) -> None:
    async with paused_late(database) as (opened, operator):
        shipment = await opened.create()
        for _ in range(5):
            await opened.live(2)
        await operator.resume()
        for _ in range(5):
            await opened.live(2)
        assert await opened.rows("SELECT state FROM purchases") == ["succeeded"]
        assert [one.shipment_id for one in opened.simulator.world.ledger.charges] == [shipment]
        assert asked(opened) == 1


async def test_a_pause_does_not_undo_an_intent_that_was_written_before(database: ManagedDatabase) -> None:
    async with paused_late(database) as (opened, operator):
        operator.is_to_pause = False
        await opened.create()
        for _ in range(5):
            await opened.live(2)
        await opened.change("UPDATE purchases SET state = 'intended', held_until = 0, due_at = 0")
        await operator.pause()
        [claimed] = await taken(opened.purchases, opened.now, Take(Errand.settle, 1))
        assert await opened.purchases.step([(claimed, lambda known: Step(claimed))], opened.now) == [claimed]
        assert await opened.rows("SELECT state FROM purchases") == ["intended"]
