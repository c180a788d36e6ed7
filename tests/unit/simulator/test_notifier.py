"""Notifications that are missing, late, out of order, repeated, or come in bursts."""

from __future__ import annotations

from typing import Any

import httpx

from bridge.simulator.journeys import Journeys

from .stage import Stage, scenario

STEPS = ["dispatched_by_sender", "sent_from_source_branch", "out_for_delivery", "ready_to_pickup", "delivered"]
JOURNEY = {"name": "delivered", "steps": [{"status": status, "after": 60} for status in STEPS]}


def troubled(*, also_announce: tuple[str, ...] = (), **webhooks: Any) -> Stage:
    """Make a stage where this happens to notifications."""
    terms = {"also_announce": also_announce}
    return Stage(scenario(faults={"webhooks": webhooks}, webhooks=terms, journeys=[JOURNEY]))


async def test_a_missing_notification_is_never_sent_and_everything_else_is() -> None:
    async with troubled(missing={"share": 1, "of": ["offers_prepared", "*_branch"]}) as stage:
        shipment = await stage.bought()
        await stage.advance(600)
        assert stage.events() == ["shipment_confirmed", STEPS[0], *STEPS[2:]]
        missing = (await stage.control("faults/met"))["items"]
        assert [(one["kind"], one["about"], one["shipment_id"], one["reached"]) for one in missing] == [
            ("missing", "offers_prepared", shipment["id"], False),
            ("missing", "sent_from_source_branch", shipment["id"], False),
        ]
        assert len((await stage.control("webhooks"))["items"]) == len(stage.received)


async def test_a_delayed_notification_comes_later_with_the_moment_at_which_it_happened() -> None:
    async with troubled(delayed={"share": 1, "of": ["shipment_confirmed"], "seconds": [150, 150]}) as stage:
        await stage.bought()
        await stage.advance(140)
        assert stage.events() == ["offers_prepared", *STEPS[:2]]
        await stage.advance(60)
        assert stage.events() == ["offers_prepared", *STEPS[:2], "shipment_confirmed", STEPS[2]]
        assert stage.received[3]["event_ts"] < stage.received[1]["event_ts"]


async def test_a_repeated_notification_comes_again_with_the_same_body() -> None:
    async with troubled(repeated={"share": 1, "of": ["offers_prepared"], "seconds": [3, 3]}) as stage:
        await stage.prepared()
        await stage.advance(2)
        assert len(stage.received) == 1
        await stage.advance(1)
        assert stage.received[1] == stage.received[0]
        assert [one["repeat"] for one in (await stage.control("webhooks"))["items"]] == [False, True]


async def test_a_delayed_notification_can_be_repeated_as_well() -> None:
    odds = {"share": 1, "of": ["offers_prepared"]}
    async with troubled(delayed={**odds, "seconds": [9, 9]}, repeated={**odds, "seconds": [3, 3]}) as stage:
        await stage.create()
        await stage.advance(9.2)
        assert len(stage.received) == 1
        await stage.advance(3)
        assert len(stage.received) == 2


async def test_a_reordered_notification_follows_the_next_one_about_its_shipment() -> None:
    odds = {"share": 1, "of": ["shipment_confirmed"], "seconds": [3600, 3600]}
    async with troubled(reordered=odds, also_announce=("confirmed",)) as stage:
        await stage.bought()
        assert stage.events() == ["offers_prepared", "confirmed", "shipment_confirmed"]
        first, second = (await stage.control("webhooks"))["items"][1:]
        assert first["answered_at"] <= second["sent_at"]
        other = await stage.create()
        assert other["id"] != stage.received[0]["payload"]["shipment_id"]


async def test_another_shipments_notification_does_not_end_the_wait() -> None:
    odds = {"share": 1, "of": ["shipment_confirmed"], "seconds": [30, 30]}
    async with troubled(reordered=odds) as stage:
        await stage.bought()
        await stage.prepared()
        assert stage.events() == ["offers_prepared", "offers_prepared"]


async def test_a_reordered_notification_that_nothing_follows_comes_after_its_time() -> None:
    odds = {"share": 1, "of": ["offers_prepared"], "seconds": [30, 30]}
    async with troubled(reordered=odds) as stage:
        await stage.create()
        await stage.advance(30)
        assert (stage.events(), stage.simulator.idle) == ([], False)
        await stage.advance(0.2)
        assert (stage.events(), stage.simulator.idle) == (["offers_prepared"], True)


async def test_a_reordered_notification_is_sent_once() -> None:
    odds = {"share": 1, "of": [STEPS[0], STEPS[1]], "seconds": [1, 130]}
    async with troubled(reordered=odds) as stage:
        await stage.bought()
        await stage.advance(3600)
        assert sorted(stage.events()) == sorted(["offers_prepared", "shipment_confirmed", *STEPS])


async def test_a_reordered_notification_follows_one_that_the_receiver_did_not_take() -> None:
    odds = {"share": 1, "of": ["shipment_confirmed"], "seconds": [3600, 3600]}
    play = scenario(faults={"webhooks": {"reordered": odds}}, webhooks={"also_announce": ["confirmed"]})
    async with Stage(play, answer=lambda _: httpx.Response(503)) as stage:
        await stage.bought()
        assert stage.events() == ["offers_prepared", "confirmed", "shipment_confirmed"]


async def test_a_burst_is_several_statuses_in_one_second_told_in_another_order() -> None:
    async with troubled(bursts={"share": 1, "statuses": [5, 5]}) as stage:
        await stage.bought()
        await stage.advance(60)
        burst = stage.received[2:]
        assert len({one["event_ts"] for one in burst}) == 1
        assert sorted(stage.events()[2:]) == sorted(STEPS)
        assert stage.events()[2:] != STEPS
        assert (await stage.control("state"))["shipments"][0]["statuses"] == ["confirmed", *STEPS]
        assert (await stage.control("faults/met"))["items"][0]["about"] == " ".join(STEPS)


async def test_a_burst_ends_with_the_journey_and_has_its_bounds() -> None:
    async with troubled(bursts={"share": 1, "statuses": [2, 3]}) as stage:
        await stage.bought()
        await stage.advance(600)
        sizes = [len(one["about"].split()) for one in (await stage.control("faults/met"))["items"]]
        assert sum(sizes) in (4, 5)
        assert set(sizes) <= {2, 3}
        assert sorted(stage.events()[2:]) == sorted(STEPS)


async def test_one_status_that_is_left_is_no_burst() -> None:
    async with troubled(bursts={"share": 1, "statuses": [4, 4]}) as stage:
        await stage.bought()
        await stage.advance(600)
        assert stage.events()[-1] == "delivered"
        assert len((await stage.control("faults/met"))["items"]) == 1


async def test_a_journey_without_bursts_keeps_its_order() -> None:
    async with troubled() as stage:
        assert isinstance(stage.simulator.journeys, Journeys)
        await stage.bought()
        await stage.advance(600)
        assert stage.events()[2:] == STEPS
