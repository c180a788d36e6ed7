"""What is needed to see what becomes of returns on a stage: the rounds of a process, and what they tell."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import uuid4

import httpx

from bridge.app.providers.opening import return_rounds
from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.carriers.http import bounds
from bridge.connections.gate import Gate
from bridge.events.cloudevents import Envelope
from bridge.lifecycle import Loops
from bridge.reconciling.reconciler import Reconciler
from bridge.settings import load
from bridge.store.connections import SqlConnections
from bridge.store.facts import Recorder
from bridge.store.leases import SqlLeases
from tests.unit.purchasing.stage import CALL_WITHIN, CONNECTION, InlineDatabase, Points
from tests.unit.purchasing.virtual_time import pass_time
from tests.unit.shipping.returning import (
    CODES,
    CREATE,
    PLATFORM,
    SCENARIO,
    TICKETS,
    accounts_over,
    ask,
    at_provider,
    returning,
    wanted,
)
from tests.unit.shipping.stage import LIMITS, VAULT, Stage, Way

MINUTE: Final = 60.0
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
MOVES: Final = {
    TICKETS: ("inpost-returns/tickets", "id"),
    CODES: ("szybkie-zwroty/codes", "code"),
    PLATFORM: ("intelligentreturns/returns", "id"),
}
"""Where the simulator lets a return move on, and what it calls one."""


class Counted(httpx.AsyncBaseTransport):
    """Counts what a process asks for, and lets things happen while it does: `meanwhile` is awaited after an answer.

    `most` is how many rows the provider gives at once, however many are asked for; where it `drops_times`, it gives
    what was created at any time. `garbled` is what becomes of a part of its answers on the way, `emptied` what is
    answered instead of all that has a part. Paths that end as `forbidden` are answered 403 by somebody before it.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.asked: list[httpx.URL] = []
        self.bodies: list[bytes] = []
        self.meanwhile: Callable[[httpx.URL], Awaitable[None]] | None = None
        self.most: int | None = None
        self.drops_times = False
        self.garbled: tuple[bytes, bytes] | None = None
        self.emptied: tuple[bytes, bytes] | None = None
        self.forbidden: str | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.drops_times:
            ever = {"dateFrom": "2000-01-01T00:00:00", "dateTo": "2100-01-01T00:00:00"}
            request.url = request.url.copy_merge_params(ever)
        if self.forbidden is not None and request.url.path.endswith(self.forbidden):
            return httpx.Response(403, html="<h1>Forbidden</h1>")
        answer = await self._inner.handle_async_request(_asking_for(request, self.most))
        self.asked.append(request.url)
        self.bodies.append(request.content)
        if self.meanwhile is not None:
            await self.meanwhile(request.url)
        if self.emptied is not None and self.emptied[0] in await answer.aread():
            return httpx.Response(answer.status_code, content=self.emptied[1])
        return answer if self.garbled is None else await _garbled(answer, *self.garbled)


async def _garbled(answer: httpx.Response, part: bytes, instead: bytes) -> httpx.Response:
    """Put something in place of each of these parts."""
    content = (await answer.aread()).replace(part, instead)
    return httpx.Response(answer.status_code, content=content)


def _asking_for(request: httpx.Request, most: int | None) -> httpx.Request:
    """Ask for fewer rows, where the way of asking is known."""
    if most is None:
        return request
    if "size" in request.url.params:
        request.url = request.url.copy_set_param("size", most)
    fewer = re.sub(rb"(count_per_page%22%3A(?:\+|%20)?)\d+", rb"\g<1>%d" % most, request.content)
    headers = {name: value for name, value in request.headers.items() if name != "content-length"}
    return httpx.Request(
        request.method, request.url, headers=headers, content=fewer or None, extensions=request.extensions
    )


