"""Carries out a script: each kind of victim has a lane of its own, so that troubles overlap as they do in life."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

from bridge.nodes.node import Node
from tests.soak.fleet import Replica
from tests.soak.script import Action, Step
from tests.soak.takeover import Takeovers

Tell = Callable[[str], None]


class Breaking:
    """Breaks bridges and nodes when the script says so."""

    def __init__(
        self, replicas: Sequence[Replica], nodes: Mapping[str, Node], takeovers: Takeovers | None, tell: Tell
    ) -> None:
        self._replicas = {replica.name: replica for replica in replicas}
        self._nodes = nodes
        self._takeovers = takeovers
        self._tell = tell
        self.done: Counter[str] = Counter()
        """How often what was done to whom."""
        self.troubles: dict[str, list[tuple[float, float]]] = defaultdict(list)
        """From when until when a node, or a bridge that stood still, could not be relied on."""

    async def carry_out(self, steps: Sequence[Step]) -> None:
        """Do every step at its moment, or as soon as those before it in its lane are done."""
        began = time.monotonic()
        lanes = {lane: [step for step in steps if _lane(step) == lane] for lane in map(_lane, steps)}
        async with asyncio.TaskGroup() as group:
            for lane in lanes.values():
                group.create_task(self._follow(lane, began))

    async def _follow(self, lane: Sequence[Step], began: float) -> None:
        for step in lane:
            await asyncio.sleep(max(began + step.at - time.monotonic(), 0))
            if step.victim in self._nodes:
                await self._break_node(step)
            else:
                await self._break_bridge(step)

    async def _break_bridge(self, step: Step) -> None:
        replica = self._replicas[step.victim]
        if not replica.bridge.running:
            return
        self._note(step)
        match step.action:
            case Action.kill:
                pid = await replica.kill()
                if pid is not None and self._takeovers is not None:
                    self._takeovers.watch(pid)
            case Action.restart:
                await replica.restart()
            case Action.freeze:
                began = time.monotonic()
                await replica.freeze(step.seconds)
                self.troubles[step.victim].append((began, time.monotonic()))

    async def _break_node(self, step: Step) -> None:
        node, began = self._nodes[step.victim], time.monotonic()
        self._note(step)
        if step.action is Action.freeze:
            node.pause()
            await asyncio.sleep(step.seconds)
            node.resume()
        else:
            await asyncio.to_thread(node.kill if step.action is Action.kill else node.stop)
            await asyncio.sleep(step.seconds)
            await asyncio.to_thread(node.start)
        self.troubles[step.victim].append((began, time.monotonic()))

    def _note(self, step: Step) -> None:
        self.done[f"{_lane(step)}: {step.action}"] += 1
        lasts = step.victim in self._nodes or step.action is Action.freeze
        away = f" for {step.seconds:.1f} s" if lasts else ""
        self._tell(f"{step.action} {step.victim}{away}")


def _lane(step: Step) -> str:
    return step.victim.partition("/")[0]
