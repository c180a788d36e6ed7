"""Purchases that are wanted on one database, hands that take them, and a look at what is written down of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel

from bridge.events.catalogue import Money
from bridge.events.cloudevents import Envelope
from bridge.events.shipment import ShipmentState
from bridge.model import DeliveryId, Fact, IntentId, OfferId, OrganizationId, PurchaseWork, ShipmentId
from bridge.store import budget
from bridge.store.connections import SqlConnections, shipx
from bridge.store.database import Database
from bridge.store.decisions import Decided
from bridge.store.facts import Recorder
from bridge.store.journal import Note
from bridge.store.outlook import Errand, Take
from bridge.store.purchase import Purchase, PurchaseState, Step
from bridge.store.purchases import Decide, Intent, SqlPurchases
from bridge.store.wanting import want
from tests.support.purchases import taken

NOW: Final = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
"""One o'clock in Poland."""
ORGANIZATION, OTHER = OrganizationId(4821), OrganizationId(4822)
SECOND: Final = 1_000_000
NONE: Final = (0, Decimal(0))
"""What is spent where nothing stands."""
ALL: Final = tuple(Take(errand, 1000) for errand in Errand)


class Nothing(BaseModel):
    """What the events of these tests carry."""


def pln(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="PLN")


class Wants:
    """What is wanted on a database. Times are seconds from NOW; leases go by the database's own clock."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.store = self.hand("one")

    def hand(self, name: str) -> SqlPurchases:
        return SqlPurchases(self.database, Recorder(Envelope("test")), name)

    async def want(
        self, *shipments: int, left: float = 200, organization: OrganizationId = ORGANIZATION, **columns: object
    ) -> None:
        """Want purchases, each a second longer than the one before, and let them stand in another way if need be."""
        first = NOW + timedelta(seconds=left)
        work = [
            PurchaseWork(organization, ShipmentId(one), first + timedelta(seconds=n), DeliveryId("delivery"))
            for n, one in enumerate(shipments)
        ]
        await self.database.write(lambda transaction: want(transaction, work, min(NOW, first)))
        for shipment in shipments:
            await self.change(shipment, **columns)

    async def change(self, shipment: int, **columns: object) -> None:
        """Change a row by hand."""
        if columns:
            sql = f"UPDATE purchases SET {', '.join(f'{name} = ?' for name in columns)} WHERE shipment = ?"
            await self.database.write(lambda transaction: transaction.run(sql, [*columns.values(), shipment]))

    async def pass_time(self, seconds: float) -> None:
        """Let every lease be older."""
        sql = "UPDATE purchases SET held_until = held_until - ? WHERE held_until > 0"
        await self.database.write(lambda transaction: transaction.run(sql, (round(seconds * SECOND),)))

    async def take(self, *takes: Take, hand: SqlPurchases | None = None, later: float = 0) -> list[Purchase]:
        """Take what is due, all of it unless said otherwise."""
        return await taken(hand or self.store, NOW + timedelta(seconds=later), *(takes or ALL))

    async def rows(self, sql: str) -> list[Any]:
        found = await self.database.read(lambda transaction: transaction.run(sql))
        return [row[0] if len(row) == 1 else tuple(row) for row in found]

    async def spent(self, now: datetime = NOW) -> tuple[int, Decimal]:
        """Give how many purchases stand for the day, and what they cost in PLN."""
        n, by = await self.database.read(lambda transaction: budget.spent(transaction, ORGANIZATION, now))
        return n, by.get("PLN", Decimal(0))

    async def pause(self, organization: OrganizationId = ORGANIZATION) -> None:
        connections = SqlConnections(self.database, Recorder(Envelope("test")))
        await connections.prepare([shipx(organization)])
        assert await self.database.write(
            lambda transaction: connections.pause(transaction, shipx(organization), reason="operator", by="somebody")
        )

    async def resume(self) -> None:
        connections = SqlConnections(self.database, Recorder(Envelope("test")))
        assert await self.database.write(lambda transaction: connections.resume(transaction, shipx(ORGANIZATION)))


def to(purchase: Purchase, state: PurchaseState, **changes: Any) -> tuple[Purchase, Decide]:
    """Give a step that leads there."""
    return purchase, _with_all(replace(purchase, state=state, **changes))


def intents(purchases: Iterable[Purchase], *prices: Money | None) -> Sequence[Intent]:
    """Give intents of purchases at these prices."""
    return [_intent(one, price) for one, price in zip(purchases, prices, strict=True)]


def numbers(purchases: Iterable[Purchase]) -> list[int]:
    return [one.shipment for one in purchases]


def _intent(purchase: Purchase, price: Money | None) -> Intent:
    intended = replace(
        purchase,
        state=PurchaseState.intended,
        intent=IntentId(f"intent-{purchase.shipment}"),
        offer=OfferId(1000 + purchase.shipment),
        send_before=NOW + timedelta(seconds=5),
        left_by=NOW + timedelta(seconds=15),
    )
    return Intent(intended, _with_all(intended), price)


def _with_all(after: Purchase) -> Decide:
    """Give a decision with everything that can go with one: a fact, a state, what it was made from, and a note."""
    noted = replace(after, note=Note("read", "nothing", "wanted"))
    fact = Fact(after.subject, "shipment.status_changed", after.state, NOW, Nothing(), "facet")
    decided = Decided(after.organization, after.shipment, NOW, after.intent, "0" * 64, "{}")
    return lambda known: Step(noted, (fact,), known or ShipmentState(), decided)
