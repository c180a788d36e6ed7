"""Processes that carry commands out beside a simulated carrier, on one disk, and die anywhere; in virtual time."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from pydantic import SecretStr

from bridge.carriers.http import bounds
from bridge.carriers.shipx.client import ShipxClient
from bridge.commands.execute import Executor, Operation
from bridge.connections.gate import Gate
from bridge.events.cloudevents import Envelope
from bridge.lifecycle import Stop
from bridge.limits.connection import Limits
from bridge.model import Command, CommandState, Standing
from bridge.reconciling.learning import Learning
from bridge.reconciling.pace import Pace
from bridge.simulator import Scenario, Simulator, create_app
from bridge.store.commands import SqlCommands
from bridge.store.connections import SqlConnections
from bridge.store.facts import Recorder
from bridge.store.sealed import Vault
from bridge.store.sweeps import SqlSweeps
from tests.support.metrics import METRICS
from tests.unit.purchasing.disks import AnyDisk, Disk
from tests.unit.purchasing.stage import (
    CALL_WITHIN,
    CONNECTION,
    ORGANIZATION,
    TERMS,
    TOKEN,
    Crash,
    InlineDatabase,
    Points,
)
from tests.unit.purchasing.virtual_time import LoopClock, pass_time

LIMITS = Limits(per_minute=6000, at_once=4)
VAULT = Vault.with_keys([b"k" * 32])
POLL_S = 5.0
"""Whoever asks for something rings, and what is due later is known: to look every second finds nothing more."""


class Way(httpx.AsyncBaseTransport):
    """The way from one process to the carrier: it may die before and after every call."""

    def __init__(self, inner: httpx.AsyncBaseTransport, points: Points) -> None:
        self._inner = inner
        self._points = points

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._points.reach(f"before {request.method}")
        answer = await self._inner.handle_async_request(request)
        await self._points.reach(f"after {request.method}")
        return answer


def places(names: Sequence[str]) -> Sequence[int]:
    """Number the places where a process is to die: all of the first, and then every sixth; permits change nothing."""
    found = [at for at, name in enumerate(names, 1) if not name.endswith("a permit's commit")]
    return [*found[:30], *found[30::6]]


@dataclass
class Parts:
    """What a handler of one process may be made of."""

    stage: Stage
    client: ShipxClient
    http: httpx.AsyncClient
    gate: Gate
    database: InlineDatabase
    recorder: Recorder
    learning: Learning
    stop: Stop


Operations = Callable[[Parts], Mapping[str, Operation]]
"""What the processes of a story carry out, made anew for each."""


@dataclass
class Worker:
    """One process that carries commands out."""

    parts: Parts
    executor: Executor
    http: httpx.AsyncClient
    gate: Gate
    task: asyncio.Task[None] = field(init=False)

    def __post_init__(self) -> None:
        self.task = asyncio.create_task(self.executor.run())

    @property
    def crashed(self) -> bool:
        """Say whether it is gone; anything but our crash is a bug."""
        if not self.task.done():
            return False
        error = self.task.exception()
        bugs = error.split(Crash)[1] if isinstance(error, BaseExceptionGroup) else None
        if bugs is not None or not (error is None or isinstance(error, Crash | BaseExceptionGroup)):
            raise bugs or error or AssertionError
        return True

    async def end(self) -> None:
        """Ask it to end, and see it do so."""
        self.parts.stop.announce()
        if not self.crashed:
            await asyncio.wait([self.task])
        await self.gate.close()
        await self.http.aclose()


class Stage:
    """The carrier and the disk; processes come and go."""

    def __init__(self, operations: Operations, *, seed: int = 1, disk: AnyDisk | None = None, **scenario: Any) -> None:
        self.clock = LoopClock()
        self.operations = operations
        self.limits = LIMITS
        self.poll_s = POLL_S
        written = {"organizations": [TERMS], "delays": {"answer": [0, 0]}} | scenario
        nobody = httpx.MockTransport(lambda _: httpx.Response(200))
        self.app = create_app(Scenario.model_validate(written), clock=self.clock, seed=seed, transport=nobody)
        self.simulator: Simulator = self.app.state.simulator
        self.disk = disk or Disk()
        self.workers: list[Worker] = []
        headers = {"Authorization": f"Bearer {TOKEN}"}
        self.merchant = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://carrier", headers=headers
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Stage]:
        """Let the carrier run; at the end every process must still be able to end."""
        async with self.simulator.running(), self.merchant:
            yield self
            for worker in self.workers:
                await worker.end()
        self.disk.close()

    # -- the bridge ----------------------------------------------------------------------------------------------------

    def start(self, points: Points | None = None) -> Worker:
        """Start a process."""
        name, points = f"process-{len(self.workers) + 1}", points or Points()
        http = httpx.AsyncClient(
            transport=Way(httpx.ASGITransport(self.app), points), timeout=bounds(CALL_WITHIN.total_seconds())
        )
        recorder = Recorder(Envelope("test"))
        permits = SqlConnections(InlineDatabase(self.disk, points, self.clock, about="a permit's commit"), recorder)
        gate = Gate(permits, CONNECTION, self.limits, holder=name, clock=self.clock, dice=lambda: 0.5)
        client = ShipxClient(
            http,
            base_url="http://carrier",
            organization=ORGANIZATION,
            token=SecretStr(TOKEN),
            permits=gate,
            metrics=METRICS,
            clock=self.clock,
            version="0",
        )
        database = InlineDatabase(self.disk, points, self.clock)
        parts = Parts(self, client, http, gate, database, recorder, self._learning(database, recorder), Stop())
        executor = Executor(SqlCommands(database, VAULT, name), self.operations(parts), parts.stop, poll_s=self.poll_s)
        worker = Worker(parts, executor, http, gate)
        self.workers.append(worker)
        return worker

    def _learning(self, database: InlineDatabase, recorder: Recorder) -> Learning:
        sweeps = SqlSweeps(database, recorder, Pace(timedelta(seconds=15), timedelta(seconds=1800)))
        return Learning(sweeps, metrics=METRICS, clock=self.clock, on_events=lambda: None, on_wanted=lambda: None)

    async def give(self, operation: str, body: bytes, key: str = "one") -> Standing:
        """Give a command, as every edge does."""
        submitted = await self._commands.submit(Command(operation, key, body, "tests"))
        self.ring()
        return submitted.standing

    def ring(self) -> None:
        """Wake every process, as what is written about commands does."""
        for worker in self.workers:
            worker.executor.bell.ring()

    async def withdrawn(self, operation: str, key: str = "one") -> bool:
        """Take a command back where nothing of it was sent."""
        return await self._commands.withdraw(operation, key, only="live")

    async def standing(self, operation: str, key: str = "one") -> Standing:
        """Look at a command."""
        found = await self._commands.look(operation, key)
        assert found is not None
        return found

    async def ended(self, operation: str, key: str = "one", *, seconds: float = 3600) -> Standing:
        """Wait until a command is over; a process that died is started anew."""
        for _ in range(math.ceil(seconds / self.poll_s)):
            await pass_time(self.poll_s)
            if self.workers and all(worker.crashed for worker in self.workers):
                self.start()
            if (standing := await self.standing(operation, key)).state.is_over:
                return standing
        raise AssertionError(f"left {(await self.standing(operation, key)).state}")

    async def done(self, operation: str, key: str = "one") -> Mapping[str, Any]:
        """Wait for a command that succeeds, and give its result."""
        standing = await self.ended(operation, key)
        assert standing.state is CommandState.done, standing
        return standing.result or {}

    @property
    def _commands(self) -> SqlCommands:
        return SqlCommands(InlineDatabase(self.disk, Points(), self.clock), VAULT, "the one who asks")

    # -- looking behind ------------------------------------------------------------------------------------------------

    async def fault(self, kind: str, **matching: Any) -> None:
        """Let the next matching call meet a fault."""
        answer = await self.merchant.post("/_control/faults", json={"kind": kind, **matching})
        assert answer.status_code == 200, answer.text

    def told(self, name: str) -> list[tuple[str, dict[str, Any]]]:
        """List the events about a subject, in order: types and documents."""
        rows = self.disk.rows(
            "SELECT events.type, events.body, events.sequence FROM events"
            f" JOIN subjects ON subjects.id = events.subject_id WHERE subjects.name = '{name}' ORDER BY events.sequence"
        )
        assert [row[2] for row in rows] == list(range(1, len(rows) + 1))
        return [(row[0], json.loads(row[1])) for row in rows]
