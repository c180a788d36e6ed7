"""The ways that parcels may go, and which of them goes which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Annotated, Final, Protocol, TypeVar

from pydantic import Field

from bridge.simulator.chance import Chance
from bridge.simulator.parts import Part, Seconds
from bridge.simulator.schedule import Schedule

GOLDEN: Final = 0.6180339887498949


class Shared(Protocol):
    """What falls to a share of the parcels."""

    @property
    def share(self) -> float: ...


Plan = TypeVar("Plan", bound=Shared)


def chosen(plans: Sequence[Plan], number: int, offset: float) -> Plan | None:
    """Choose by a parcel's number, so that the order in which things happen changes nothing.

    Multiples of the golden ratio spread evenly: few parcels show the shares well (every fifth within eight).
    """
    shares = list(accumulate(plan.share for plan in plans))
    if not shares:
        return None
    point = (offset + number * GOLDEN) % 1 * shares[-1]
    return next(plan for plan, upto in zip(plans, shares, strict=True) if point < upto)


class CourseStep(Part):
    """One status of a return, in its provider's spelling, `after` seconds from the one before."""

    status: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,64}$")]
    after: Seconds


class Course(Part):
    """What happens to a share of the returns once they exist."""

    name: str
    share: Annotated[float, Field(gt=0)] = 1.0
    steps: tuple[CourseStep, ...]


class Courses:
    """Deal the scenario's courses out to a provider's returns and walk each return through its own."""

    def __init__(self, provider: str, plans: Sequence[Course], chance: Chance, schedule: Schedule) -> None:
        self._plans = plans
        self._offset = chance.draw("courses", provider)
        self._schedule = schedule

    def start(self, number: int, enter: Callable[[str], bool]) -> None:
        """Send the nth return on its way; `enter` says whether it goes on."""
        if plan := chosen(self._plans, number, self._offset):
            self._next(plan.steps, enter)

    def _next(self, steps: Sequence[CourseStep], enter: Callable[[str], bool]) -> None:
        if steps:
            self._schedule.after(steps[0].after, lambda: self._take(steps, enter))

    def _take(self, steps: Sequence[CourseStep], enter: Callable[[str], bool]) -> None:
        if enter(steps[0].status):
            self._next(steps[1:], enter)
