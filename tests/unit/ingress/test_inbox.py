"""Many requests share one commit, are answered after it and never before, and are given up on in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from bridge.errors import RowRefused, StoreUnavailable
from bridge.ingress.inbox import MOST_IN_A_COMMIT, Inbox, Intake, Room
from bridge.lifecycle import Stop
from bridge.model import Arrival, DeliveryId, OrganizationId, Receipt, ShipmentId
from bridge.ports import InboxStore
from bridge.store.inbox import Accepted, Entry
from tests.support.bridge import until
from tests.unit.ingress.stage import Gate

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def entry(number: int) -> Arrival:
    return Arrival(
        DeliveryId(f"{number:042}"), OrganizationId(1), "e", ShipmentId(number), NOW, NOW, b"{}", b"\x00" * 32
    )


class Store:
    """Accepts everything but what it is told to refuse."""

    def __init__(self, *, refuses: Sequence[int] = (), drops: int = 0) -> None:
        self._refuses = set(refuses)
        self._drops = drops

    async def accept(self, batch: Sequence[Entry]) -> Accepted:
        answers = tuple(None if int(one.id) in self._refuses else Receipt.accepted for one in batch)
        return Accepted(answers, self._drops)


class Duplicates:
    """Knows everything already."""

    async def accept(self, batch: Sequence[Entry]) -> Accepted:
        return Accepted((Receipt.duplicate,) * len(batch), 0)


class Broken:
    """Takes nothing."""

    async def accept(self, batch: Sequence[Entry]) -> Accepted:
        raise StoreUnavailable("gone")


@dataclass(slots=True)
class Running:
    """An inbox at work, and what it called."""

    inbox: Inbox
    stop: Stop
    commit: asyncio.Task[None]
    accepted: int = 0
    dropped: int = 0


@asynccontextmanager
async def running(
    store: InboxStore, *, max_pending: int = 10_000, commit_timeout_s: float = 30
) -> AsyncIterator[Running]:
    def note() -> None:
        found.accepted += 1

    def drop(number: int) -> None:
        found.dropped += number

    inbox = Inbox(store, max_pending=max_pending, commit_timeout_s=commit_timeout_s, on_accepted=note, on_dropped=drop)
    stop = Stop()
    found = Running(inbox, stop, asyncio.create_task(inbox.commit(stop)))
    expire = asyncio.create_task(inbox.expire(stop))
    try:
        yield found
    finally:
        stop.announce()
        async with asyncio.timeout(5):
            await asyncio.gather(found.commit, expire)


def asked(inbox: Inbox, numbers: Sequence[int]) -> list[asyncio.Task[Receipt]]:
    return [asyncio.create_task(inbox.accept(entry(number))) for number in numbers]


async def test_whoever_arrives_while_a_commit_is_written_shares_the_next() -> None:
    gate = Gate(Store())
    async with running(gate) as found:
        first = asked(found.inbox, [0])
        await until(lambda: gate.sizes == [1])
        others = asked(found.inbox, range(1, 101))
        await until(lambda: found.inbox.pending == 101)
        gate.open()
        assert await asyncio.gather(*first, *others) == [Receipt.accepted] * 101
        assert gate.sizes == [1, 100]
        assert found.accepted == 2, "the worker is woken once per commit"


async def test_a_commit_is_never_larger_than_it_should_be() -> None:
    gate = Gate(Store())
    async with running(gate) as found:
        tasks = asked(found.inbox, range(MOST_IN_A_COMMIT * 2 + 1))
        gate.open()
        await asyncio.gather(*tasks)
        assert sum(gate.sizes) == len(tasks)
        assert max(gate.sizes) == MOST_IN_A_COMMIT


async def test_nobody_is_answered_before_the_commit() -> None:
    gate = Gate(Store())
    async with running(gate) as found:
        tasks = asked(found.inbox, range(10))
        await until(lambda: found.inbox.pending == 10)
        assert not any(task.done() for task in tasks)
        gate.open()
        await asyncio.gather(*tasks)
        assert found.inbox.pending == 0


async def test_what_is_refused_fails_alone() -> None:
    gate = Gate(Store(refuses=[2]))
    async with running(gate) as found:
        tasks = asked(found.inbox, range(4))
        gate.open()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(one) for one in answers] == [Receipt, Receipt, RowRefused, Receipt]


async def test_a_store_that_fails_fails_the_batch_and_the_next_one_is_tried() -> None:
    async with running(Broken()) as found:
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="gone"):
                await found.inbox.accept(entry(1))
        assert (found.accepted, found.inbox.pending) == (0, 0)


async def test_beyond_the_limit_nothing_more_is_taken_on() -> None:
    gate = Gate(Store())
    async with running(gate, max_pending=3) as found:
        tasks = asked(found.inbox, range(3))
        await until(lambda: found.inbox.pending == 3)
        with pytest.raises(StoreUnavailable, match="too many"):
            await found.inbox.accept(entry(9))
        gate.open()
        await asyncio.gather(*tasks)
        assert await found.inbox.accept(entry(9)) is Receipt.accepted


async def test_who_waits_too_long_is_told_so_in_the_commit_and_behind_it() -> None:
    gate = Gate(Store())
    async with running(gate, commit_timeout_s=0.05) as found:
        tasks = asked(found.inbox, [0])
        await until(lambda: gate.sizes == [1])
        tasks += asked(found.inbox, [1, 2])
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(one) for one in answers] == [StoreUnavailable] * 3
        assert found.inbox.pending == 1, "what was not begun is not written any more"
        gate.open()
        await until(lambda: found.inbox.pending == 0)
        assert gate.sizes == [1]


async def test_at_the_end_everything_that_waits_is_written_first() -> None:
    gate = Gate(Store())
    async with running(gate) as found:
        tasks = asked(found.inbox, [0])
        await until(lambda: gate.sizes == [1])
        tasks += asked(found.inbox, range(1, MOST_IN_A_COMMIT + 10))
        await until(lambda: found.inbox.pending == MOST_IN_A_COMMIT + 10)
        found.stop.announce()
        assert not found.commit.done()
        gate.open()
        assert await asyncio.gather(*tasks) == [Receipt.accepted] * (MOST_IN_A_COMMIT + 10)
        async with asyncio.timeout(5):
            await found.commit


async def test_an_idle_inbox_ends_at_once() -> None:
    async with running(Store()) as found:
        found.stop.announce()
        async with asyncio.timeout(5):
            await found.commit


async def test_a_sender_that_stops_waiting_does_not_hurt_the_others() -> None:
    gate = Gate(Store())
    async with running(gate) as found:
        tasks = asked(found.inbox, range(3))
        await until(lambda: found.inbox.pending == 3)
        tasks[1].cancel()
        gate.open()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(one) for one in answers] == [Receipt, asyncio.CancelledError, Receipt]


async def test_duplicates_wake_nobody_and_dropped_rows_are_passed_on() -> None:
    async with running(Duplicates()) as found:
        assert await found.inbox.accept(entry(1)) is Receipt.duplicate
        assert (found.accepted, found.dropped) == (0, 0)
    async with running(Store(drops=3)) as found:
        await found.inbox.accept(entry(1))
        assert (found.accepted, found.dropped) == (1, 3)


def test_room_is_taken_once_and_given_back() -> None:
    intake = Intake(2, 100)
    with Room(intake, 50) as one, Room(intake, 0) as other:
        one.grow(60)
        other.grow(40)
        assert (intake.webhooks, intake.bytes) == (2, 100)
        with pytest.raises(StoreUnavailable, match="bytes"):
            other.grow(41)
        with pytest.raises(StoreUnavailable, match="too many webhooks"), Room(intake, 0):
            pass
        assert (intake.webhooks, intake.bytes) == (2, 100), "what found no room takes none"
    assert (intake.webhooks, intake.bytes) == (0, 0)
