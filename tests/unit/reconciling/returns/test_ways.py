"""A return's way back is told step by step, each step once, whichever provider carries it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import pytest

from tests.unit.purchasing.stage import Crash, Points
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time
from tests.unit.reconciling.returns.watch import HOUR, MINUTE, Story, story
from tests.unit.shipping.returning import CODES, MADE, PLATFORM, TICKETS

WAYS: Final[dict[str, Sequence[tuple[str, str]]]] = {
    TICKETS: [
        ("NEW", "created"),
        ("ACCEPTED", "accepted"),
        ("SCANNED", "dropped_off"),
        ("USED", "dropped_off"),
        ("DELIVERED", "delivered"),
    ],
    CODES: [
        ("code:active", "accepted"),
        ("dispatched_by_sender", "dropped_off"),
        ("adopted_at_sorting_center", "in_transit"),
        ("delivered", "delivered"),
    ],
    PLATFORM: [
        ("10", "created"),
        ("20", "dropped_off"),
        ("30", "in_transit"),
        ("40", "at_hub"),
        ("45", "at_hub"),
        ("90", "in_transit"),
        ("50", "in_transit"),
        ("60", "delivered"),
    ],
}
"""What is seen of a return that goes its whole way, the provider's words and ours."""
ITSELF: Final = {"NEW", "code:active"}
"""How a return begins, without anybody's doing."""


async def walk(it: Story, provider: str, looks: int = 1) -> None:
    """Let a return go its whole way, and look after every step."""
    for word, _ in WAYS[provider]:
        if word not in ITSELF:
            await it.moved(provider, status=word)
        for _ in range(looks):
            await it.looked(provider)


@pytest.mark.parametrize("provider", WAYS)
def test_every_step_is_told_once_and_in_order_until_it_is_delivered(provider: str) -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(provider)
            await walk(it, provider, looks=2)
            assert it.statuses(made) == WAYS[provider]
            changes = it.changes(made)
            assert [one["current"] for one in changes] == [True] * len(changes)
            assert [one["terminal"] for one in changes] == [False] * (len(changes) - 1) + [True]
            assert [one["previous_return_status"] for one in changes] == [
                "created",
                *(ours for _, ours in WAYS[provider][:-1]),
            ]
            assert changes[-1]["tracking_number"] is not None
            told = [*MADE[provider], *["return.status_changed"] * len(changes)]
            assert it.kinds(made) == [kind.removeprefix("return.") for kind in told]
            assert it.row(made, "state, return_status, due_at") == ("created", "delivered", None)
            assert it.watch.found("return.status_changed") == len(changes)

    in_virtual_time(play())


@pytest.mark.parametrize("provider", WAYS)
def test_what_has_ended_is_not_asked_about(provider: str) -> None:
    async def play() -> None:
        async with story() as it:
            await it.made(provider)
            await walk(it, provider)
            it.watch.way.asked.clear()
            await it.looked(provider)
            assert it.watch.way.asked == []

    in_virtual_time(play())


@pytest.mark.parametrize("provider", WAYS)
def test_wherever_a_process_dies_nothing_is_lost_and_nothing_told_twice(provider: str) -> None:
    names = in_virtual_time(_dying(provider, Points()))
    assert {"before a commit", "after a commit"} <= set(names)
    places = [at for at, name in enumerate(names, 1) if not name.endswith("a permit's commit")]
    for at in places[:: max(len(places) // 20, 1)]:
        in_virtual_time(_dying(provider, Points(at)))


async def _dying(provider: str, points: Points) -> list[str]:
    async with story() as it:
        made = await it.made(provider)
        other = await it.made(provider, "two", reference="ANOTHER")
        it.watched_by_another(points)
        for word, _ in WAYS[provider]:
            for number in (0, 1):
                if word not in ITSELF:
                    await it.moved(provider, number, status=word)
            try:
                await it.looked(provider)
            except Crash:
                it.watched_by_another()
                await it.looked(provider)
        assert it.statuses(made) == it.statuses(other) == WAYS[provider]
    return points.names


def test_of_two_processes_one_asks_and_the_other_takes_over() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(TICKETS)
            watches = [it.watch, it.watched_by_another()]
            running = [asyncio.create_task(one.run()) for one in watches]
            await pass_time(11 * MINUTE)
            await it.moved(TICKETS, status="ACCEPTED")
            await pass_time(11 * MINUTE)
            [asks] = [number for number, one in enumerate(watches) if one.way.asked]
            watches[asks].shared.stop.announce()
            await running[asks]
            await it.moved(TICKETS, status="USED")
            await pass_time(11 * MINUTE)
            assert watches[1 - asks].way.asked
            watches[1 - asks].shared.stop.announce()
            await running[1 - asks]
            assert [word for word, _ in it.statuses(made)] == ["NEW", "ACCEPTED", "USED"]

    in_virtual_time(play())


@pytest.mark.parametrize("provider", WAYS)
def test_a_provider_that_is_away_for_hours_is_caught_up_with(provider: str) -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(provider)
            await it.looked(provider)
            path = {TICKETS: "/inpost-returns*", CODES: "/szybkie-zwroty*", PLATFORM: "/intelligentreturns*"}[provider]
            await it.stage.fault("unavailable", path=path, times=1_000_000)
            last: Any = None
            for word, _ in WAYS[provider]:
                if word not in ITSELF:
                    await it.moved(provider, status=word)
                    last = word
                await it.looked(provider, HOUR)
            assert last not in [word for word, _ in it.statuses(made)]
            answer = await it.stage.merchant.delete("/_control/faults")
            assert answer.status_code in (200, 204), answer.text
            for _ in range(3):
                await it.looked(provider, HOUR)
            assert it.statuses(made)[-1] == WAYS[provider][-1]
            if provider == PLATFORM:
                assert it.statuses(made) == WAYS[provider]

    in_virtual_time(play())
