"""Shipments that nobody told of are found in the carrier's list, however late and changing it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bridge import ports
from bridge.errors import CarrierUnavailable
from bridge.limits.connection import Purpose
from bridge.model import ShipmentId
from bridge.ports import Page
from bridge.reconciling.discovery import Discovery
from bridge.store.database import ManagedDatabase
from tests.contract.store.round import ORGANIZATION, Round, rounds
from tests.unit.reconciling.shipments import NOW, Carrier, created, offer, shipment

LATE: dict[str, Any] = {"delays": {"list_lag": 5.4}}


async def known(stage: Round) -> set[int]:
    return set(await stage.watched())


async def test_a_shipment_that_the_list_shows_after_a_younger_one_is_found_by_the_overlap(
    database: ManagedDatabase,
) -> None:
    async with rounds(database) as stage:
        late, young = (shipment(number, "created", created_at=stage.now) for number in (1, 2))
        carrier = Carrier(late, young, listed=lambda one: None if one.id == late.id else one)
        discovery = another(stage, carrier)
        await discovery.look()
        assert await known(stage) == {young.id}
        carrier.listed = lambda one: one
        await stage.live(90, asks=False)
        await discovery.look()
        assert await known(stage) == {late.id, young.id}


async def test_what_cannot_be_read_keeps_nothing_else_from_being_found(database: ManagedDatabase) -> None:
    async with rounds(database, **LATE) as stage:
        carrier = Carrier(shipment(1, "created", created_at=stage.now))
        carrier.unread = 1
        await another(stage, carrier).look()
        assert await known(stage) == {1}


async def test_hundreds_that_were_made_while_nobody_looked_are_all_found(database: ManagedDatabase) -> None:
    async with rounds(database, **LATE) as stage:
        made = set()
        for _ in range(23):
            made |= {await stage.create() for _ in range(10)}
            await stage.live(1, 1, asks=False)
        await stage.live(10, asks=False)
        await stage.discovery.look()
        assert await known(stage) == made
        assert set(await stage.wanted()) == made


async def test_the_list_is_read_on_from_where_it_was_broken_off(database: ManagedDatabase) -> None:
    async with rounds(database, **LATE) as stage:
        made = {await stage.create() for _ in range(120)}
        await stage.live(10, asks=False)
        carrier = OnePage(stage)
        discovery = another(stage, carrier)
        await discovery.look()
        assert len(await known(stage)) == 100
        assert await stage.sweeps.reached(ORGANIZATION) is not None
        await another(stage, carrier).look()
        await stage.discovery.look()
        assert await known(stage) == made


async def test_what_was_found_before_a_restart_is_not_told_again(database: ManagedDatabase) -> None:
    async with rounds(database, **LATE) as stage:
        await stage.create()
        await stage.live(30)
        told = await stage.facts()
        await another(stage, stage.client).look()
        assert await stage.facts() == told


async def test_nothing_older_is_looked_for_by_itself(database: ManagedDatabase) -> None:
    async with rounds(database, **LATE) as stage:
        await stage.create()
        await stage.live(2 * 3600, 600, asks=False)
        await stage.discovery.look()
        assert await known(stage) == set()


async def test_how_far_it_was_read_never_goes_back_nor_beyond_the_present(database: ManagedDatabase) -> None:
    async with rounds(database) as stage:
        ahead = created(1, 0)
        carrier = Carrier(ahead)
        await another(stage, carrier).look()
        reached = await stage.sweeps.reached(ORGANIZATION)
        assert reached is not None
        assert reached <= stage.now
        await stage.sweeps.reach(ORGANIZATION, reached - timedelta(hours=1))
        assert await stage.sweeps.reached(ORGANIZATION) == reached


async def test_a_list_without_offers_has_its_shipment_read_alone(database: ManagedDatabase) -> None:
    async with rounds(database) as stage:
        bare = shipment(1, created_at=stage.now)
        await another(stage, Carrier(bare)).look()
        assert await stage.watched() == {1: "open"}
        assert await stage.wanted() == []
        whole = shipment(1, offers=[offer()], changed_at=NOW)
        await stage.learning.take(ORGANIZATION, [whole])
        assert await stage.wanted() == [ShipmentId(1)]


class Listening:
    """The carrier's list, and how urgently each page of it was asked for, from when on."""

    def __init__(self, stage: Round) -> None:
        self._stage = stage
        self.asked: list[tuple[Purpose, timedelta]] = []

    async def created_since(self, since: datetime, page: int, purpose: Purpose = Purpose.sweep) -> Page:
        self.asked.append((purpose, self._stage.now - since))
        return await self._stage.client.created_since(since, page, purpose)


async def test_what_is_new_is_asked_for_before_purchases_are_read_and_what_may_have_been_late_after_all(
    database: ManagedDatabase,
) -> None:
    """A page of new shipments may hold a hundred open windows; once these have passed, each costs several calls."""
    async with rounds(database, **LATE) as stage:
        await stage.create()
        carrier = Listening(stage)
        discovery = another(stage, carrier)
        for _ in range(3):
            await stage.live(30, asks=False)
            await discovery.look()
        assert [purpose for purpose, _ in carrier.asked] == [
            *(Purpose.discover, Purpose.discover, Purpose.sweep, Purpose.discover)
        ]
        assert carrier.asked[2][1] > timedelta(minutes=30) > carrier.asked[3][1]
        assert Purpose.buy < Purpose.discover < Purpose.read
        carrier.asked.clear()
        for _ in range(2):
            await stage.live(6, asks=False)
            await discovery.look()
        assert [purpose for purpose, _ in carrier.asked] == [Purpose.sweep, Purpose.discover], "but not all the time"


class OnePage:
    """Lets the first page of each look be read, and then gives no answer."""

    def __init__(self, stage: Round) -> None:
        self._stage = stage
        self._pages = 0

    async def created_since(self, since: datetime, page: int, purpose: Purpose = Purpose.sweep) -> Page:
        self._pages += 1
        if self._pages > 1:
            raise CarrierUnavailable("not_now")
        return await self._stage.client.created_since(since, page, purpose)


def another(stage: Round, carrier: ports.Discovery) -> Discovery:
    """Begin anew, as another process does."""
    return Discovery(
        ORGANIZATION,
        carrier=carrier,
        sweeps=stage.sweeps,
        learning=stage.learning,
        clock=lambda: stage.now,
        heard_since=None,
    )
