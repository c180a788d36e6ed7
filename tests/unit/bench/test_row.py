"""Figures, what they are compared with, and whether they reach their goal."""

from __future__ import annotations

import pytest

from tests.bench.goal import Goal, at_least, at_most
from tests.bench.row import Row
from tests.bench.table import figure, verdict


@pytest.mark.parametrize(
    ("goal", "value", "expected"),
    [
        (at_least(0.6), 0.6, True),
        (at_least(0.6), 0.59, False),
        (at_least(0.6), 0.7, True),
        (at_most(15, "ms"), 15, True),
        (at_most(15, "ms"), 15.1, False),
        (at_most(15, "ms"), 2, True),
    ],
)
def test_a_goal_is_met_up_to_its_bound(goal: Goal, value: float, expected: bool) -> None:
    assert goal.is_met(value) is expected


def test_a_goal_says_what_it_asks() -> None:
    assert [str(at_least(0.6)), str(at_most(1.2, "s"))] == ["≥ 0.6", "≤ 1.2 s"]


def test_a_compared_row_is_judged_by_its_ratio() -> None:
    other = Row("theirs", "/s", values=[10_000, 5_000, 10_000])
    row = Row("ours", "/s", other, at_least(0.6), values=[6_500, 2_500, 6_000])
    assert row.ratio is not None
    assert (row.ratio.median, row.is_met) == (0.6, True)


def test_a_row_by_itself_is_judged_by_its_median() -> None:
    row = Row("p99", "ms", goal=at_most(15, "ms"), values=[1, 16, 90])
    assert (row.median, row.is_met) == (16, False)


def test_without_a_goal_or_where_it_cannot_be_judged_there_is_no_verdict() -> None:
    bare = Row("theirs", "/s", values=[1])
    unjudged = Row("two processes", "/s", bare, at_least(1.5), "2 cores", values=[1])
    assert (bare.is_met, unjudged.is_met) == (None, None)
    assert (verdict(bare).plain, verdict(unjudged).plain) == ("", "2 cores")


def test_a_row_is_written_for_programs_with_every_round() -> None:
    other = Row("theirs", "/s", values=[2.0, 4.0])
    row = Row("ours", "/s", other, at_least(1), remark="a remark", values=[3.0, 4.0])
    assert row.document() == {
        "what": "ours",
        "unit": "/s",
        "values": [3.0, 4.0],
        "median": 3.5,
        "against": "theirs",
        "ratio": {"median": 1.25, "least": 1.0, "most": 1.5},
        "goal": "≥ 1",
        "met": True,
        "unjudged": None,
        "remark": "a remark",
    }


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [("/s", 9_123.4, "9,123/s"), ("ms", 15.26, "15.3 ms"), ("s", 0.437, "0.44 s"), ("MiB", 314.0, "314 MiB")],
)
def test_a_figure_has_as_many_digits_as_mean_something(unit: str, value: float, expected: str) -> None:
    assert figure(Row("", unit), value) == expected
