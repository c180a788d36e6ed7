"""How far lists are believed, and how many are asked for by one."""

from __future__ import annotations

from datetime import date

import pytest

from bridge.carriers.shipx.trust import Trust

TODAY, TOMORROW = date(2026, 10, 10), date(2026, 10, 11)
SAME = Trust().compared(TODAY, same=True)


def test_it_is_one_by_one_until_a_list_was_compared() -> None:
    assert (Trust().is_due(TODAY), Trust().at_once(TODAY), Trust().differ) == (True, 1, False)


def test_a_comparison_holds_for_the_day() -> None:
    assert (SAME.is_due(TODAY), SAME.at_once(TODAY)) == (False, 20)
    assert (SAME.is_due(TOMORROW), SAME.at_once(TOMORROW)) == (True, 1)


def test_where_lists_differ_it_is_one_by_one_for_the_day_and_that_is_known_until_they_are_compared_again() -> None:
    differing = SAME.compared(TODAY, same=False)
    assert (differing.is_due(TODAY), differing.at_once(TODAY), differing.differ) == (False, 1, True)
    assert (differing.at_once(TOMORROW), differing.differ) == (1, True)
    assert differing.compared(TOMORROW, same=True) == Trust(TOMORROW, 20, differ=False)


def test_twice_as_many_are_asked_for_as_long_as_all_come_up_to_a_hundred() -> None:
    trust, sizes = SAME, [20]
    for _ in range(4):
        trust = trust.listed(trust.most, trust.most)
        sizes.append(trust.most)
    assert sizes == [20, 40, 80, 100, 100]


@pytest.mark.parametrize(
    ("most", "asked", "came", "then"),
    [
        pytest.param(80, 79, 79, 80, id="fewer were asked for than may be: that says nothing of more"),
        pytest.param(80, 80, 79, 80, id="one that nobody has is no reason to ask for fewer"),
        pytest.param(80, 80, 60, 80, id="a quarter neither"),
        pytest.param(80, 80, 50, 40, id="much is missing: it may be that a list takes no more"),
        pytest.param(80, 40, 10, 80, id="much of a short list"),
        pytest.param(20, 20, 0, 20, id="no fewer than at first"),
        pytest.param(100, 100, 50, 50, id="half of a hundred"),
    ],
)
def test_how_many_are_asked_for_goes_by_how_many_came(most: int, asked: int, came: int, then: int) -> None:
    assert Trust(TODAY, most).listed(asked, came).most == then


def test_a_list_that_is_not_believed_makes_no_difference() -> None:
    assert Trust(TODAY, 1, differ=True).listed(1, 1) == Trust(TODAY, 1, differ=True)
