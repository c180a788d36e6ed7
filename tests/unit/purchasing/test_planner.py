"""What is taken in hand next: the most urgent first, one by one where there is time, together where there is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bridge.model import OrganizationId
from bridge.purchasing.planner import Hands, Means, is_crowded, plan, projected_missed
from bridge.store.outlook import Errand, Outlook, Take

ORGANIZATION = OrganizationId(4821)
SCARCE = Means(per_second=1, at_once=2, call_s=0.3)
"""A call a second: a purchase takes two of them."""
BULK = replace(SCARCE, most=100)
settle, buy, confirm, renew, look = Errand


def due(*wanted: tuple[float, int], settle: int = 0, confirm: int = 0, over: int = 0, looks: int = 0) -> Outlook:
    return Outlook(ORGANIZATION, settle, confirm, wanted, over, looks)


# -- how many calls there are ------------------------------------------------------------------------------------------

CALLS: list[tuple[Means, float, str]] = [
    (Means(1, 2, 0.3), 1, "the rate is what is scarce"),
    (Means(100, 2, 0.5), 4, "answers are what is scarce: two at once, two a second each"),
    (Means(10, 1, 0.1), 10, "both alike"),
    (Means(1, 2, 20), 0.1, "a carrier that hardly answers"),
]


@pytest.mark.parametrize(("means", "calls", "remark"), CALLS, ids=[row[2] for row in CALLS])
def test_calls_are_as_many_as_the_rate_and_the_answers_allow(means: Means, calls: float, remark: str) -> None:
    assert means.calls_per_second == pytest.approx(calls), remark


# -- crowds ------------------------------------------------------------------------------------------------------------

CROWDS: list[tuple[Outlook, bool, str]] = [
    (due(), False, "nothing"),
    (due((300, 1)), False, "one"),
    (due((1, 1)), False, "one, whose window is about to close: nobody is before it"),
    (due((300, 15)), False, "as many as a tenth of the window is enough for"),
    (due((300, 16)), True, "one more"),
    (due((100, 1), (300, 14)), False, "windows are added up"),
    (due((100, 1), (300, 15)), True, "by when they close"),
    (due((20, 2), (300, 1)), True, "the first two have no time, the others have"),
    (due((40, 2), (300, 1)), False, "now they have"),
    (due((-5, 1000)), False, "what is over is in nobody's way"),
    (due((0, 1000)), False, "and so is what ends now"),
    (due((-5, 1000), (300, 15)), False, "and it is not added up"),
    (due(settle=10), False, "ten reads take ten seconds"),
    (due(settle=11), True, "eleven are too long for whoever is in doubt"),
    (due(settle=5, confirm=6), True, "the same calls read what was accepted"),
    (due(looks=10_000), False, "what nobody works on is in nobody's way"),
]


@pytest.mark.parametrize(("outlook", "expected", "remark"), CROWDS, ids=[row[2] for row in CROWDS])
def test_it_is_crowded_where_single_calls_take_too_much_of_somebodys_time(
    outlook: Outlook, *, expected: bool, remark: str
) -> None:
    assert is_crowded(outlook, SCARCE) is expected, remark
    assert is_crowded(outlook, BULK) is expected, "how many one call may be about has nothing to do with it"


def test_what_is_a_crowd_to_a_low_rate_is_none_to_a_high_one() -> None:
    crowd = due((300, 100), settle=50)
    assert is_crowded(crowd, SCARCE)
    assert not is_crowded(crowd, Means(per_second=10, at_once=10, call_s=0.3))
    assert is_crowded(crowd, Means(per_second=10, at_once=1, call_s=1)), "unless its answers take their time"
    assert not is_crowded(due(settle=1), Means(per_second=1 / 60, at_once=1, call_s=1)), "one is never a crowd"


# -- plans -------------------------------------------------------------------------------------------------------------

FREE = Hands(8)
Idle = Mapping[Errand, float]
JUST_NOW: Idle = {settle: 0.5, buy: 0.5, confirm: 0.5}
LONG_AGO: Idle = {settle: 2, buy: 2, confirm: 2}

PLANS: list[tuple[Outlook, Means, Hands, list[Take], str]] = [
    # what is due, what the carrier allows, which hands are free; what is taken
    (due(), BULK, FREE, [], "nothing"),
    (due((300, 1)), BULK, Hands(0), [], "no hand is free"),
    (due((300, 3)), BULK, FREE, [Take(buy, 1)] * 3, "few: one by one, for that is quickest"),
    (due((300, 3)), BULK, Hands(2), [Take(buy, 1)] * 2, "as many as there are hands"),
    (
        due((300, 1), settle=1, confirm=1),
        BULK,
        FREE,
        [Take(settle, 1), Take(buy, 1), Take(confirm, 1)],
        "the most urgent errand first",
    ),
    (
        due((300, 5), settle=2, confirm=1),
        BULK,
        Hands(3),
        [Take(settle, 1)] * 2 + [Take(buy, 1)],
        "money comes first",
    ),
    (due((300, 3), settle=5), BULK, Hands(2), [Take(settle, 1)] * 2, "and if that is all there is room for"),
    (
        due((300, 250)),
        BULK,
        FREE,
        [Take(buy, 100)] * 2 + [Take(buy, 50)],
        "many: calls that are full, and the rest",
    ),
    (due((300, 250)), BULK, Hands(2), [Take(buy, 100)] * 2, "as many as there are hands"),
    (due((300, 250)), SCARCE, Hands(2), [Take(buy, 1)] * 2, "a carrier that has not shown yet how many go by one call"),
    (
        due((300, 250), settle=3, confirm=7),
        BULK,
        FREE,
        [Take(settle, 3), Take(buy, 100), Take(buy, 100), Take(buy, 50), Take(confirm, 7)],
        "a crowd anywhere is one everywhere: the calls are the same",
    ),
    (
        due((300, 250)),
        BULK,
        Hands(8, JUST_NOW),
        [Take(buy, 100)] * 2,
        "after a call just now the rest waits",
    ),
    (due((300, 50)), BULK, Hands(8, JUST_NOW), [], "and so does what fills none"),
    (due((300, 50)), BULK, Hands(8, LONG_AGO), [Take(buy, 50)], "for two seconds"),
    (due((300, 50)), BULK, Hands(8, {settle: 0.5}), [Take(buy, 50)], "another errand's call is not waited after"),
    (
        due((14.9, 1), (300, 50)),
        BULK,
        Hands(8, JUST_NOW),
        [Take(buy, 51)],
        "nothing waits at the end of a window",
    ),
    (due((15, 1), (300, 50)), BULK, Hands(8, JUST_NOW), [], "which is the last fifteen seconds"),
    (due(over=3), BULK, FREE, [Take(renew, 1)], "windows that are over: one after the other"),
    (due((300, 3), over=3), BULK, Hands(4), [Take(buy, 1)] * 3, "the last hand is for windows that are open"),
    (due((300, 3), over=3), BULK, Hands(5), [Take(buy, 1)] * 3 + [Take(renew, 1)], "one to spare is not"),
    (due((300, 250), over=30), BULK, FREE, [Take(buy, 100)] * 2 + [Take(buy, 50), Take(renew, 10)], "ten in a crowd"),
    (due(looks=3), SCARCE, FREE, [Take(look, 3)], "what nobody works on: a list of all of them"),
    (due(looks=250), SCARCE, FREE, [Take(look, 100)], "one list, so that forged webhooks make few calls"),
    (due((300, 1), looks=250), BULK, Hands(2), [Take(buy, 1)], "after everything else"),
    (due(looks=99), BULK, Hands(8, {look: 9.9}), [], "a list waits until it is full"),
    (due(looks=99), BULK, Hands(8, {look: 10}), [Take(look, 99)], "for ten seconds"),
    (due(looks=100), BULK, Hands(8, {look: 0}), [Take(look, 100)], "and goes at once when it is"),
    (due(settle=30), BULK, Hands(8, JUST_NOW), [], "reads wait for a full call as well"),
    (due(settle=30), BULK, Hands(8, LONG_AGO), [Take(settle, 30)], "for two seconds"),
    (due((10, 3), settle=30), BULK, Hands(8, JUST_NOW), [Take(buy, 3)], "and are not hurried by a window that closes"),
    (due((300, 3)), BULK, Hands(8, JUST_NOW), [Take(buy, 1)] * 3, "where it is not crowded nobody waits"),
    (due((300, 50)), SCARCE, Hands(3, JUST_NOW), [Take(buy, 1)] * 3, "nor where a call is about one alone"),
]


@pytest.mark.parametrize(("outlook", "means", "hands", "takes", "remark"), PLANS, ids=[row[4] for row in PLANS])
def test_a_plan(outlook: Outlook, means: Means, hands: Hands, takes: list[Take], remark: str) -> None:
    assert list(plan(outlook, means, hands)) == takes, remark
    assert list(plan(outlook, means, hands)) == takes, "it says the same of the same moment"


# -- what will be missed -----------------------------------------------------------------------------------------------

MISSES: list[tuple[Outlook, Means, int, str]] = [
    (due(), SCARCE, 0, "nothing"),
    (due((300, 150)), SCARCE, 0, "two calls each, a call a second"),
    (due((300, 151)), SCARCE, 1, "one too many"),
    (due((300, 151)), BULK, 0, "together they are few"),
    (due((300, 15_001)), BULK, 1, "and that has an end too"),
    (due((1, 1)), SCARCE, 0, "there is always time for one"),
    (due((1, 100)), BULK, 0, "or one call"),
    (due((1, 101)), BULK, 1, "and no more than that"),
    (due((10, 8), (300, 10)), SCARCE, 3, "those that close first, though there is time for the others"),
    (due((10, 8), (20, 8)), SCARCE, 6, "and those after them, who wait for their turn"),
    (due((-5, 1000), (300, 10)), SCARCE, 0, "what is missed already is not counted again"),
    (due(settle=1000, confirm=1000), SCARCE, 0, "what was asked for has no window"),
]


@pytest.mark.parametrize(("outlook", "means", "missed", "remark"), MISSES, ids=[row[3] for row in MISSES])
def test_windows_that_will_close_unbought_are_counted(outlook: Outlook, means: Means, missed: int, remark: str) -> None:
    assert projected_missed(outlook, means) == missed, remark
