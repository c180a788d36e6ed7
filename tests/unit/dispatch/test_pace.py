"""How often the carrier is asked about an order, and when it is not asked any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.dispatch import news
from bridge.dispatch.pace import FORGOTTEN, Pace
from bridge.dispatch.words import state_of
from bridge.store.dispatches import Kept
from tests.unit.dispatch.making import OURS, T0, after, found

PACE = Pace(timedelta(seconds=15), timedelta(seconds=1800))


def kept(status: str = "new") -> Kept:
    return replace(news.first(OURS, found(status), T0), state=state_of(status))


@pytest.mark.parametrize(("quiet", "seconds"), [(0, 15), (1, 30), (2, 60), (6, 960), (7, 1800), (1000, 1800)], ids=str)
def test_it_is_asked_half_as_often_after_each_look_without_news(quiet: int, seconds: int) -> None:
    assert PACE.due_at(replace(kept(), quiet=quiet), T0) == after(seconds)


@pytest.mark.parametrize(
    ("status", "is_over"),
    [("new", False), ("sent", False), ("accepted", False), ("beamed_up", False)]
    + [(one, True) for one in ("done", "rejected", "canceled")],
)
def test_what_is_over_is_not_asked_about(status: str, is_over: bool) -> None:
    assert (PACE.due_at(kept(status), T0) is None) is is_over


def test_without_news_for_long_nothing_is_expected_any_more() -> None:
    assert PACE.due_at(kept(), T0 + FORGOTTEN) is not None
    assert PACE.due_at(kept(), T0 + FORGOTTEN + timedelta(seconds=1)) is None
