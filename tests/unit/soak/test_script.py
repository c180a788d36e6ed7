"""What is broken when: planned from the seed before anything runs."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random

from tests.soak.script import BRIDGES, BROKER, DATABASE, Action, script

FLEET = ["bridge/1", "bridge/2", "bridge/3"]


def test_the_same_seed_plans_the_same() -> None:
    assert script(Random(7), 600, FLEET, has_server=True) == script(Random(7), 600, FLEET, has_server=True)
    assert script(Random(7), 600, FLEET, has_server=True) != script(Random(8), 600, FLEET, has_server=True)


def test_an_hour_breaks_everybody_in_every_way() -> None:
    steps = script(Random(1), 3600, FLEET, has_server=True)
    assert {(step.victim, step.action) for step in steps} == {
        (victim, action) for victim in (*FLEET, BROKER, DATABASE) for action in Action
    }


def test_steps_come_in_order_within_the_time() -> None:
    steps = script(Random(2), 300, FLEET, has_server=True)
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert all(0 < step.at < 300 for step in steps)


def test_a_minute_is_enough_for_one_of_each_kind() -> None:
    for seed in range(200):
        kinds = Counter(step.victim.partition("/")[0] for step in script(Random(seed), 60, FLEET, has_server=True))
        assert set(kinds) == {"bridge", BROKER, DATABASE}, seed


def test_a_file_has_no_server_to_break() -> None:
    assert DATABASE not in {step.victim for step in script(Random(3), 3600, FLEET[:1], has_server=False)}


def test_a_victim_is_left_alone_between_its_troubles() -> None:
    steps = [step for step in script(Random(4), 3600, FLEET, has_server=True) if step.victim.startswith("bridge")]
    assert min(later.at - earlier.at for earlier, later in pairwise(steps)) >= BRIDGES.pause[0]
