"""A paused account is tried with one purchase that is really for sale, however many ids are forged meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice

import pytest
import structlog

from bridge.events.cloudevents import Envelope
from bridge.limits.pause import AccountReason
from bridge.model import ShipmentId
from bridge.store.facts import Recorder
from bridge.store.refusals import pause_account
from tests.unit.purchasing.stage import ORGANIZATION, Stage
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time

EVERY_S = 10
EACH = 20
FORGED = map(ShipmentId, count(1))
FUNDS = AccountReason.debt_collection


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield


async def pause(stage: Stage) -> None:
    """Let the carrier have refused the whole account, for a reason that is gone by now."""
    recorder = Recorder(Envelope("test"))
    assert await stage.write(lambda it: pause_account(it, recorder, ORGANIZATION, FUNDS))


async def forge(stage: Stage, seconds: float) -> bool:
    """Let somebody ask for shipments that are none, again and again; say whether the pause ended meanwhile."""
    for _ in range(round(seconds / EVERY_S)):
        stage.want(*islice(FORGED, EACH), cause="forged")
        await pass_time(EVERY_S)
        if (await stage.connection()).pause is None:
            return True
    return False


async def kept_back(stage: Stage) -> ShipmentId:
    """Have a purchase that failed for want of funds, which are there again."""
    shipment = await stage.create()
    stage.want(shipment)
    process = stage.start(mode="approve")
    assert await stage.settled(shipment) == "held"
    await process.end()
    stage.processes.clear()
    await stage.write(lambda it: it.run("UPDATE purchases SET state = 'failed', reason = 'insufficient_funds'"))
    return shipment


def test_what_a_read_has_shown_before_is_tried_whatever_is_forged() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await kept_back(stage)
            await pause(stage)
            stage.start()
            assert await forge(stage, 180)
            assert await stage.settled(shipment) == "succeeded"
            assert stage.charges() == [shipment]

    in_virtual_time(story())


def test_where_no_read_has_shown_any_a_list_says_which_are_none() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            await pause(stage)
            stage.want(*islice(FORGED, EACH), cause="forged")
            shipment = await stage.create()
            stage.want(shipment)
            stage.start()
            assert await forge(stage, 120)
            assert await stage.settled(shipment) == "succeeded"

    in_virtual_time(story())


def test_a_try_reads_few_and_buys_one() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            await pause(stage)
            shipments = [await stage.create() for _ in range(6)]
            stage.want(*islice(FORGED, EACH), *shipments)
            stage.note_calls_of_the_merchant()
            stage.start()
            while not stage.charges():
                await pass_time(0.1)
            calls = list(stage.simulator.world.calls.after(stage.calls_of_the_merchant))
            methods = [call.method for call in calls]
            assert methods == ["GET", "GET", "POST", "GET"], "a list, a read, a purchase, and a read that shows it"

    in_virtual_time(story())


def test_candidates_that_are_not_for_sale_end_no_try() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            await pause(stage)
            gone = [await stage.create() for _ in range(2)]
            shipment = await stage.create()
            for one in gone:
                await stage.merchant.delete(f"/v1/shipments/{one}")
            stage.want(*gone)
            await pass_time(5)
            stage.want(shipment)
            stage.start()
            await pass_time(70)
            assert [stage.state(one) for one in gone] == ["not_ours"] * 2
            assert stage.state(shipment) == "succeeded", "by the first try"

    in_virtual_time(story())
