"""What a webhook says may have to wait until the carrier itself shows it: then nothing is told that is not so."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from bridge.events.readback import ReadBack
from bridge.model import ShipmentId
from bridge.observability import Metrics
from bridge.store.database import ManagedDatabase
from tests.contract.store.round import ORGANIZATION, Round, rounds
from tests.contract.store.test_sweeps import HOUR, STORY, story
from tests.unit.reconciling.shipments import shipment as as_read

AWAY: dict[str, Any] = {"calls": [{"kind": "hung_up", "share": 1}]}
QUIET: dict[str, Any] = {"journeys": []}


async def verdicts(stage: Round, shipment: int | None = None) -> dict[str, int]:
    which = "" if shipment is None else f" WHERE shipment = {shipment}"
    return dict(Counter(await stage.rows(f"SELECT verdict FROM deliveries{which}")))


async def evidence(stage: Round) -> set[str]:
    return {json.loads(bytes(body))["data"]["evidence"] for body in await stage.rows("SELECT body FROM events")}


def said(stage: Round, shipment: int, status: str, *, second: float = 0) -> bytes:
    """Write a webhook that says so of a shipment, whether it is true or not."""
    at = f"{stage.now + timedelta(seconds=second):%Y-%m-%d %H:%M:%S} +0000"
    document = {
        "event_ts": at,
        "event": "shipment_status_changed",
        "organization_id": int(ORGANIZATION),
        "payload": {"shipment_id": shipment, "status": status, "tracking_number": None},
    }
    return json.dumps(document).encode()


async def bought(stage: Round) -> ShipmentId:
    """Have a shipment bought, and everything about it told."""
    shipment = await stage.create()
    await stage.live(25)
    await stage.buy(shipment)
    await stage.live(25)
    assert "confirmed" in str(await stage.facts())
    return shipment


@pytest.mark.parametrize("read_back", ["terminal", "always"])
async def test_the_same_is_told_under_the_same_ids_as_without_waiting(
    database: ManagedDatabase, another_database: ManagedDatabase, read_back: ReadBack
) -> None:
    async with rounds(database, hears=True, **STORY) as at_once:
        await story(at_once, asks=False)
        expected = await at_once.facts()
    async with rounds(another_database, hears=True, read_back=read_back, metrics=Metrics(), **STORY) as waiting:
        await story(waiting, asks=True)
        assert await waiting.facts() == expected
        assert set(await verdicts(waiting)) <= {"projected", "nothing_new"}
        assert waiting.metrics.found_by_poll._metrics == {}, "a webhook had told of each"
        assert await evidence(waiting) == ({"carrier", "webhook"} if read_back == "terminal" else {"carrier"})


async def test_until_the_read_nothing_is_told_and_nothing_wanted(database: ManagedDatabase) -> None:
    async with rounds(database, hears=True, read_back="terminal", **QUIET) as stage:
        shipment = await stage.create()
        await stage.live(10, asks=False)
        assert (await stage.facts(), await stage.wanted()) == ({}, [])
        assert await verdicts(stage) == {"waits_for_read": 1}
        assert await stage.watched() == {shipment: "waiting"}
        await stage.ask()
        assert len(await stage.facts()) == 1
        assert (await evidence(stage), await stage.wanted()) == ({"carrier"}, [shipment])
        await stage.project()
        assert await verdicts(stage) == {"nothing_new": 1}, "the read has told it"


async def test_a_shipment_that_the_carrier_does_not_know_is_never_told_of(database: ManagedDatabase) -> None:
    async with rounds(database, hears=True, read_back="terminal", **QUIET) as stage:
        stage.arrived.append(said(stage, 77, "confirmed"))
        await stage.live(HOUR, 60)
        assert await verdicts(stage) == {"waits_for_read": 1}
        await stage.live(25 * HOUR, 600)
        assert await verdicts(stage) == {"unknown_to_carrier": 1}
        assert (await stage.facts(), await stage.rows("SELECT * FROM purchases"), await stage.watched()) == ({}, [], {})


async def test_what_the_carrier_did_not_know_is_not_asked_for_more_often_for_being_said_again(
    database: ManagedDatabase,
) -> None:
    async with rounds(database, hears=True, read_back="terminal", **QUIET) as stage:
        for number in range(60):
            stage.arrived.append(said(stage, 77, "confirmed", second=-number))
            await stage.live(5)
        reads = [one for one in stage.simulator.world.calls.after(0) if one.path == "/v1/shipments/77"]
        assert 2 <= len(reads) <= 5


async def test_an_end_that_no_read_shows_is_not_told(database: ManagedDatabase) -> None:
    async with rounds(database, hears=True, read_back="terminal", **QUIET) as stage:
        shipment = await bought(stage)
        before = await stage.facts()
        stage.arrived.append(said(stage, shipment, "delivered"))
        await stage.live(30)
        assert (await verdicts(stage))["waits_for_read"] == 1, "reads may lag behind"
        await stage.live(60)
        assert (await verdicts(stage))["not_shown_by_read"] == 1
        assert await stage.facts() == before
        assert await stage.watched() == {shipment: "tracking"}


async def test_what_was_not_shown_waits_anew_where_it_is_replayed(database: ManagedDatabase) -> None:
    async with rounds(database, hears=True, read_back="terminal", **QUIET) as stage:
        shipment = await bought(stage)
        stage.arrived.append(said(stage, shipment, "delivered"))
        await stage.live(120)
        reopened = "UPDATE deliveries SET state = 0, verdict = NULL WHERE verdict = 'not_shown_by_read'"
        await stage.database.write(lambda it: it.run(reopened))
        await stage.project()
        assert (await verdicts(stage))["waits_for_read"] == 1
        await stage.live(10)
        assert (await verdicts(stage))["not_shown_by_read"] == 1


@pytest.mark.parametrize("read_back", ["terminal", "always"])
async def test_a_carrier_that_is_away_delays_it_and_loses_nothing(
    database: ManagedDatabase, read_back: ReadBack
) -> None:
    async with rounds(database, hears=True, read_back=read_back, **QUIET) as stage:
        shipment = await stage.create()
        await stage.merchant.put("/_control/faults", json=AWAY)
        await stage.live(120)
        assert (await stage.facts(), await verdicts(stage)) == ({}, {"waits_for_read": 1})
        await stage.merchant.put("/_control/faults", json={})
        await stage.live(10)
        assert [text.split()[0] for text in (await stage.facts()).values()] == [f"shipment/{shipment}"]
        assert await stage.wanted() == [shipment]


async def test_what_passed_before_the_first_read_is_told_by_its_webhook(database: ManagedDatabase) -> None:
    async with rounds(
        database, hears=True, read_back="terminal", webhooks={"also_announce": ["created"]}, **QUIET
    ) as stage:
        await stage.create()
        await stage.live(10)
        await stage.project()
        told = {text.split()[1] for text in (await stage.facts()).values()}
        assert told == {"shipx.shipment.offers_prepared", "shipx.shipment.status_changed.pending"}
        assert await evidence(stage) == {"carrier", "webhook"}


async def test_a_read_that_was_older_than_the_webhook_does_not_end_its_waiting(database: ManagedDatabase) -> None:
    async with rounds(database, hears=True, read_back="terminal", **QUIET) as stage:
        shipment = await stage.create()
        await stage.live(25)
        before = await stage.client.read(shipment)
        await stage.buy(shipment)
        await stage.live(5, asks=False)
        await stage.learning.take(ORGANIZATION, [before])
        await stage.project()
        assert (await verdicts(stage))["waits_for_read"] > 0
        await stage.live(20)
        await stage.project()
        assert "waits_for_read" not in await verdicts(stage)
        assert "shipx.shipment.confirmed" in str(await stage.facts())


async def test_other_reads_than_the_sweeps_do_as_well(database: ManagedDatabase) -> None:
    async with rounds(database, hears=True, read_back="terminal", **QUIET) as stage:
        stage.arrived.append(said(stage, 77, "delivered"))
        await stage.live(5, asks=False)
        read = as_read(77, "delivered")
        await stage.learning.take(ORGANIZATION, [read])
        await stage.project()
        assert (await verdicts(stage), await stage.watched()) == ({"nothing_new": 1}, {})
        assert await evidence(stage) == {"carrier"}
