"""Shipments that are due are read by few calls; what the carrier does not list is read alone, within bounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.errors import CarrierRefused, CarrierUnavailable, NoPermit
from bridge.events.cloudevents import Envelope
from bridge.lifecycle import Stop
from bridge.limits.connection import Purpose
from bridge.model import ShipmentId
from bridge.observability import Metrics
from bridge.purchasing.shipment import Shipment
from bridge.reconciling.learning import Learning
from bridge.reconciling.pace import Pace
from bridge.reconciling.sweeping import Sweeping
from bridge.store.facts import Recorder
from bridge.store.sqlite import SqliteDatabase
from bridge.store.sweeps import SqlSweeps
from bridge.store.watched import Phase
from tests.support.migrated import migrated
from tests.unit.reconciling.shipments import NOW, ORGANIZATION, Carrier, offer, shipment

SOON = timedelta(seconds=7)


class Stage:
    """One organization's sweep, over a database."""

    def __init__(self, database: SqliteDatabase) -> None:
        self.database = database
        self.now = NOW
        self.metrics = Metrics()
        pace = Pace(timedelta(seconds=15), timedelta(minutes=30))
        self.sweeps = SqlSweeps(database, Recorder(Envelope("test")), pace)
        self.wanted = 0
        self.learning = Learning(
            self.sweeps,
            metrics=self.metrics,
            clock=lambda: self.now,
            on_events=lambda: None,
            on_wanted=self._on_wanted,
        )
        self.carrier = Carrier()
        self.sweeping = self._sweeping(self.carrier)

    def _on_wanted(self) -> None:
        self.wanted += 1

    def _sweeping(self, carrier: Carrier) -> Sweeping:
        return Sweeping(
            ORGANIZATION,
            carrier=carrier,  # type: ignore[arg-type] # it neither buys nor edits
            sweeps=self.sweeps,
            learning=self.learning,
            metrics=self.metrics,
            clock=lambda: self.now,
            stop=Stop(),
            heard_since=None,
        )

    async def watch(self, *shipments: Shipment) -> None:
        """Have these read, from now on in 15 s; the carrier knows them."""
        await self.learning.take(ORGANIZATION, shipments)
        self.carrier.known |= {one.id: one for one in shipments}
        self.now += timedelta(seconds=15)

    async def sweep(self, phase: Phase = Phase.open) -> None:
        await self.sweeping.sweep(phase, SOON)

    async def rows(self, sql: str) -> list[tuple[object, ...]]:
        return await self.database.read(lambda it: it.run(sql))

    def skipped(self) -> float:
        return self.metrics.registry.get_sample_value("bridge_sweep_reads_skipped_total", {"phase": "open"}) or 0


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    database = SqliteDatabase(migrated(tmp_path / "bridge.db"))
    await database.open()
    yield Stage(database)
    await database.close()


def many(number: int, status: str = "created") -> list[Shipment]:
    return [shipment(one, status) for one in range(1, number + 1)]


async def test_calls_grow_while_all_of_their_shipments_come(stage: Stage) -> None:
    await stage.watch(*many(250))
    await stage.sweep()
    assert stage.carrier.together == [20, 40, 80, 100, 10]
    assert stage.carrier.alone == []
    assert set(stage.carrier.purposes) == {Purpose.sweep}


async def test_one_that_is_due_alone_is_read_alone(stage: Stage) -> None:
    await stage.watch(*many(1))
    await stage.sweep()
    assert (stage.carrier.together, stage.carrier.alone) == ([], [1])


async def test_nothing_is_read_before_its_time(stage: Stage) -> None:
    await stage.watch(*many(5))
    stage.now -= timedelta(seconds=10)
    await stage.sweep()
    assert stage.carrier.purposes == []


async def test_what_the_list_leaves_out_is_read_alone(stage: Stage) -> None:
    await stage.watch(*many(15))
    stage.carrier.listed = lambda one: None if one.id == 3 else one
    await stage.sweep()
    assert stage.carrier.alone == [3]


async def test_what_the_list_shows_without_its_offers_is_read_alone(stage: Stage) -> None:
    await stage.watch(*many(15))
    stage.carrier.known[ShipmentId(3)] = shipment(3, offers=[offer()])
    stage.carrier.listed = lambda one: replace(one, offers=())
    await stage.sweep()
    assert stage.carrier.alone == [3]
    assert await stage.rows("SELECT shipment, state FROM purchases") == [(3, "wanted")]
    assert stage.wanted == 1


