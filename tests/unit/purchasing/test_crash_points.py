"""Wherever a process dies or stands still: one charge at most, nothing left open, and every fact told once.

Each behaviour of the carrier is first played through undisturbed, which shows the places where a process can be struck:
before and after every commit that changes something, before and after every call. Then it is played again for each of
these places: the process dies there and another takes over; or it stands still for half a minute while another works.
Of behaviours that are the same to whoever buys, one stands for the others there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
import structlog

from tests.unit.purchasing.behaviours import ALIKE, BEHAVIOURS, OF_MANY
from tests.unit.purchasing.playing import course, dies, places, stands_still, undisturbed

PLAYED: Counter[str] = Counter()
STRUCK = [name for name in BEHAVIOURS if name not in ALIKE]
EVERYWHERE = ("plain", "429", "502, late effect", "unavailable", "expired")
"""Behaviours in which a process is struck around permits, too."""
TWICE = ("plain", "429", "no funds", "answer timed out", "unavailable")


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Keep thousands of log lines out of the report."""
    with structlog.testing.capture_logs():
        yield


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_it_ends_as_it_should_when_nobody_is_struck(name: str) -> None:
    undisturbed(BEHAVIOURS[name])
    PLAYED["undisturbed"] += 1


@pytest.mark.parametrize(("name", "like"), ALIKE.items())
def test_a_behaviour_that_another_stands_for_goes_as_that_one_does(name: str, like: str) -> None:
    assert like in STRUCK
    (found, passed), (expected, others) = course(BEHAVIOURS[name]), course(BEHAVIOURS[like])
    assert found == expected
    rest = iter(others)
    assert all(place in rest for place in passed), "in the same order, with others between them"


@pytest.mark.parametrize("name", STRUCK)
def test_a_process_dies_at_any_place(name: str) -> None:
    for at in places(BEHAVIOURS[name], every=name in EVERYWHERE):
        dies(BEHAVIOURS[name], at)
        PLAYED["died"] += 1


@pytest.mark.parametrize("name", STRUCK)
def test_a_process_stands_still_at_any_place_while_another_works(name: str) -> None:
    for at in places(BEHAVIOURS[name], freeze=True, every=name in EVERYWHERE):
        stands_still(BEHAVIOURS[name], at)
        PLAYED["stood still"] += 1


@pytest.mark.parametrize("name", TWICE)
def test_a_process_dies_at_any_place_and_so_does_the_next(name: str) -> None:
    for at in places(BEHAVIOURS[name]):
        for then in (1, 2, 4):
            dies(BEHAVIOURS[name], at, then=then)
            PLAYED["died twice"] += 1


@pytest.mark.parametrize("name", OF_MANY)
def test_many_end_as_they_should_when_nobody_is_struck(name: str) -> None:
    undisturbed(OF_MANY[name])
    PLAYED["many, undisturbed"] += 1


@pytest.mark.parametrize("name", OF_MANY)
def test_a_process_that_buys_many_dies_at_any_place(name: str) -> None:
    for at in places(OF_MANY[name], every=name == "plain"):
        dies(OF_MANY[name], at)
        PLAYED["many, died"] += 1


@pytest.mark.parametrize("name", OF_MANY)
def test_a_process_that_buys_many_stands_still_at_any_place_while_another_works(name: str) -> None:
    for at in places(OF_MANY[name], freeze=True, every=name == "plain"):
        stands_still(OF_MANY[name], at)
        PLAYED["many, stood still"] += 1


def test_how_many_cases_that_were(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{PLAYED.total()} purchases: {dict(PLAYED)}")