class Watch:
    """The rounds of one process, which may die anywhere, and whose clock may be off."""

    def __init__(self, stage: Stage, points: Points, *, off: timedelta = timedelta(0)) -> None:
        def clock() -> datetime:
            return stage.clock() + off

        self.way = Counted(Way(httpx.ASGITransport(stage.app), points))
        http = httpx.AsyncClient(transport=self.way, timeout=bounds(CALL_WITHIN.total_seconds()))
        self.holder = uuid4().hex
        recorder = Recorder(Envelope("test"))
        permits = SqlConnections(InlineDatabase(stage.disk, points, stage.clock, about="a permit's commit"), recorder)
        self.gate = Gate(permits, CONNECTION, LIMITS, holder=self.holder, clock=clock, dice=lambda: 0.5)
        self.shared = Shared(load({"BRIDGE_ROLES": "reconciler"}), clock, Loops(lambda: None))
        self.database, nothing = InlineDatabase(stage.disk, points, stage.clock), cast("Any", None)
        stores = Stores(cast("Any", self.database), VAULT, recorder, nothing, nothing, nothing)
        self.rounds = {
            name: return_rounds(self.shared, stores, name, one)
            for name, one in accounts_over(http, self.gate, clock).items()
        }

    async def look(self, provider: str) -> None:
        """Make all rounds of a provider once."""
        for one in self.rounds[f"{provider}/main"]:
            await one.make()

    async def run(self) -> None:
        """Make rounds as a process does, where it holds the leases."""
        await Reconciler(SqlLeases(self.database, self.holder), self.rounds, self.shared.stop).run()

    def found(self, fact: str) -> float:
        """Say how many facts of a kind were counted."""
        return float(self.shared.metrics.found_by_poll.labels(fact)._value.get())


@dataclass
class Story:
    """A stage on which returns are made and move, and somebody watches."""

    stage: Stage
    watch: Watch
    watches: list[Watch] = field(default_factory=list)

    async def made(self, provider: str, key: str = "one", **changes: Any) -> Mapping[str, Any]:
        """Have a return made, and give what the command says of it."""
        worker = self.stage.start()
        await ask(self.stage, wanted(provider, **changes), key)
        result = await self.stage.done(CREATE, key)
        self.stage.workers.remove(worker)
        await worker.end()
        return result

    async def moved(self, provider: str, number: int = 0, **move: Any) -> None:
        """Let a return move on at its provider."""
        path, name = MOVES[provider]
        one = (await at_provider(self.stage, provider))[number]
        answer = await self.stage.merchant.post(f"/_control/{path}/{one[name]}/statuses", json=move)
        assert answer.status_code == 200, answer.text

    async def looked(self, provider: str, seconds: float = 5 * MINUTE) -> None:
        """Let time pass, and look."""
        await pass_time(seconds)
        await self.watch.look(provider)

    def watched_by_another(self, points: Points | None = None, *, off: timedelta = timedelta(0)) -> Watch:
        """Have another process look from now on."""
        self.watch = Watch(self.stage, points or Points(), off=off)
        self.watches.append(self.watch)
        return self.watch

    def told(self, result: Mapping[str, Any]) -> Sequence[tuple[str, dict[str, Any]]]:
        """List what was told of a return: the facts, and what the events say."""
        rows = self.stage.told(f"return/{result['return_id']}")
        return [(kind.removeprefix("return."), event["data"] | {"time": event["time"]}) for kind, event in rows]

    def kinds(self, result: Mapping[str, Any]) -> Sequence[str]:
        """List the facts that were told of a return."""
        return [kind for kind, _ in self.told(result)]

    def changes(self, result: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
        """List what events about its status say."""
        return [data for kind, data in self.told(result) if kind == "status_changed"]

    def statuses(self, result: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
        """List the statuses that were told, in order: the provider's word, and ours."""
        return [(data["carrier_status"], data["return_status"]) for data in self.changes(result)]

    def change(self, sql: str, *parameters: object) -> None:
        """Change behind everybody's back what is kept."""
        with self.stage.disk.writing(self.stage.clock) as transaction:
            transaction.run(sql, parameters)

    def row(self, result: Mapping[str, Any], columns: str) -> tuple[Any, ...]:
        """Give what is kept of a return."""
        [row] = self.stage.disk.rows(f"SELECT {columns} FROM returns WHERE id = '{result['return_id']}'")
        return tuple(row)


@asynccontextmanager
async def story(**scenario: Any) -> AsyncIterator[Story]:
    """Open a stage with a process that watches."""
    async with Stage(returning(), **{**SCENARIO, **scenario}).open() as stage:
        watch = Watch(stage, Points())
        found = Story(stage, watch, [watch])
        yield found
        for one in found.watches:
            await one.gate.close()