async def test_forged_ids_cost_a_share_of_the_reads_and_keep_nobody_waiting(stage: Stage) -> None:
    await stage.watch(*many(60))
    real = shipment(60, "confirmed")
    stage.carrier.known = {real.id: real}
    stage.carrier.listed = lambda _: None
    rounds = []
    for _ in range(8):
        before = len(stage.carrier.alone)
        await stage.sweep()
        rounds.append(len(stage.carrier.alone) - before)
        stage.now += timedelta(seconds=15)
    assert max(rounds) == 10
    assert 60 in stage.carrier.alone
    forged = Counter(one for one in stage.carrier.alone if one != real.id)
    assert set(forged.values()) == {1}, "what is not known is asked for less and less often"


@pytest.mark.parametrize(
    "error", [CarrierUnavailable("not_now", status=503), NoPermit("no_turn"), CarrierRefused("forbidden", status=403)]
)
async def test_what_cannot_be_read_is_counted_and_stays_due(
    stage: Stage, error: CarrierUnavailable | CarrierRefused
) -> None:
    await stage.watch(*many(30))
    stage.carrier.fails = lambda _: error
    await stage.sweep()
    assert (len(stage.carrier.purposes), stage.skipped()) == (1, 20)
    stage.carrier.fails = lambda _: None
    await stage.sweep()
    assert sum(stage.carrier.together[1:]) == 30


async def test_a_list_that_is_refused_is_asked_for_by_halves(stage: Stage) -> None:
    await stage.watch(*many(30))
    stage.carrier.fails = lambda _: CarrierRefused("validation_failed", status=400)
    for _ in range(5):
        await stage.sweep()
    assert stage.carrier.together == [20, 10, 5, 2]
    assert len(stage.carrier.alone) == 3


async def test_what_was_asked_for_one_by_one_is_asked_for_by_lists_again(stage: Stage) -> None:
    await stage.watch(*many(30))
    stage.carrier.fails = lambda _: CarrierRefused("validation_failed", status=400)
    for _ in range(4):
        await stage.sweep()
    stage.carrier.fails = lambda _: None
    before = len(stage.carrier.together)
    await stage.sweep()
    assert len(stage.carrier.alone) == 10
    stage.now += timedelta(seconds=15)
    await stage.sweep()
    assert stage.carrier.together[before:] == [2, 4, 8, 16]


UNREAD = [
    CarrierRefused("forbidden", status=403),
    CarrierUnavailable("unreadable"),
    CarrierUnavailable("not_now", status=503),
]


@pytest.mark.parametrize("error", UNREAD)
async def test_one_that_cannot_be_read_keeps_no_other_from_it_and_leads_no_round(
    stage: Stage, error: CarrierUnavailable | CarrierRefused
) -> None:
    await stage.watch(*many(40))
    stage.carrier.listed = lambda one: None if one.id in {3, 4, 5} else one
    stage.carrier.fails = lambda call: error if call == 2 else None
    await stage.sweep()
    assert (stage.carrier.alone, stage.carrier.together, stage.skipped()) == ([3, 4, 5], [20, 20], 1)
    stage.now += timedelta(seconds=8)
    due = await stage.sweeps.due(ORGANIZATION, Phase.open, stage.now, 10)
    assert list(due) == [3], "it is asked about again, behind all that were due"


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        *((error, 3) for error in UNREAD),
        (NoPermit("no_turn"), 1),
        (CarrierRefused("too_many_requests", status=429), 1),
        (CarrierUnavailable("not_now", status=429), 1),
    ],
)
async def test_several_in_a_row_that_cannot_be_read_end_the_round_and_no_permit_does_at_once(
    stage: Stage, error: CarrierUnavailable | CarrierRefused, asked: int
) -> None:
    await stage.watch(*many(40))
    stage.carrier.listed = lambda _: None
    stage.carrier.fails = lambda call: error if call > 1 else None
    await stage.sweep()
    assert (len(stage.carrier.alone), len(stage.carrier.together)) == (asked, 1)


async def test_the_longest_overdue_goes_first(stage: Stage) -> None:
    await stage.watch(*many(30))
    stage.carrier.fails = lambda call: None if call == 1 else CarrierUnavailable("not_now")
    await stage.sweep()
    stage.now += timedelta(seconds=15)
    before = await stage.rows("SELECT shipment FROM sweeps ORDER BY due_at, shipment LIMIT 10")
    stage.carrier.fails = lambda _: None
    found = await stage.sweeps.due(ORGANIZATION, Phase.open, stage.now, 10)
    assert sorted(found) == sorted(int(str(row[0])) for row in before)
