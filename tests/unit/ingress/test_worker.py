"""The worker's rounds: at once while little comes, larger and fewer while much does, back to back in a backlog."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

import pytest

from bridge.errors import StoreUnavailable
from bridge.ingress.worker import ROUND, Worker
from bridge.lifecycle import Stop
from bridge.observability import Metrics
from bridge.ports import Projector
from bridge.store.projecting import Projected
from tests.unit.purchasing.virtual_time import LoopClock, in_virtual_time


def done(deliveries: int) -> Projected:
    return Projected(Counter(projected=deliveries), (), (), 0, 0)


def working(projector: Projector, stop: Stop, hands: int = 1) -> Worker:
    """Make a worker that nobody waits for."""
    return Worker(
        projector,
        metrics=Metrics(),
        clock=LoopClock(),
        stop=stop,
        on_events=lambda _made: None,
        on_wanted=lambda: None,
        hands=hands,
    )


class Rounds:
    """A projector that finds so many deliveries in each round, while more keep coming, and then ends the story."""

    def __init__(self, found: Sequence[int | StoreUnavailable], *, rings: bool = True) -> None:
        self.stop = Stop()
        self.at: list[float] = []
        self._rings = rings
        self._found = iter(found)
        self.worker = working(self, self.stop)

    async def project(self, limit: int, now: datetime) -> Projected:
        self.at.append(asyncio.get_running_loop().time())
        found = next(self._found, None)
        if found is None:
            self.stop.announce()
            return done(0)
        if isinstance(found, StoreUnavailable):
            raise found
        if self._rings:
            self.worker.bell.ring()  # the next webhooks are there already
        return done(found)


def pauses(*found: int | StoreUnavailable) -> list[float]:
    """Give the milliseconds between the rounds."""

    async def story() -> list[float]:
        rounds = Rounds(found)
        await rounds.worker.run()
        return [round((later - earlier) * 1000, 3) for earlier, later in pairwise(rounds.at)]

    return in_virtual_time(story())


PAUSES = [
    # deliveries in the rounds, milliseconds after each, remark
    ([1, 2, 1], [0.25, 0.5, 0.25], "little comes: hardly a pause"),
    ([40, 40], [10, 10], "the more comes, the longer the next round gathers"),
    ([100, 127], [20, 20], "but never for long"),
    ([ROUND, ROUND, ROUND], [0, 0, 0], "a backlog is worked off without a pause"),
    ([StoreUnavailable("away"), 1], [1000, 0.25], "a database that is away is asked again"),
]


@pytest.mark.parametrize(("found", "expected", "remark"), PAUSES, ids=[row[2] for row in PAUSES])
def test_rounds_gather_under_load(found: list[int | StoreUnavailable], expected: list[float], remark: str) -> None:
    assert pauses(*found) == expected, remark


class Overwhelmed:
    """A projector that gets so many deliveries done at once, and never more."""

    def __init__(self, pending: int, most: int) -> None:
        self.stop = Stop()
        self.limits: list[int] = []
        self.pending = pending
        self._most = most
        self.worker = working(self, self.stop)

    async def project(self, limit: int, now: datetime) -> Projected:
        self.limits.append(limit)
        if limit > self._most:
            raise StoreUnavailable("it takes too long")
        number = min(limit, self.pending)
        self.pending -= number
        if not self.pending:
            self.stop.announce()
        return done(number)


def test_a_round_that_takes_too_long_is_tried_with_less() -> None:
    async def story() -> Overwhelmed:
        rounds = Overwhelmed(pending=40, most=8)
        await rounds.worker.run()
        return rounds

    rounds = in_virtual_time(story())
    assert rounds.pending == 0
    assert rounds.limits[:6] == [ROUND, ROUND // 2, ROUND // 4, 16, 8, 16]


class Slow:
    """A projector whose rounds take ten milliseconds each, and find so many deliveries one after the other."""

    def __init__(self, found: Sequence[int], hands: int) -> None:
        self.stop = Stop()
        self.spans: list[tuple[float, float]] = []
        self._found = iter(found)
        self.worker = working(self, self.stop, hands)

    async def project(self, limit: int, now: datetime) -> Projected:
        began = asyncio.get_running_loop().time()
        found = next(self._found, None)
        await asyncio.sleep(0.01)
        if found is None:
            self.stop.announce()
            return done(0)
        self.spans.append((began, asyncio.get_running_loop().time()))
        return done(found)

    @property
    def at_once(self) -> int:
        """The most rounds that ran at the same moment."""
        return max(sum(begin <= at < end for begin, end in self.spans) for at, _ in self.spans)


@pytest.mark.parametrize(
    ("found", "hands", "at_once"),
    [
        ([ROUND] * 6, 1, 1),
        ([ROUND] * 6, 2, 2),
        ([ROUND] * 6, 3, 3),
        ([ROUND - 1] * 6, 3, 1),
    ],
    ids=["one hand", "two hands share a backlog", "three", "without a backlog the others rest"],
)
def test_a_backlog_is_worked_off_by_all_hands(found: list[int], hands: int, at_once: int) -> None:
    async def story() -> int:
        rounds = Slow(found, hands)
        await rounds.worker.run()
        return rounds.at_once

    assert in_virtual_time(story()) == at_once


def test_nothing_to_do_is_looked_at_once_a_second() -> None:
    async def story() -> list[float]:
        rounds = Rounds([0, 0], rings=False)
        await rounds.worker.run()
        return [round(later - earlier, 3) for earlier, later in pairwise(rounds.at)]

    assert in_virtual_time(story()) == [1, 1]
