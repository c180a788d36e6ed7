"""Orders to couriers in the database: kept with their facts in one commit, each of one command alone."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bridge.dispatch.keeping import Keeping
from bridge.dispatch.pace import Pace
from bridge.events.cloudevents import Envelope
from bridge.model import DispatchOrderId, OrganizationId
from bridge.store import dispatches
from bridge.store.database import ManagedDatabase, Row
from bridge.store.dispatches import Kept, Wanted
from bridge.store.facts import Recorder
from bridge.store.story import sources, story
from tests.unit.dispatch.making import ORDER, OURS, SHIPMENTS, T0, after, found

OTHERS = OrganizationId(4822)


class Desk:
    """Keeps orders in a database; the time is what it is said to be."""

    def __init__(self, database: ManagedDatabase) -> None:
        self.database = database
        self.now = T0
        pace = Pace(timedelta(seconds=15), timedelta(seconds=1800))
        self.keeping = Keeping(database, Recorder(Envelope("test")), pace, lambda: self.now, self._ring)
        self.rings = 0

    def _ring(self) -> None:
        self.rings += 1

    async def join(self, command: str = "one", organization: OrganizationId = OURS) -> Kept | None:
        return await self.database.write(
            lambda it: self.keeping.join(it, organization, found("new"), command, SHIPMENTS)
        )

    async def kept(self) -> Kept:
        [one] = await self.database.read(lambda it: dispatches.find(it, ORDER, [OURS]))
        return one

    async def events(self) -> list[Row]:
        sql = "SELECT type, sequence, routing_key FROM events ORDER BY position"
        return await self.database.read(lambda it: it.run(sql))

    async def page(self, wanted: Wanted, limit: int = 10) -> list[tuple[int, int]]:
        found = await self.database.read(lambda it: dispatches.page(it, wanted, limit))
        return [(one.organization, one.id) for one in found]


async def test_an_order_is_kept_as_it_was_written_down(database: ManagedDatabase) -> None:
    desk = Desk(database)
    joined = await desk.join()
    assert joined is not None
    assert await desk.kept() == joined
    assert (joined.shipments, joined.command, joined.due_at) == (SHIPMENTS, "one", after(15))
    assert await desk.keeping.kept(joined.organization, joined.id) == joined
    assert await desk.keeping.kept(OrganizationId(4822), joined.id) is None
    assert await desk.events() == [("dispatch_order.created", 1, "shipx.dispatch_order.created")]


async def test_an_order_is_of_one_command_alone(database: ManagedDatabase) -> None:
    desk = Desk(database)
    joined = await asyncio.gather(*(desk.join(f"command-{number}") for number in range(4)))
    assert sum(one is not None for one in joined) == 1
    assert len(await desk.events()) == 1
    other = DispatchOrderId(ORDER + 1)
    assert await desk.keeping.claimed(OURS, [ORDER, other]) == {ORDER}
    assert await desk.keeping.claimed(OURS, []) == set()


async def test_what_reads_bring_is_told_in_order_and_once(database: ManagedDatabase) -> None:
    desk = Desk(database)
    await desk.join()
    for status, at in [("new", 15), ("sent", 45), ("sent", 60), ("done", 90)]:
        desk.now = after(at)
        await asyncio.gather(*(desk.keeping.take(OURS, found(status)) for _ in range(3)))
    assert [(kind, sequence) for kind, sequence, _ in await desk.events()] == [
        ("dispatch_order.created", 1),
        ("dispatch_order.status_changed", 2),
        ("dispatch_order.status_changed", 3),
    ]
    kept = await desk.kept()
    assert ([one.word for one in kept.statuses], kept.state, kept.due_at) == (["new", "sent", "done"], "done", None)


async def test_only_what_is_due_is_asked_about(database: ManagedDatabase) -> None:
    desk = Desk(database)
    await desk.join()
    await desk.join("other", OTHERS)
    assert await desk.keeping.due(OURS, after(14), 10) == []
    assert await desk.keeping.due(OURS, after(15), 10) == [ORDER]
    await desk.keeping.put_off(OURS, ORDER, after(60))
    assert await desk.keeping.due(OURS, after(59), 10) == []
    desk.now = after(60)
    await desk.keeping.take(OURS, found("canceled"))
    await desk.keeping.put_off(OURS, ORDER, after(60))
    assert await desk.keeping.due(OURS, after(10**6), 10) == []


async def test_what_the_carrier_does_not_know_is_gone_after_a_day(database: ManagedDatabase) -> None:
    desk = Desk(database)
    await desk.join()
    for at in (60, 120, 86_460):
        desk.now = after(at)
        await desk.keeping.miss(OURS, ORDER)
    kept = await desk.kept()
    assert (kept.state, kept.misses, kept.due_at) == ("gone", 3, None)
    assert [kind for kind, _, _ in await desk.events()] == ["dispatch_order.created", "dispatch_order.failed"]
    await desk.keeping.miss(OURS, DispatchOrderId(1))


async def test_orders_are_listed_by_what_is_wanted_page_after_page(database: ManagedDatabase) -> None:
    desk = Desk(database)
    await desk.join()
    await desk.join("other", OTHERS)
    assert await desk.page(Wanted()) == [(OTHERS, ORDER), (OURS, ORDER)]
    assert await desk.page(Wanted(), 1) == [(OTHERS, ORDER)]
    assert await desk.page(Wanted(before=(OTHERS, ORDER))) == [(OURS, ORDER)]
    assert await desk.page(Wanted(organizations=frozenset({OURS}))) == [(OURS, ORDER)]
    assert await desk.page(Wanted(shipment=SHIPMENTS[1], state="open")) == [(OTHERS, ORDER), (OURS, ORDER)]
    assert await desk.page(Wanted(state="done")) == []
    assert await desk.page(Wanted(shipment=SHIPMENTS[1].__class__(1))) == []
    assert len(await database.read(lambda it: dispatches.find(it, ORDER))) == 2


async def test_the_story_of_a_shipment_names_who_comes_for_it(database: ManagedDatabase) -> None:
    desk = Desk(database)
    joined = await desk.join()
    name = f"dispatch_order/{ORDER}"
    assert await database.read(lambda it: sources(it, name)) == [f"/shipx/{OURS}"]
    told = await database.read(lambda it: story(it, f"/shipx/{OURS}", name))
    of_shipment = await database.read(lambda it: story(it, f"/shipx/{OURS}", f"shipment/{SHIPMENTS[0]}"))
    assert list(told.couriers) == list(of_shipment.couriers) == [joined]
    assert [one.type for one in told.events] == ["dispatch_order.created"]
