"""Many shipments whose offers are prepared within a minute, beside a simulated carrier, in virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from bridge.limits.connection import Limits
from bridge.model import ShipmentId
from bridge.store.budget import Caps
from tests.bench.figure import quantile
from tests.bench.rivals.first_come import FirstCome
from tests.unit.purchasing.stage import DRAFT, LIVE, ORGANIZATION, Stage
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time

ARRIVE_S: Final = 60
LATENCY_S: Final = 0.2
_SECOND_S: Final = 1.0
_EFFECT_S: Final = 0.6
_PATIENCE_S: Final = 420
"""Beyond every window: what is not bought then never was in time."""
FAULTS: Final[dict[str, Any]] = {
    "offers_spoil": {"share": 0.01},
    "calls": [
        {"kind": kind, "share": share, **length, **of}
        for of in ({"method": "GET"}, {"method": "PUT"}, {"method": "POST", "path": "*buy"})
        for kind, share, length in (("limited", 0.05, {"seconds": [1, 2]}), ("hung_up", 0.01, {}))
    ],
}
"""An offer in a hundred is gone between read and buy, one call in twenty is too many, one answer in a hundred lost."""


@dataclass(frozen=True, slots=True)
class Rush:
    """So many shipments, a rate, and what goes wrong."""

    shipments: int
    per_minute: int
    faults: dict[str, Any] | None = None
    at_once: int = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. `left` are the seconds left in the window as each purchase was accepted, `doubled` charges."""

    in_time: float
    left: Sequence[float]
    calls_each: float
    doubled: int
    unfounded: int
    """Shipments that are bought and said not to be, or the other way round; what is still asked about is neither."""

    @property
    def slowest_left(self) -> float:
        """What 99 of a hundred had left at least."""
        return quantile(self.left, 0.01) if self.left else 0.0


def by_bridge(rush: Rush, seed: int) -> Outcome:
    """Let the bridge buy."""
    return in_virtual_time(_play(rush, seed, _start_bridge))


def by_first_come(rush: Rush, seed: int) -> Outcome:
    """Let the rival buy."""
    return in_virtual_time(_play(rush, seed, _start_rival))


Want = Callable[[Sequence[ShipmentId]], None]
Start = Callable[[Stage, Rush], tuple[Want, asyncio.Task[None] | None]]


async def _play(rush: Rush, seed: int, start: Start) -> Outcome:
    stage = Stage(
        limits=Limits(rush.per_minute, rush.at_once),
        funds="9999999.00",
        answers=LATENCY_S,
        purchase=_EFFECT_S,
        bulk_refusals="named",
        faults=rush.faults,
        seed=seed,
    )
    async with stage.open():
        want, task = start(stage, rush)
        expires: dict[int, datetime] = {}
        for second in range(ARRIVE_S):
            due = rush.shipments * (second + 1) // ARRIVE_S - rush.shipments * second // ARRIVE_S
            fresh = await asyncio.gather(*(_create(stage) for _ in range(due)))
            await pass_time(_SECOND_S / 10)  # the answers took as long as the offers
            now = stage.clock.now()
            expires |= dict.fromkeys(fresh, now + timedelta(minutes=5))
            want(fresh)
            await pass_time(_SECOND_S * 0.9 - LATENCY_S)
        await _wait_until_settled(stage, expires)
        if task is not None:
            task.cancel()
        return _outcome(stage, expires, of_bridge=task is None)


def _start_bridge(stage: Stage, _rush: Rush) -> tuple[Want, None]:
    stage.start(caps=Caps(per_day=1_000_000))
    return lambda fresh: stage.want(*fresh), None


def _start_rival(stage: Stage, rush: Rush) -> tuple[Want, asyncio.Task[None]]:
    rival = FirstCome(stage.merchant, rush.per_minute, rush.at_once)
    return rival.want, asyncio.create_task(rival.run())


async def _create(stage: Stage) -> ShipmentId:
    answer = await stage.merchant.post(f"/v1/organizations/{ORGANIZATION}/shipments", json=DRAFT)
    return ShipmentId(answer.json()["id"])


async def _wait_until_settled(stage: Stage, expires: dict[int, datetime]) -> None:
    for _ in range(_PATIENCE_S // 5):
        await pass_time(5)
        if len(stage.simulator.world.ledger.charges) >= len(expires) and not stage.live():
            return


def _outcome(stage: Stage, expires: dict[int, datetime], *, of_bridge: bool) -> Outcome:
    charges = stage.simulator.world.ledger.charges
    accepted = {charge.shipment_id: charge.at - timedelta(seconds=_EFFECT_S) for charge in charges}
    left = [(expires[one] - at).total_seconds() for one, at in accepted.items()]
    in_time = [one for one in left if one >= 0]
    states = {one: stage.state(ShipmentId(one)) for one in expires} if of_bridge else {}
    said = {one for one, state in states.items() if state == "succeeded"}
    denied = {one for one, state in states.items() if state not in (*LIVE, "succeeded")}
    return Outcome(
        in_time=100 * len(in_time) / len(expires),
        left=in_time,
        calls_each=stage.calls_of_programs() / max(len(accepted), 1),
        doubled=sum(n - 1 for n in Counter(charge.shipment_id for charge in charges).values()),
        unfounded=len(said - set(accepted)) + len(denied & set(accepted)),
    )
