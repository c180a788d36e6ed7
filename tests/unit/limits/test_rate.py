"""How fast calls may follow each other: a burst, a steady pace, and a credit for purchases."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.limits.rate import Rate
from bridge.model import Micros

SECOND = 1_000_000
MINUTE = 60 * SECOND


class Turns:
    """Lets calls leave as soon as they may, in the order in which they come."""

    def __init__(self, per_minute: int) -> None:
        self.rate = Rate(per_minute)
        self.last = Micros(0)
        self.left: list[int] = []

    def leave(self, now: int, *, on_credit: bool = False) -> None:
        turn = self.rate.turn(self.last, Micros(now))
        leaves_at = max(self.rate.leaves_at(turn, on_credit=on_credit), now)
        self.last = self.rate.turn(self.last, Micros(leaves_at))
        self.left.append(leaves_at)


@pytest.mark.parametrize(
    ("per_minute", "burst", "credit", "interval_ms"),
    [
        pytest.param(1, 1, 0, 60_000, id="one a minute"),
        pytest.param(2, 1, 1, 60_000, id="two, the second for a purchase only"),
        pytest.param(3, 1, 1, 60_000, id="three"),
        pytest.param(10, 1, 1, 7_500, id="few"),
        pytest.param(60, 3, 3, 1_111, id="the default"),
        pytest.param(600, 30, 30, 111, id="many"),
        pytest.param(6000, 300, 300, 11, id="the most"),
    ],
)
def test_what_may_come_at_once_is_taken_off_the_pace(
    per_minute: int, burst: int, credit: int, interval_ms: int
) -> None:
    rate = Rate(per_minute)
    assert (rate.burst, rate.credit, rate.interval // 1000) == (burst, credit, interval_ms)


def seconds(left: Sequence[int]) -> list[float]:
    return [round(one / SECOND, 1) for one in left]


def test_after_a_pause_a_burst_leaves_at_once_and_the_rest_keeps_the_pace() -> None:
    turns = Turns(60)
    for _ in range(6):
        turns.leave(MINUTE)
    assert seconds(turns.left) == [60, 60, 60, 61.1, 62.2, 63.3]


def test_an_hour_saves_up_one_burst_and_no_more() -> None:
    turns = Turns(60)
    for now in (MINUTE, *[61 * MINUTE] * 5):
        turns.leave(now)
    assert seconds(turns.left) == [60, 3660, 3660, 3660, 3661.1, 3662.2]


def test_purchases_leave_on_credit_and_the_calls_after_them_wait_the_longer() -> None:
    turns = Turns(60)
    for on_credit in (False, False, False, True, True, True, True, False):
        turns.leave(MINUTE, on_credit=on_credit)
    assert seconds(turns.left) == [60, 60, 60, 60, 60, 60, 61.1, 65.6]


@pytest.mark.parametrize("per_minute", [1, 2, 3, 7, 20, 60, 600, 6000])
def test_the_most_that_can_come_in_a_minute_is_what_is_agreed_less_one(per_minute: int) -> None:
    turns = Turns(per_minute)
    for _ in range(2 * per_minute):
        turns.leave(MINUTE, on_credit=True)
    most = max(bisect_left(turns.left, start + MINUTE) - number for number, start in enumerate(turns.left))
    assert most == (per_minute if per_minute < 3 else per_minute - 1)


@given(
    per_minute=st.integers(1, 200),
    calls=st.lists(st.tuples(st.integers(0, 20 * SECOND) | st.just(0), st.booleans()), max_size=400),
)
def test_no_minute_ever_has_more_calls_than_agreed(per_minute: int, calls: list[tuple[int, bool]]) -> None:
    turns, now = Turns(per_minute), MINUTE
    for pause, on_credit in calls:
        now = max([now + pause, *turns.left[-1:]])
        turns.leave(now, on_credit=on_credit)
    assert all(sum(start <= one < start + MINUTE for one in turns.left) <= per_minute for start in turns.left)


@given(per_minute=st.integers(20, 6000))
def test_calls_that_wait_get_nine_tenths_of_what_is_agreed(per_minute: int) -> None:
    turns = Turns(per_minute)
    for _ in range(per_minute):
        turns.leave(MINUTE)
    a_minute_of_turns = round(per_minute * 0.9) - 1
    assert Rate(per_minute).interval * a_minute_of_turns <= MINUTE
    assert turns.left[-1] <= 2 * MINUTE + MINUTE / 6
