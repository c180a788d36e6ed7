"""Sending once more, against a broker that makes trouble: in order for each subject, whatever comes between."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.egress.resending import Pace, Resending
from bridge.errors import BrokerError, BrokerUnavailable, Interrupted, PublishRefused, QueueMissing, TopologyMissing
from bridge.lifecycle import Stop
from bridge.model import Event, EventId, Subject

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
QUICK = Pace(window=8, first_retry_s=0.001, last_retry_s=0.002, patience_s=5)
IMPATIENT = Pace(window=8, first_retry_s=0.001, last_retry_s=0.002, patience_s=-1)


def event(subject: int, sequence: int) -> Event:
    name = f"shipment/{subject}"
    identity = EventId(f"{name}#{sequence}")
    return Event(sequence, identity, "shipment.confirmed", Subject("/shipx/1", name), sequence, "key", "1", NOW, b"{}")


def mixed(subjects: int, each: int) -> list[Event]:
    """Events of several subjects, one after the other in turn."""
    return [event(subject, sequence) for sequence in range(1, each + 1) for subject in range(subjects)]


Trouble = Callable[[Event], BrokerError | None]


class Broker:
    """Confirms after a moment, unless there is trouble; notes what came and how much was on its way at once."""

    def __init__(self, trouble: Trouble = lambda _: None, *, opens: Callable[[], None] = lambda: None) -> None:
        self._trouble = trouble
        self._opens = opens
        self.is_open = False
        self.opened: list[str | None] = []
        self.came: list[Event] = []
        self.on_their_way: Counter[Subject] = Counter()
        self.most = 0

    async def open(self, queue: str | None) -> None:
        self.opened.append(queue)
        self._opens()
        self.is_open = True

    async def resend(self, event: Event, replay: str) -> None:
        assert replay == "replay-1"
        self.on_their_way[event.subject] += 1
        assert self.on_their_way[event.subject] == 1, "one of a subject at a time"
        self.most = max(self.most, self.on_their_way.total())
        await asyncio.sleep(0)
        self.on_their_way[event.subject] -= 1
        if (trouble := self._trouble(event)) is not None:
            self.is_open = not isinstance(trouble, BrokerUnavailable)
            raise trouble
        self.came.append(event)

    async def close(self) -> None:
        self.is_open = False

    def order(self) -> dict[str, list[int]]:
        """Give the sequences that came, by subject."""
        found: dict[str, list[int]] = defaultdict(list)
        for one in self.came:
            found[one.subject.name].append(one.sequence)
        return dict(found)


class Failing:
    """Makes trouble for the first so many times, at some event or at any."""

    def __init__(self, error: BrokerError, times: int, at: str | None = None) -> None:
        self._error = error
        self.left = times
        self._at = at

    def __call__(self, event: Event) -> BrokerError | None:
        if self.left and self._at in (None, event.id):
            self.left -= 1
            return self._error
        return None


def sending(broker: Broker, stop: Stop | None = None, pace: Pace = QUICK, **more: Any) -> Resending:
    ending = Stop() if stop is None else stop
    return Resending(broker, replay="replay-1", queue="warehouse", stop=ending, pace=pace, **more)


async def test_subjects_go_side_by_side_and_each_in_its_order() -> None:
    broker = Broker()
    resending = sending(broker)
    await resending.send(mixed(subjects=20, each=5))
    assert broker.order() == {f"shipment/{number}": [1, 2, 3, 4, 5] for number in range(20)}
    assert (broker.most, resending.sent, broker.opened) == (8, 100, ["warehouse"])


async def test_nothing_to_send_still_opens() -> None:
    broker = Broker()
    await sending(broker).send(())
    assert (broker.opened, broker.came) == (["warehouse"], [])


TROUBLES = [
    # error, remark
    (BrokerUnavailable("lost"), "the connection broke"),
    (PublishRefused("full"), "a queue is full"),
    (TopologyMissing("gone"), "the topology is being mended"),
]


@pytest.mark.parametrize(("error", "remark"), TROUBLES, ids=[row[-1] for row in TROUBLES])
async def test_what_passes_is_waited_for_and_nothing_is_left_out_or_out_of_order(
    error: BrokerError, remark: str
) -> None:
    broker = Broker(Failing(error, 7, at="shipment/3#2"))
    resending = sending(broker)
    await resending.send(mixed(subjects=6, each=4))
    assert broker.order() == {f"shipment/{number}": [1, 2, 3, 4] for number in range(6)}, remark
    assert resending.sent == 24


async def test_what_does_not_pass_is_told() -> None:
    broker = Broker(Failing(PublishRefused("full"), 10**9, at="shipment/3#2"))
    resending = sending(broker, pace=IMPATIENT)
    with pytest.raises(PublishRefused, match="full"):
        await resending.send(mixed(subjects=6, each=4))
    assert broker.order()["shipment/3"] == [1]
    assert resending.sent == len(broker.came)


async def test_a_queue_that_is_not_there_is_told_at_once() -> None:
    def missing() -> None:
        raise QueueMissing("there is no queue warehouse")

    broker = Broker(opens=missing)
    with pytest.raises(QueueMissing):
        await sending(broker).send([event(1, 1)])
    assert len(broker.opened) == 1


async def test_a_broker_that_is_away_at_first_is_waited_for() -> None:
    away = iter([True, True, False])

    def opens() -> None:
        if next(away):
            raise BrokerUnavailable("away")

    broker = Broker(opens=opens)
    await sending(broker).send([event(1, 1)])
    assert (len(broker.opened), broker.order()) == (3, {"shipment/1": [1]})


async def test_the_end_of_the_process_ends_the_waiting() -> None:
    stop = Stop()

    def opens() -> None:
        stop.announce()
        raise BrokerUnavailable("away")

    slow = Pace(first_retry_s=3600, last_retry_s=3600, patience_s=10**6)
    with pytest.raises(Interrupted):
        await asyncio.wait_for(sending(Broker(opens=opens), stop, slow).send([event(1, 1)]), 5)


async def test_patience_counts_from_the_last_confirm_not_from_the_start() -> None:
    """Each event fails for ten seconds: all of them together take many times the patience, each alone does not."""
    now = 0.0
    failed: set[str] = set()

    def once(event: Event) -> BrokerError | None:
        nonlocal now
        if event.id in failed:
            return None
        failed.add(event.id)
        now += 10
        return BrokerUnavailable("lost")

    broker = Broker(once)
    pace = Pace(window=1, first_retry_s=0.0001, last_retry_s=0.0001, patience_s=15)
    await sending(broker, pace=pace, clock=lambda: now).send([event(1, number) for number in range(1, 60)])
    assert (broker.order(), now) == ({"shipment/1": list(range(1, 60))}, 590)
    failed.clear()
    with pytest.raises(BrokerUnavailable):
        await sending(broker, pace=replace(pace, patience_s=5), clock=lambda: now).send([event(1, 1)])
