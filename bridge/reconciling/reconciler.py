"""The reconciler: the rounds of each name are made by one process at a time, again and again, by a lease.

A name is an organization's number, or a connection to a provider of returns. Leases are not checked again when a round
writes: what two processes read at once becomes the same facts, and costs calls alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from bridge.errors import StoreError
from bridge.lifecycle import Bell, Stop
from bridge.ports import Leases

log = structlog.get_logger()

_RENEW_S: Final = 2.0
_LOOK_S: Final = 1.0
"""Between two looks at what somebody else holds: a lease of eight seconds and this are less than ten."""


@dataclass(frozen=True, slots=True)
class Round:
    """Something that is done again and again, with so long a rest in between."""

    name: str
    every_s: float
    make: Callable[[], Awaitable[None]]


class Reconciler:
    """Makes the rounds of those names whose lease this process holds."""

    def __init__(self, leases: Leases, rounds: Mapping[str, Sequence[Round]], stop: Stop) -> None:
        self._leases = leases
        self._rounds = rounds
        self._stop = stop
        self._names = {name: f"reconcile/{name}" for name in rounds}
        self._held: frozenset[str] = frozenset()
        self._bells: dict[str, list[Bell]] = {name: [] for name in rounds}

    @property
    def next_look(self) -> float:
        """After how many seconds to ask for the leases again: sooner where others have some, for they may be gone."""
        return _RENEW_S if len(self._held) == len(self._names) else _LOOK_S

    async def run(self) -> None:
        """Make rounds until the end is announced, then give the leases back."""
        async with asyncio.TaskGroup() as hands:
            hands.create_task(self._keep())
            for name, rounds in self._rounds.items():
                for one in rounds:
                    bell = self._stop.bell()
                    self._bells[name].append(bell)
                    hands.create_task(self._again(name, one, bell))
        await self._leave()

    async def _keep(self) -> None:
        """Hold what can be had. Where the database is away nothing is ours: what was read could not be kept."""
        bell = self._stop.bell()
        while not self._stop:
            try:
                tokens = await self._leases.hold(list(self._names.values()))
                held = frozenset(name for name, lease in self._names.items() if lease in tokens)
            except StoreError as error:
                log.warning("reconciler.store_unavailable", reason=str(error))
                held = frozenset()
            for name in held - self._held:
                log.info("reconciler.begun", name=name)
                for waiting in self._bells[name]:
                    waiting.ring()
            self._held = held
            await bell.wait(self.next_look)

    async def _again(self, name: str, one: Round, bell: Bell) -> None:
        while not self._stop:
            if name in self._held:
                try:
                    await one.make()
                except StoreError as error:
                    log.warning("reconciler.round_failed", round=one.name, name=name, reason=str(error))
            if not self._stop:  # its ring may have ended a rest already
                await bell.wait(one.every_s)

    async def _leave(self) -> None:
        try:
            await self._leases.release(list(self._names.values()))
        except StoreError as error:  # they end by themselves
            log.info("reconciler.not_released", reason=str(error))
