"""The arithmetic of the benchmarks."""

from __future__ import annotations

import pytest

from tests.bench.errors import Failed
from tests.bench.figure import Ratio, quantile, ratio
from tests.bench.measures.history import rate


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([7.0], 0.99, 7.0),  # one value is every quantile
        ([1.0, 2.0], 0.5, 1.0),  # half of the values are not above the first
        ([3.0, 1.0, 2.0], 0.5, 2.0),  # whatever the order
        ([float(n) for n in range(1, 101)], 0.99, 99.0),
        ([float(n) for n in range(1, 101)], 0.5, 50.0),
        ([float(n) for n in range(1, 1001)], 0.999, 999.0),
        ([1.0, 2.0, 3.0], 0.0, 1.0),
        ([1.0, 2.0, 3.0], 1.0, 3.0),
    ],
)
def test_a_quantile_is_the_smallest_value_that_enough_values_do_not_exceed(
    values: list[float], share: float, expected: float
) -> None:
    assert quantile(values, share) == expected


def test_nothing_has_no_quantile_and_no_ratio() -> None:
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)
    with pytest.raises(ValueError, match="no rounds"):
        ratio([], [])


def test_a_ratio_divides_the_rounds_that_were_taken_next_to_each_other() -> None:
    """The machine was three times as slow in the second round: for both."""
    assert ratio([60.0, 20.0, 66.0], [100.0, 40.0, 100.0]) == Ratio(median=0.6, least=0.5, most=0.66)
    assert str(ratio([60.0, 20.0, 66.0], [100.0, 40.0, 100.0])) == "0.60 (0.50-0.66)"


def test_rounds_that_do_not_belong_together_are_not_divided() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio([1.0, 2.0], [1.0])


def test_the_rate_of_a_backlog_leaves_its_beginning_and_its_end_out() -> None:
    slow_start = [(0.0, 1000), (5.0, 900), (6.0, 500), (7.0, 100), (60.0, 0)]
    assert rate(slow_start) == 400.0


def test_a_backlog_that_is_gone_at_once_has_no_rate() -> None:
    with pytest.raises(Failed, match="too soon"):
        rate([(0.0, 1000), (0.1, 0)])
