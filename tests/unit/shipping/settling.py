"""What is needed to have returns settled on a stage: some that are in doubt, and processes that look for them."""

from __future__ import annotations

import json
from typing import Any

from bridge.model import CommandState, Standing
from bridge.shipping.returns.asked import SettleReturn
from bridge.shipping.returns.doubting.doubts import Doubts
from bridge.shipping.returns.doubting.settling import Settling
from tests.unit.purchasing.stage import Crash, Points
from tests.unit.purchasing.virtual_time import pass_time
from tests.unit.shipping.returning import CREATE, PATHS, ask, keeping, makers, returning, wanted, without_providers
from tests.unit.shipping.stage import VAULT, Parts, Stage, Worker

SETTLE = SettleReturn.operation
SECONDS = 15
"""From one round to the next."""


def doubts(parts: Parts) -> Doubts:
    return Doubts(parts.database, VAULT, keeping(parts), parts.stage.clock)


operations = returning()
"""What a process carries out that makes returns and settles them."""


async def left_in_doubt(stage: Stage, key: str = "one") -> Standing:
    """Have a process go on with a command that can ask nobody, until it is over."""
    for worker in stage.workers:
        await worker.end()
    stage.operations = without_providers
    stage.start()
    standing = await stage.ended(CREATE, key, seconds=60)
    await stage.workers[-1].end()
    stage.operations = operations
    return standing


async def doubted(stage: Stage, provider: str, kind: str, key: str = "one", **changes: Any) -> None:
    """Have a return asked for whose answer is lost, and nobody find out what became of it."""
    stage.operations = operations
    stage.start()
    await stage.fault(kind, method="POST", path=PATHS[provider])
    await ask(stage, wanted(provider, **changes), key)
    await pass_time(1)
    assert (await left_in_doubt(stage, key)).state is CommandState.unknown
    await stage.merchant.delete("/_control/faults")


def settlers(worker: Worker) -> list[Settling]:
    """Make what a process looks for returns with."""
    parts = worker.parts
    return [Settling(name, maker, doubts(parts), parts.stop) for name, maker in makers(parts).items()]


async def look_for(stage: Stage, seconds: float, points: Points | None = None) -> None:
    """Look for what is in doubt for a while, round after round; a process that dies is followed by another one."""
    worker = stage.start(points)
    rounds = settlers(worker)
    for _ in range(int(seconds / SECONDS)):
        try:
            for one in rounds:
                await one.look()
        except Crash:
            worker = stage.start()
            rounds = settlers(worker)
        await pass_time(SECONDS)


def settlement(return_id: str, **found: Any) -> bytes:
    """Write what a person found out."""
    return SettleReturn.model_validate_json(json.dumps({"return_id": return_id, "found": found})).canonical


async def say(stage: Stage, return_id: str, key: str = "by-hand", **found: Any) -> Standing:
    """Give what a person found out."""
    await stage.give(SETTLE, settlement(return_id, **found), key)
    return await stage.ended(SETTLE, key, seconds=60)
