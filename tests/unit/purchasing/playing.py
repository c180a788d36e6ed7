"""Plays a behaviour to its end, with a process struck somewhere on the way, and checks what may never differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.unit.purchasing.behaviours import FORGED, Behaviour
from tests.unit.purchasing.disks import AnyDisk
from tests.unit.purchasing.invariants import check
from tests.unit.purchasing.stage import Points, Stage
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time

FROZEN_S = 30.0
_QUIET_S = 10.0
"""For so long nothing more is told after the end, and after a process that stood still is awake again."""
_POLL_S = 5.0
"""All is wanted before anybody works on it, and what is due later is known: to look every second finds nothing more."""
_LEARNED = (
    "shipment, what, result, state_before, state_after, offer_id, carrier_status, payments,"
    " CASE WHEN result <> 'no_answer' THEN reason END"
)
"""What the journal says of a step, but for when it was, in whose hand, and in which way an answer was none."""
_OF_PERMITS = "a permit's commit"
_FIRST, _EACH = 14, 12
"""All of the first places of a story, and then every twelfth."""


@dataclass(frozen=True)
class Course:
    """What became of it: how many ended how, and how many intents failed; and what each learned, decided and told."""

    ends: Counter[tuple[str, str | None]]
    failed: int
    journal: Sequence[tuple[Any, ...]]
    told: Sequence[Sequence[tuple[str, str]]]


def undisturbed(behaviour: Behaviour, disk: AnyDisk | None = None) -> None:
    """Play it, and see it end as it should."""
    found = in_virtual_time(_play(behaviour, Points(), disk=disk))
    rest = behaviour.shipments - sum(behaviour.others.values())
    ends = Counter({**behaviour.others, (behaviour.ends, behaviour.reason): rest})
    assert (found.ends, found.failed) == (ends, behaviour.failed), found


def course(behaviour: Behaviour) -> tuple[Course, Sequence[str]]:
    """Play it, and say how it went and by which places, but for those around permits."""
    points = Points()
    found = in_virtual_time(_play(behaviour, points))
    return found, [name for name in points.names if not name.endswith(_OF_PERMITS)]


def dies(behaviour: Behaviour, at: int, *, then: int | None = None, disk: AnyDisk | None = None) -> None:
    """Play it; a process dies at this place, and another takes over. `then` is where that one dies."""
    second = None if then is None else Points(then)
    in_virtual_time(_play(behaviour, Points(at), second=second, disk=disk))


def stands_still(behaviour: Behaviour, at: int, *, disk: AnyDisk | None = None) -> None:
    """Play it; a process stands still at this place for half a minute, while another works."""
    in_virtual_time(_play(behaviour, Points(at, FROZEN_S), beside=True, disk=disk))


def places(
    behaviour: Behaviour, *, freeze: bool = False, every: bool = False, disk: AnyDisk | None = None
) -> Sequence[int]:
    """Number the places where a process can be struck: every one, or those where something else may come of it.

    Around permits no purchase changes, and the longer a story is, the more it repeats itself.
    """
    points = Points(freeze=FROZEN_S if freeze else 0)
    in_virtual_time(_play(behaviour, points, disk=disk))
    found = [at for at, name in enumerate(points.names, 1) if every or not name.endswith(_OF_PERMITS)]
    return found if every else [*found[:_FIRST], *found[_FIRST::_EACH]]


async def _play(
    behaviour: Behaviour,
    points: Points,
    *,
    beside: bool = False,
    second: Points | None = None,
    disk: AnyDisk | None = None,
) -> Course:
    async with Stage(**behaviour.carrier, disk=disk).open() as stage:
        stage.regenerations = behaviour.regenerations
        stage.poll_s = _POLL_S
        if behaviour.shipments > 1:
            await stage.bought_before()
        shipments = [await stage.create(**behaviour.draft) for _ in range(behaviour.shipments)]
        stage.troubles |= {
            "GET": list(behaviour.reads),
            "POST": list(behaviour.buys),
            "PUT": list(behaviour.edits),
            "LIST": list(behaviour.lists),
            "BULK": list(behaviour.bulk),
        }
        await behaviour.before(stage, shipments)
        stage.want(*shipments)
        struck = stage.start(points)
        if beside:
            stage.start()
        if second is not None:
            while not struck.crashed:
                await pass_time(0.25)
            stage.start(second)
        wanted = [*shipments, *stage.wanted([FORGED])]
        ends = [(await stage.settled(one), stage.reason(one)) for one in wanted]
        told = [stage.told(one) for one in wanted]
        await _quiet(points)
        assert [stage.told(one) for one in wanted] == told
        check(stage, shipments, bought_by_carrier=shipments if behaviour.ends == "not_ours" else [])
        failed = sum(one.type == "purchase_failed" for each in told for one in each)
        journal = stage.disk.rows(f"SELECT {_LEARNED} FROM journal ORDER BY id")
        return Course(
            Counter(ends[: len(shipments)]), failed, journal, [[(one.type, one.facet) for one in each] for each in told]
        )


async def _quiet(points: Points) -> None:
    """Let time pass until who stood still is awake again, and a while longer."""
    await pass_time(points.still_frozen() + _QUIET_S)
    if points.still_frozen():  # since after the end
        await _quiet(points)
