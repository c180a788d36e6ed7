"""How the calls of one process wait for their permits, in virtual time, beside the gates of other processes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import structlog

from bridge.connections.gate import Gate
from bridge.errors import NoPermit
from bridge.limits.breaker import SUSPECTED_AFTER
from bridge.limits.connection import Exchange, Exchanged, Limits, Outcome, Purpose, Verdict
from tests.unit.connections.row import Row
from tests.unit.purchasing.virtual_time import LoopClock, in_virtual_time, pass_time

READ, BUY, SETTLE = Purpose.read, Purpose.buy, Purpose.settle
PATIENCE_S = 10.0


class Stage:
    """Gates over one row, and the calls that they let through."""

    def __init__(self, per_minute: int = 60, at_once: int = 100, *, takes_s: float = 0.0) -> None:
        self.row = Row(takes_s)
        self.limits = Limits(per_minute, at_once)
        self.began = now()
        self.left: list[tuple[str, float]] = []
        self.running = self.most_running = 0
        self.first = self.gate("first")

    def gate(self, name: str) -> Gate:
        return Gate(self.row, "shipx/4821", self.limits, holder=name, clock=LoopClock(), dice=lambda: 0.5)

    async def call(
        self,
        name: str = "",
        *,
        gate: Gate | None = None,
        purpose: Purpose = READ,
        seconds: float = 0,
        verdict: Verdict = Verdict.answered,
        patience_s: float = PATIENCE_S,
    ) -> None:
        async with (gate or self.first).permit(purpose, patience_s) as permit:
            self.left.append((name, round(now() - self.began, 2)))
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            try:
                async with permit.in_time():
                    await pass_time(seconds)
                    permit.outcome = Outcome(verdict)
            finally:
                self.running -= 1

    @property
    def times(self) -> list[float]:
        return [time for _, time in self.left]


def now() -> float:
    return asyncio.get_running_loop().time()


def played(story: Callable[[], Awaitable[None]]) -> None:
    async def play() -> None:
        await story()

    in_virtual_time(play())


# -- how fast, and how many --------------------------------------------------------------------------------------------


def test_a_burst_leaves_at_once_and_the_rest_keeps_the_pace() -> None:
    async def story() -> None:
        stage = Stage(per_minute=60)
        await asyncio.gather(*(stage.call() for _ in range(7)))
        assert stage.times == [0, 0, 0, 1.11, 2.22, 3.33, 4.44]

    played(story)


def test_no_more_calls_run_at_once_than_agreed() -> None:
    async def story() -> None:
        stage = Stage(per_minute=6000, at_once=2)
        await asyncio.gather(*(stage.call(seconds=4) for _ in range(5)))
        assert (stage.times, stage.most_running) == ([0, 0, 4, 4, 8], 2)

    played(story)


def test_several_processes_together_call_no_faster_and_no_more_at_once() -> None:
    async def story() -> None:
        stage = Stage(per_minute=60, at_once=2, takes_s=0.002)
        gates = [stage.gate(name) for name in "abc"]
        calls = [stage.call(gate=gate, seconds=0.2, patience_s=300) for gate in gates for _ in range(30)]
        await asyncio.gather(*calls)
        assert stage.most_running <= 2
        assert max(sum(start <= one < start + 60 for one in stage.times) for start in stage.times) <= 60
        assert len([one for one in stage.times if one < 60]) >= 54, "and hardly slower"

    played(story)


def test_a_call_costs_two_exchanges_and_under_load_less() -> None:
    async def story() -> None:
        stage = Stage(per_minute=6000, at_once=1)
        await stage.call()
        await pass_time(0.01)
        assert stage.row.exchanges == 2
        await asyncio.gather(*(stage.call(seconds=0.5) for _ in range(10)))
        await pass_time(0.01)
        assert stage.row.exchanges == 2 + 11

    played(story)


def test_a_busy_process_among_others_asks_the_database_about_twice_per_call() -> None:
    async def story() -> None:
        stage = Stage(per_minute=60, at_once=4)
        gates = [stage.gate(name) for name in "abc"]
        await asyncio.gather(*(stage.call(gate=gate, seconds=0.2, patience_s=90) for gate in gates for _ in range(20)))
        assert stage.row.exchanges <= 3.5 * 60

    played(story)


# -- purchases first ---------------------------------------------------------------------------------------------------


def test_a_purchase_does_not_wait_behind_reads_that_wait_for_their_turns() -> None:
    async def story() -> None:
        stage = Stage(per_minute=60)
        reads = [asyncio.create_task(stage.call("read")) for _ in range(6)]
        await pass_time(0.5)
        await stage.call("buy", purpose=BUY)
        await asyncio.gather(*reads)
        assert stage.left[3] == ("buy", 0.5)
        assert stage.left[4] == ("read", 2.22), "it was on credit"

    played(story)


def test_a_purchase_gets_the_next_place_though_reads_have_waited_for_longer() -> None:
    async def story() -> None:
        stage = Stage(per_minute=6000, at_once=1)
        reads = [asyncio.create_task(stage.call("read", seconds=3)) for _ in range(3)]
        await pass_time(1)
        await stage.call("buy", purpose=BUY)
        await asyncio.gather(*reads)
        assert stage.left == [("read", 0), ("buy", 3), ("read", 3), ("read", 6)]

    played(story)


def test_calls_wait_in_the_order_of_what_they_are_for() -> None:
    async def story() -> None:
        stage = Stage(per_minute=6000, at_once=1)
        first = asyncio.create_task(stage.call("first", seconds=3))
        await pass_time(1)
        others = [asyncio.create_task(stage.call(one.name, purpose=one)) for one in reversed(Purpose)]
        await asyncio.gather(first, *others)
        assert [name for name, _ in stage.left[1:]] == [one.name for one in Purpose]

    played(story)


def test_a_purchase_does_not_give_up_with_a_read_that_would_have_gone_before_it() -> None:
    """At six calls a minute a read in doubt would wait for half a minute, a purchase leaves on credit before that."""

    async def story() -> None:
        stage = Stage(per_minute=6)
        await stage.call("read")
        await stage.call("buy", purpose=BUY)
        settling = asyncio.create_task(refused(stage.call("settle", purpose=SETTLE)))
        buying = asyncio.create_task(stage.call("buy", purpose=BUY))
        assert await settling == ("no_turn", 30.0)
        await buying
        assert stage.left == [("read", 0), ("buy", 0), ("buy", 15)]

    played(story)


def test_a_purchase_of_another_process_gets_the_next_place_too() -> None:
    async def story() -> None:
        stage = Stage(per_minute=6000, at_once=1)
        other = stage.gate("other")
        reads = [asyncio.create_task(stage.call("read", seconds=2.5)) for _ in range(3)]
        await pass_time(1)
        await stage.call("buy", gate=other, purpose=BUY)
        await asyncio.gather(*reads)
        assert [name for name, _ in stage.left] == ["read", "buy", "read", "read"]
        assert stage.left[1][1] <= 2.5 + 1, "whoever hears nothing asks every second"

    played(story)


def test_who_is_told_that_others_have_made_room_asks_at_once() -> None:
    async def story() -> None:
        stage = Stage(per_minute=6000, at_once=1)
        other = stage.gate("other")
        reading = asyncio.create_task(stage.call("read", seconds=2.5))
        await pass_time(1)
        waiting = asyncio.create_task(stage.call("other", gate=other))
        await reading
        await pass_time(0)
        other.wake()
        await waiting
        assert stage.left == [("read", 0), ("other", 2.5)]

    played(story)


# -- waiting in vain ---------------------------------------------------------------------------------------------------


async def refused(call: Awaitable[None]) -> tuple[str, float | None]:
    with pytest.raises(NoPermit) as caught:
        await call
    after = caught.value.retry_after
    return caught.value.reason, None if after is None else round(after, 1)


def test_who_would_wait_in_vain_is_told_at_once() -> None:
    async def story() -> None:
        stage = Stage(per_minute=1)
        await stage.call()
        assert await refused(stage.call()) == ("no_turn", 60.0)
        assert now() == stage.began

    played(story)


def test_nobody_waits_for_a_place_longer_than_it_wants_to() -> None:
    async def story() -> None:
        stage = Stage(per_minute=6000, at_once=1)
        slow = asyncio.create_task(stage.call(seconds=30))
        await pass_time(0.1)
        assert await refused(stage.call(patience_s=5)) == ("no_turn", None)
        assert round(now() - stage.began, 1) == 5.1
        await slow

    played(story)


@pytest.mark.parametrize("steps", range(12))
def test_a_permit_for_somebody_who_has_gone_is_given_back_unused(steps: int) -> None:
    async def story() -> None:
        stage = Stage(per_minute=1, at_once=1, takes_s=0.01)
        calling = asyncio.create_task(stage.call())
        await pass_time(steps / 1000)
        calling.cancel()
        await asyncio.wait([calling])
        if not stage.left:
            await stage.call("next")
        assert len(stage.left) == 1
        await pass_time(1)
        assert stage.row.connection.held == ()

    played(story)


def test_a_place_that_nobody_wants_any_more_is_the_next_ones() -> None:
    async def story() -> None:
        stage = Stage(per_minute=6000, at_once=1)
        slow = asyncio.create_task(stage.call("slow", seconds=6))
        await pass_time(0.1)
        hasty = asyncio.create_task(refused(stage.call("hasty", patience_s=1)))
        await stage.call("patient")
        assert (await hasty, stage.left) == (("no_turn", None), [("slow", 0), ("patient", 6)])
        await slow

    played(story)


# -- holding -----------------------------------------------------------------------------------------------------------


def test_a_slow_call_keeps_its_place_to_its_end() -> None:
    async def story() -> None:
        stage = Stage(per_minute=6000, at_once=1)
        slow = asyncio.create_task(stage.call("slow", seconds=30))
        await pass_time(0.1)
        await stage.call("next", gate=stage.gate("other"), patience_s=60)
        await slow
        assert stage.most_running == 1
        assert stage.left[1][1] >= 30

    played(story)


def test_the_place_of_a_process_that_died_is_free_after_eight_seconds() -> None:
    async def story() -> None:
        stage = Stage(per_minute=6000, at_once=1)
        dying = asyncio.create_task(stage.call("dying", seconds=100))
        await pass_time(1)
        kill(stage.first, dying)
        await stage.call("next", gate=stage.gate("other"))
        assert stage.left == [("dying", 0), ("next", 8)]

    played(story)


def kill(gate: Gate, *calls: asyncio.Task[None]) -> None:
    """Let a process be gone: nothing of it runs any more, and nothing is given back."""
    assert gate._speaker is not None
    for task in (gate._speaker, *calls):
        task.cancel()
    gate._begin = lambda: None  # type: ignore[method-assign]


def test_a_call_ends_with_its_permit_where_the_database_cannot_be_told() -> None:
    async def story() -> None:
        stage = Stage(per_minute=6000, at_once=1)
        slow = asyncio.create_task(stage.call("cut off", seconds=100))
        await pass_time(3)
        stage.row.away = True
        with pytest.raises(TimeoutError):
            await slow
        assert round(now() - stage.began, 1) == 2 + 8, "it was renewed once"
        stage.row.away = False
        await stage.call("next", gate=stage.gate("other"))
        assert stage.most_running == 1

    played(story)


def test_a_permit_is_good_for_sending_for_eight_seconds_however_often_its_place_is_renewed() -> None:
    async def story() -> None:
        stage = Stage()
        async with stage.first.permit(BUY, 1) as permit:
            await pass_time(7.9)
            assert not permit.ran_out()
            await pass_time(0.1)
            assert permit.ran_out()
        await pass_time(0.01)
        assert stage.row.connection.held == ()

    played(story)


# -- the database is away ----------------------------------------------------------------------------------------------


def test_who_waits_goes_on_when_the_database_is_back() -> None:
    async def story() -> None:
        stage = Stage()
        stage.row.away = True
        waiting = asyncio.create_task(stage.call())
        await pass_time(3.5)
        stage.row.away = False
        await waiting
        assert (stage.times, stage.row.exchanges) == ([4], 6)

    played(story)


def test_what_was_used_is_given_back_when_the_database_is_back() -> None:
    async def story() -> None:
        stage = Stage(at_once=1)
        using = asyncio.create_task(stage.call(seconds=1))
        await pass_time(0.5)
        stage.row.away = True
        await using
        await pass_time(2)
        stage.row.away = False
        await pass_time(1)
        assert stage.row.connection.held == ()

    played(story)


def test_a_database_that_stays_away_is_asked_once_a_second_and_in_the_end_no_more() -> None:
    async def story() -> None:
        stage = Stage()
        using = asyncio.create_task(stage.call(seconds=1))
        await pass_time(0.5)
        stage.row.away = True
        await using
        await pass_time(600)
        assert stage.row.exchanges <= 12

    played(story)


def test_a_bug_is_raised_to_whoever_waits_and_whoever_comes_next() -> None:
    class Broken(Row):
        async def exchange(self, name: str, limits: Limits, brought: Exchange, dice: float) -> Exchanged:
            raise KeyError("a bug")

    async def story() -> None:
        stage = Stage()
        stage.first = Gate(Broken(), "shipx/4821", stage.limits, holder="x", clock=LoopClock())
        for _ in range(2):
            with pytest.raises(KeyError, match="a bug"):
                await stage.call()
        await stage.first.close()

    played(story)


def test_closing_gives_back_what_was_used() -> None:
    async def story() -> None:
        stage = Stage(takes_s=0.5)
        await stage.call()
        await stage.first.close()
        assert stage.row.connection.held == ()

    played(story)


def test_closing_does_not_wait_for_a_database_that_is_away() -> None:
    async def story() -> None:
        stage = Stage()
        await stage.call()
        stage.row.away = True
        await stage.first.close()
        assert now() - stage.began <= 2

    played(story)


# -- the breaker -------------------------------------------------------------------------------------------------------


def test_a_carrier_that_gives_no_usable_answer_is_left_alone_and_it_is_said_once() -> None:
    async def story() -> None:
        stage = Stage(per_minute=600)
        with structlog.testing.capture_logs() as logs:
            for _ in range(SUSPECTED_AFTER):
                await stage.call(verdict=Verdict.unusable)
            await stage.call("probe", verdict=Verdict.unusable)
            await pass_time(0)
            assert await refused(stage.call()) == ("breaker_open", 2.0)
            assert await refused(stage.call(purpose=BUY)) == ("breaker_open", 2.0)
            await pass_time(2)
            await stage.call("probe", seconds=0.2)
            await stage.call(purpose=BUY)
            await stage.first.close()
        opened = {"connection": "shipx/4821", "failures": 6, "seconds": 2.0}
        assert logs == [
            {"event": "connection.breaker_opened", "log_level": "warning", **opened},
            {"event": "connection.breaker_closed", "log_level": "info", "connection": "shipx/4821"},
        ]

    played(story)
