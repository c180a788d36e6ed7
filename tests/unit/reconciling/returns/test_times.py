"""When is asked, and about which times."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bridge.reconciling.returns.pace import Pace
from bridge.reconciling.returns.windows import Days, Window, days, windows

T0 = datetime(2026, 3, 28, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PACE = Pace(5 * MINUTE, 6 * HOUR)


@pytest.mark.parametrize(
    ("quiet", "after"),
    [
        (timedelta(0), 5 * MINUTE),
        (2 * HOUR, 5 * MINUTE),
        (4 * HOUR, 10 * MINUTE),
        (DAY, HOUR),
        (6 * DAY, 6 * HOUR),
        (60 * DAY, 6 * HOUR),
        (-HOUR, 5 * MINUTE),
    ],
)
def test_the_longer_nothing_moves_the_more_seldom_is_asked(quiet: timedelta, after: timedelta) -> None:
    assert PACE.after(quiet) == after


@pytest.mark.parametrize(
    ("moved", "expires", "is_over"),
    [
        (-89 * DAY, None, False),
        (-91 * DAY, None, True),
        (-300 * DAY, 10 * DAY, False),
        (-300 * DAY, -89 * DAY, False),
        (-300 * DAY, -91 * DAY, True),
    ],
)
def test_what_nothing_is_expected_of_is_left_alone(moved: timedelta, expires: timedelta | None, is_over: bool) -> None:
    found = PACE.next(T0 + moved, None if expires is None else T0 + expires, T0)
    assert (found is None) == is_over


def test_times_that_meet_are_one() -> None:
    found = windows([T0 + 9 * DAY, T0, T0 + DAY, T0 + 2 * DAY])
    assert found == [Window(T0 - DAY, T0 + 3 * DAY), Window(T0 + 8 * DAY, T0 + 10 * DAY)]
    assert windows([]) == []
    assert days([T0, T0 + 9 * DAY]) == [
        Days(date(2026, 3, 27), date(2026, 3, 29)),
        Days(date(2026, 4, 5), date(2026, 4, 7)),
    ]


def test_halves_leave_no_gap_and_come_to_an_end() -> None:
    waiting, parts = [Window.over([T0, T0 + 720 * DAY])], 0
    whole = waiting[0]
    while waiting:
        window = waiting.pop()
        if window.until - window.since < timedelta(days=30):
            parts += 1
            continue
        first, second = window.halves
        assert (first.since, first.until, second.until) == (window.since, second.since, window.until)
        waiting += [first, second]
    assert parts == 32
    assert Window(T0, T0 + timedelta(seconds=1)).halves == ()
    assert whole.since == T0 - DAY


def test_days_are_halved_down_to_one() -> None:
    waiting, single = [Days(date(2026, 2, 27), date(2026, 3, 9))], []
    while waiting:
        some = waiting.pop()
        if halves := some.halves:
            waiting += halves
        else:
            single.append(some.since)
    assert sorted(single) == [date(2026, 2, 27) + number * DAY for number in range(11)]
