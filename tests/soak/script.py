"""What is broken, when, and for how long: made from the seed before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final


class Action(StrEnum):
    """What is done to a process."""

    kill = "kill"
    """`kill -9`, and a start."""
    restart = "restart"
    """An orderly end, and a start."""
    freeze = "freeze"
    """It stands still with its connections open, and goes on."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something done to a victim at a moment. `seconds`: for how long it is away (a bridge: only where it freezes)."""

    at: float
    victim: str
    action: Action
    seconds: float


BROKER: Final = "broker"
DATABASE: Final = "database"


@dataclass(frozen=True, slots=True)
class Habit:
    """How often a kind of victim is broken, how, and for how long."""

    pause: tuple[float, float]
    weights: tuple[int, int, int]
    """Of kill, restart, freeze."""
    away: tuple[float, float]


BRIDGES: Final = Habit(pause=(5, 15), weights=(5, 3, 2), away=(0.5, 12))
"""A bridge that stands still for longer than its leases wakes up to find its work with somebody else."""
BROKERS: Final = Habit(pause=(20, 60), weights=(4, 3, 3), away=(0, 12))
DATABASES: Final = Habit(pause=(25, 70), weights=(4, 3, 3), away=(0, 9))


def script(random: Random, seconds: float, bridges: Sequence[str], *, has_server: bool) -> list[Step]:
    """Plan so many seconds: bridges, broker and, where there is one, the database server, independently."""
    steps = _steps(random, seconds, bridges, BRIDGES) + _steps(random, seconds, [BROKER], BROKERS)
    if has_server:
        steps += _steps(random, seconds, [DATABASE], DATABASES)
    return sorted(steps, key=lambda step: step.at)


def _steps(random: Random, seconds: float, victims: Sequence[str], habit: Habit) -> list[Step]:
    steps: list[Step] = []
    at = random.uniform(1, habit.pause[0])
    while at < seconds:
        action = random.choices(list(Action), habit.weights)[0]
        steps.append(Step(at, random.choice(victims), action, random.uniform(*habit.away)))
        at += random.uniform(*habit.pause)
    return steps
