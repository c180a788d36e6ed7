"""The same seed gives the same faults, however calls follow one another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import httpx
import pytest

from bridge.simulator.chance import Chance

from .stage import DRAFT, POSTPAID, PREPAID, Stage, scenario
from .test_faults import begun

SHIPMENTS = 12
JOURNEY = {"name": "delivered", "steps": [{"status": f"step_{number}", "after": 60} for number in range(6)]}
ODDS = {"share": 0.3}
FAULTS = {
    "calls": [
        {"kind": kind, "share": 0.08}
        for kind in ("slow", "late", "limited", "unavailable", "failed", "lost", "crashed", "cut", "page")
    ],
    "hidden": ODDS,
    "webhooks": {"missing": ODDS, "delayed": ODDS, "reordered": ODDS, "repeated": ODDS, "bursts": ODDS},
}
Met = set[tuple[object, ...]]
Step = Callable[[httpx.AsyncClient, int], Coroutine[Any, Any, httpx.Response]]


async def read(client: httpx.AsyncClient, shipment: int) -> httpx.Response:
    return await client.get(f"/v1/shipments/{shipment}")


async def renew(client: httpx.AsyncClient, shipment: int) -> httpx.Response:
    return await client.put(f"/v1/shipments/{shipment}", json={})


async def cancel(client: httpx.AsyncClient, shipment: int) -> httpx.Response:
    return await client.delete(f"/v1/shipments/{shipment}")


STEPS: tuple[Step, ...] = (read, read, renew, read, read, cancel, read)


def one_by_one(shipments: list[int]) -> Iterator[tuple[int, Step]]:
    """Do everything about a shipment before the next."""
    return ((shipment, step) for shipment in shipments for step in STEPS)


def by_turns(shipments: list[int]) -> Iterator[tuple[int, Step]]:
    """Do the same thing for each shipment, the last first."""
    return ((shipment, step) for step in STEPS for shipment in reversed(shipments))


async def create(stage: Stage, organizations: list[int]) -> list[int]:
    """Create a shipment for each, in this order, and let the carrier buy every other one; give their ids in order."""
    for place, organization in enumerate(organizations):
        client = stage.client_of("prepaid" if organization == PREPAID else "postpaid")
        named = {"service": "inpost_locker_standard"} if place % 4 < 2 else {}
        path = f"/v1/organizations/{organization}/shipments"
        await patiently(stage, client.post(path, json={**DRAFT, **named}))
    await stage.advance(30)
    return sorted(one.id for one in stage.simulator.world.shipments)


async def patiently(stage: Stage, call: Coroutine[Any, Any, httpx.Response]) -> None:
    """Let time pass until a call is answered."""
    calling = await begun(call)
    while not calling.done():
        await stage.advance(0.5)
        await asyncio.sleep(0)
    calling.result()


async def story(
    seed: int, organizations: list[int], order: Callable[[list[int]], Iterator[tuple[int, Step]]], pause: float
) -> Met:
    """Tell a story and give the faults that were met, but for when."""
    play = scenario(faults=FAULTS, journeys=[JOURNEY], organization={"funds": 1000})
    async with Stage(play, seed=seed) as stage:
        for shipment, step in order(await create(stage, organizations)):
            prepaid = stage.simulator.world.shipments.get(shipment)
            assert prepaid is not None
            client = stage.client_of(prepaid.organization.terms.token)
            await patiently(stage, step(client, shipment))
            await stage.advance(pause)
        await stage.advance(3600)
        items = (await stage.control("faults/met"))["items"]
        return {(one["kind"], one["about"], one["shipment_id"], one["seconds"]) for one in items}


TURNS = [PREPAID, POSTPAID] * (SHIPMENTS // 2)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_the_same_seed_gives_the_same_faults_however_calls_are_interleaved(seed: int) -> None:
    first = await story(seed, TURNS, one_by_one, pause=31)
    assert len(first) > 60
    assert {kind for kind, *_ in first} >= {"hidden", "missing", "delayed", "reordered", "repeated", "burst"}
    assert await story(seed, TURNS, by_turns, pause=31) == first


async def test_whose_shipments_come_first_changes_nothing() -> None:
    first = await story(4, TURNS, one_by_one, pause=31)
    assert await story(4, list(reversed(TURNS)), by_turns, pause=31) == first


async def test_another_seed_gives_other_faults() -> None:
    assert await story(1, TURNS, one_by_one, pause=31) != await story(2, TURNS, one_by_one, pause=31)


async def test_faults_of_one_kind_do_not_depend_on_those_of_another() -> None:
    async def met_by(faults: dict[str, Any]) -> list[str]:
        async with Stage(scenario(faults=faults), seed=5) as stage:
            for _ in range(200):
                await stage.client.get("/v1/organizations")
            items = (await stage.control("calls"))["items"]
            return [one["id"] for one in items if one["fault"] == "lost"]

    lost, limited = {"kind": "lost", "share": 0.3}, {"kind": "limited", "share": 0.3}
    alone = await met_by({"calls": [lost]})
    assert 40 <= len(alone) <= 80
    assert alone == await met_by({"calls": [lost, limited]})
    assert set(await met_by({"calls": [limited, lost]})) < set(alone)


async def test_a_fault_that_was_asked_for_does_not_move_the_others() -> None:
    async def statuses(*asked: dict[str, Any]) -> list[int]:
        async with Stage(scenario(faults={"calls": [{"kind": "lost", "share": 0.2}]}), seed=6) as stage:
            for one in asked:
                await stage.client.post("/_control/faults", json=one)
            return [(await stage.client.get("/v1/organizations")).status_code for _ in range(40)]

    assert (await statuses({"kind": "limited", "times": 5}))[5:] == (await statuses())[5:]


async def test_the_journeys_and_the_jitter_follow_from_the_seed_too() -> None:
    async def moments(organizations: list[int]) -> dict[int, Any]:
        plans = [{"name": name, "steps": [{"status": name, "after": 1}]} for name in ("delivered", "avizo")]
        async with Stage(scenario(delays={"jitter": 0.5}, journeys=plans), seed=7) as stage:
            for organization in organizations:
                client = stage.client_of("prepaid" if organization == PREPAID else "postpaid")
                named = {**DRAFT, "service": "inpost_locker_standard"}
                await client.post(f"/v1/organizations/{organization}/shipments", json=named)
            await stage.advance(60)
            return {one.id: (one.updated_at, one.status) for one in stage.simulator.world.shipments}

    assert await moments([PREPAID, POSTPAID] * 3) == await moments([POSTPAID, PREPAID] * 3)


def test_draws_are_spread_evenly() -> None:
    chance = Chance(1)
    draws = sorted(chance.draw("stream", number) for number in range(10_000))
    assert draws[0] >= 0
    assert draws[-1] < 1
    assert all(abs(draw - place / 10_000) < 0.02 for place, draw in enumerate(draws))


def test_names_are_told_apart() -> None:
    chance = Chance(1)
    names: list[tuple[object, ...]] = [("a", "b"), ("ab",), ("a", "b", ""), ("b", "a"), ("a", 1), ("a", 11)]
    assert len({chance.draw(*name) for name in names}) == len(names)


@pytest.mark.parametrize("items", [[1, 2], [1, 2, 3], [1, 2, 3, 4, 5]])
def test_shuffled_is_never_as_it_was(items: list[int]) -> None:
    for seed in range(100):
        shuffled = Chance(seed).shuffled(items, "order")
        assert shuffled != items
        assert sorted(shuffled) == items


def test_one_thing_has_one_order() -> None:
    assert Chance(1).shuffled([1], "order") == [1]
