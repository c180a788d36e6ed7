"""`shipments.backfill`: everything since a date, page after page, and by whoever goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bridge.commands.models import Backfill
from bridge.errors import CarrierUnavailable, Interrupted
from bridge.lifecycle import Stop
from bridge.limits.connection import Purpose
from bridge.model import ClaimedCommand, CommandState, OrganizationId, Outcome, Progress
from bridge.reconciling.backfill import Backfilled
from bridge.store.database import ManagedDatabase
from tests.contract.store.round import ORGANIZATION, Round, rounds
from tests.support.hand import Told

HOUR = 3600


class Failing:
    """The list gives no answer so many times, and then it does."""

    def __init__(self, stage: Round, times: int) -> None:
        self._stage = stage
        self._times = times

    async def created_since(self, *asked: Any) -> Any:
        self._times -= 1
        if self._times >= 0:
            raise CarrierUnavailable("not_now", status=503)
        return await self._stage.client.created_since(*asked)


async def backfill(
    stage: Round,
    told: Told | None = None,
    progress: Progress | None = None,
    carrier: Any = None,
    organizations: tuple[int, ...] = (),
    wait_s: float = 0.001,
) -> Outcome:
    handle = Backfilled({ORGANIZATION: carrier or stage.client}, stage.learning, lambda: stage.now, Stop(), wait_s)
    body = Backfill(since=stage.now - timedelta(days=2), organizations=organizations).canonical
    claimed = ClaimedCommand("shipments.backfill", "backfill-1", "tests", body, 1, progress or Progress())
    return await handle(claimed, told or Told(stage.database))


async def history(stage: Round, parcels: int) -> None:
    """Let parcels be created, bought and delivered while the bridge is not there."""
    for number in range(parcels):
        shipment = await stage.create()
        await stage.live(1, 1, asks=False)
        if number % 2:
            await stage.buy(shipment)
    await stage.live(3 * HOUR, 600, asks=False)


async def test_what_happened_before_is_told_once_and_follows_from_the_command(database: ManagedDatabase) -> None:
    async with rounds(database) as stage:
        await history(stage, 10)
        outcome = await backfill(stage)
        assert outcome.state is CommandState.done
        assert outcome.result == {
            "organizations": [ORGANIZATION],
            "shipments": 10,
            "facts": {
                "shipment.offers_prepared": 5,
                "shipment.confirmed": 5,
                "shipment.tracking_number_assigned": 5,
                "shipment.status_changed": 5,
            },
        }
        assert await stage.rows("SELECT DISTINCT delivery FROM events") == ["backfill-1"]
        again = await backfill(stage)
        assert again.result == {"organizations": [ORGANIZATION], "shipments": 10, "facts": {}}
        assert set(stage.permits.purposes) == {Purpose.tracking}


async def test_windows_that_were_over_long_ago_are_not_bought_in(database: ManagedDatabase) -> None:
    async with rounds(database) as stage:
        await history(stage, 4)
        await backfill(stage)
        assert await stage.wanted() == []
        late = await stage.create()
        await stage.live(1, 1, asks=False)
        await backfill(stage)
        assert await stage.wanted() == [late]


async def test_what_is_not_over_is_asked_about_from_then_on(database: ManagedDatabase) -> None:
    async with rounds(database) as stage:
        await history(stage, 4)
        await backfill(stage)
        assert set((await stage.watched()).values()) == {"tracking"}
        assert len(await stage.watched()) == 2, "the delivered ones are over"


async def test_who_goes_on_begins_where_the_one_before_was(database: ManagedDatabase) -> None:
    async with rounds(database) as stage:
        for _ in range(13):
            for _ in range(20):
                await stage.create()
            await stage.live(1, 1, asks=False)
        told = Told(database, interrupt_after=1)
        with pytest.raises(Interrupted):
            await backfill(stage, told)
        assert 0 < (told.progress[-1].share or 0) <= 1
        calls = len(stage.permits.purposes)
        outcome = await backfill(stage, progress=told.progress[-1])
        assert len(stage.permits.purposes) - calls == 2
        assert len(await stage.watched()) == 260
        assert outcome.state is CommandState.done


async def test_a_carrier_that_is_away_for_a_while_is_waited_for(database: ManagedDatabase) -> None:
    async with rounds(database) as stage:
        await history(stage, 2)
        outcome = await backfill(stage, carrier=Failing(stage, 5))
        assert outcome.state is CommandState.done


async def test_a_carrier_that_stays_away_is_said_with_where_to_go_on(database: ManagedDatabase) -> None:
    async with rounds(database) as stage:
        outcome = await backfill(stage, carrier=Failing(stage, 100))
        assert outcome.state is CommandState.failed
        assert f"--since {(stage.now - timedelta(days=2)).isoformat()}" in (outcome.error or "")


async def test_an_organization_that_cannot_be_asked_is_rejected(database: ManagedDatabase) -> None:
    async with rounds(database) as stage:
        outcome = await backfill(stage, organizations=(OrganizationId(1),))
        assert outcome.state is CommandState.rejected
        assert "no token for organization 1" in (outcome.error or "")
