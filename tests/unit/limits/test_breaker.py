"""A carrier that gives no usable answer is suspected, then left alone, longer each time, within bounds."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bridge.limits.breaker import CLOSED, MOST_OPEN, SUSPECTED_AFTER, Breaker
from bridge.model import Micros

NOW = Micros(1_800_000_000_000_000)
SECOND = 1_000_000


def failed(breaker: Breaker, times: int, *, is_probe: bool = False, dice: float = 0.5) -> Breaker:
    for _ in range(times):
        breaker = breaker.failed(NOW, is_probe=is_probe, dice=dice)
    return breaker


def test_it_stays_closed_until_enough_answers_in_a_row_were_unusable() -> None:
    assert failed(CLOSED, SUSPECTED_AFTER - 1).state(NOW) == "closed"


def test_calls_about_shipments_make_it_suspected_and_never_open_it() -> None:
    suspected = failed(CLOSED, SUSPECTED_AFTER)
    assert suspected.state(NOW) == "suspected"
    assert failed(suspected, 100).state(NOW) == "suspected"


def test_a_probe_that_fails_opens_it_and_time_lets_the_next_one_pass() -> None:
    opened = failed(failed(CLOSED, SUSPECTED_AFTER), 1, is_probe=True)
    assert opened.open_until == NOW + 2 * SECOND
    assert [opened.state(Micros(NOW + seconds * SECOND)) for seconds in (0, 1, 2)] == ["open", "open", "half_open"]


def test_it_is_open_twice_as_long_each_time_up_to_half_a_minute() -> None:
    breaker, seconds = failed(CLOSED, SUSPECTED_AFTER), []
    for _ in range(7):
        breaker = failed(breaker, 1, is_probe=True)
        assert breaker.open_until is not None
        seconds.append((breaker.open_until - NOW) / SECOND)
    assert seconds == [2, 4, 8, 16, 30, 30, 30]


@given(trips=st.integers(0, 10_000), dice=st.floats(0, 1))
def test_how_long_is_spread_by_a_quarter_either_way_and_bounded(trips: int, dice: float) -> None:
    until = Breaker(5, trips, NOW).failed(NOW, is_probe=True, dice=dice).open_until
    usual = min(2 * SECOND * 2 ** min(trips, 10), 30 * SECOND)
    assert until is not None
    assert 0.75 * usual <= until - NOW <= min(1.25 * usual, MOST_OPEN)


def test_a_clock_that_was_set_back_does_not_keep_it_open() -> None:
    opened = failed(failed(CLOSED, SUSPECTED_AFTER), 1, is_probe=True)
    yesterday = Micros(NOW - 86_400 * SECOND)
    assert opened.sane(yesterday) == replace(opened, open_until=Micros(yesterday + MOST_OPEN))
    assert (opened.sane(NOW), CLOSED.sane(yesterday)) == (opened, CLOSED)
