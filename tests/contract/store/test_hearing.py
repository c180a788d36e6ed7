"""Webhooks that do not come are noticed by what had to be asked for, and said once."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from bridge.model import DeliveryId, Parked
from bridge.observability import Metrics
from bridge.reconciling.hearing import warnings
from bridge.store.condition import condition
from bridge.store.database import ManagedDatabase
from bridge.store.hearing import unheard
from tests.contract.store.round import ORGANIZATION, Round, rounds

MINUTE = 60


async def shop(stage: Round, parcels: int) -> None:
    """Create some parcels, and buy them."""
    for _ in range(parcels):
        shipment = await stage.create()
        await stage.live(20)
        if shipment in await stage.wanted():
            await stage.buy(shipment)
    await stage.live(2 * MINUTE)


async def told(stage: Round) -> list[dict[str, Any]]:
    rows = await stage.rows("SELECT body FROM events WHERE type = 'webhook.health_changed' ORDER BY position")
    return [json.loads(bytes(row)) for row in rows]


async def test_silence_is_told_once_with_what_was_missed(database: ManagedDatabase) -> None:
    async with rounds(database, journeys=[]) as stage:
        await shop(stage, 5)
        await stage.live(10 * MINUTE)
        (event,) = await told(stage)
        assert event["type"] == "bridge.webhook.health_changed.v1"
        assert (event["source"], event["subject"]) == ("/shipx/4821", "connection/shipx/4821")
        assert event["data"]["connection"] == "shipx/4821"
        assert (event["data"]["state"], event["data"]["previous_state"]) == ("silent", "healthy")
        assert event["data"]["missed"] >= 3
        assert event["data"]["last_webhook_at"] is None


async def test_an_operator_is_told(database: ManagedDatabase) -> None:
    async with rounds(database, journeys=[]) as stage:
        assert await database.read(unheard) == {}
        await shop(stage, 5)
        found = await database.read(unheard)
        assert list(found) == [ORGANIZATION]
        assert "no webhooks come" in warnings(found)[0]
        assert (await database.read(lambda it: condition(it, stage.now))).unheard == found


async def test_two_that_were_lost_are_no_silence(database: ManagedDatabase) -> None:
    async with rounds(database, journeys=[]) as stage:
        await shop(stage, 2)
        await stage.live(10 * MINUTE)
        assert await told(stage) == []


async def test_webhooks_that_come_within_a_minute_are_not_missed(database: ManagedDatabase) -> None:
    faults = {"webhooks": {"delayed": {"share": 1, "seconds": [30, 50]}}}
    async with rounds(database, hears=True, journeys=[], faults=faults, metrics=Metrics()) as stage:
        await shop(stage, 8)
        await stage.live(5 * MINUTE)
        assert stage.metrics.found_by_poll.labels("shipment.offers_prepared")._value.get() > 0
        assert await told(stage) == []
        assert await stage.rows("SELECT count(*) FROM polled") == [0]


async def test_some_that_are_lost_are_told_as_missing_and_all_is_well_again_after_a_calm_time(
    database: ManagedDatabase,
) -> None:
    async with rounds(database, hears=True, journeys=[]) as stage:
        await shop(stage, 1)
        stage.hears = False
        await shop(stage, 4)
        stage.hears = True
        await shop(stage, 1)
        assert [one["data"]["state"] for one in await told(stage)] == ["silent", "missing"]
        assert (await told(stage))[1]["data"]["last_webhook_at"] is not None
        await stage.live(40 * MINUTE, 15)
        assert [one["data"]["state"] for one in await told(stage)] == ["silent", "missing", "healthy"]
        assert await database.read(unheard) == {}


def parked(reason: str, peer: str, at: datetime, number: int) -> Parked:
    return Parked(DeliveryId(f"{reason}/{peer}/{number}"), reason, ORGANIZATION, peer, at, size=2, body=b"{}")


PARKED = [
    # reason, from, the state
    ("foreign_organization", "91.216.25.7", ["foreign_organization"]),
    ("outside_networks", "10.1.2.3", ["unconfigured_proxy"]),
    ("outside_networks", "91.216.26.7", []),
    ("outside_networks", "unreadable", []),
    ("not_json", "10.1.2.3", []),
]


@pytest.mark.parametrize(("reason", "peer", "states"), PARKED)
async def test_three_that_are_parked_are_told_where_they_show_something(
    database: ManagedDatabase, reason: str, peer: str, states: list[str]
) -> None:
    """No shipment has news, as where nothing can be asked without a token."""
    async with rounds(database, journeys=[]) as stage:
        for number in range(3):
            assert await told(stage) == []
            await stage.inbox.accept([parked(reason, peer, stage.now, number)])
            await stage.live(2 * MINUTE)
        assert [one["data"]["state"] for one in await told(stage)] == states
        assert [one.state for one in (await database.read(unheard)).values()] == states


async def test_one_that_is_sent_again_and_again_counts_once(database: ManagedDatabase) -> None:
    async with rounds(database, journeys=[]) as stage:
        for _ in range(5):
            await stage.inbox.accept([parked("foreign_organization", "91.216.25.7", stage.now, 1)])
        await stage.live(2 * MINUTE)
        assert await told(stage) == []


async def test_a_proxy_that_is_trusted_again_ends_it_with_the_first_webhook(database: ManagedDatabase) -> None:
    async with rounds(database, hears=True, journeys=[]) as stage:
        strays = [parked("outside_networks", "10.1.2.3", stage.now, number) for number in range(3)]
        await stage.inbox.accept(strays)
        await stage.live(2 * MINUTE)
        await stage.create()
        await stage.live(2 * MINUTE)
        states = [one["data"]["state"] for one in await told(stage)]
        assert states == ["unconfigured_proxy", "healthy"]
        await stage.live(3 * 60 * MINUTE, MINUTE)
        assert len(await told(stage)) == 2, "what was accepted in between is not forgotten"


async def test_what_nobody_receives_is_not_missed(database: ManagedDatabase) -> None:
    async with rounds(database, receives=False, journeys=[]) as stage:
        await shop(stage, 5)
        await stage.live(10 * MINUTE)
        assert await told(stage) == []
        assert await stage.rows("SELECT count(*) FROM polled") == [0]


async def test_what_happened_before_anybody_received_is_not_missed(database: ManagedDatabase) -> None:
    async with rounds(database, receives=False, journeys=[]) as stage:
        for _ in range(6):
            await stage.create()
        await stage.live(2 * MINUTE, asks=False)
        stage.receives = True
        await stage.live(5 * MINUTE)
        assert len(await stage.wanted()) == 6
        assert await told(stage) == []


async def test_nothing_is_missed_any_more_once_nobody_has_the_secrets_for_a_day(database: ManagedDatabase) -> None:
    async with rounds(database, journeys=[]) as stage:
        await shop(stage, 5)
        stage.receives = False
        await stage.live(23 * 60 * MINUTE, 10 * MINUTE)
        assert [one["data"]["state"] for one in await told(stage)] == ["silent"], "a receiver may be away for so long"
        await stage.live(2 * 60 * MINUTE, 10 * MINUTE)
        assert [one["data"]["state"] for one in await told(stage)] == ["silent", "healthy"]
        assert await database.read(unheard) == {}


async def test_what_happened_before_anybody_listened_is_not_missed(database: ManagedDatabase) -> None:
    async with rounds(database, journeys=[]) as stage:
        for _ in range(6):
            await stage.create()
        await stage.live(2 * MINUTE, asks=False)
        stage.discovery._heard_since = stage.sweeping._heard_since = stage.now
        await stage.live(5 * MINUTE)
        assert len(await stage.wanted()) == 6
        assert await told(stage) == []
