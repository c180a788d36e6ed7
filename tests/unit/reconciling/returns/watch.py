"""What is needed to see what becomes of returns on a stage: the rounds of a process, and what they tell."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

import httpx

from bridge.app.return_rounds import return_rounds
from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.lifecycle import Loops
from bridge.settings import load
from tests.unit.purchasing.stage import Points
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
from tests.unit.shipping.stage import VAULT, Stage, Worker

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
    """Counts what a process asks for, by paths."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.asked: list[httpx.URL] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url)
        return await self._inner.handle_async_request(request)


class Watch:
    """The rounds of one process."""

    def __init__(self, stage: Stage, worker: Worker) -> None:
        parts = worker.parts
        self.stage = stage
        self.way = Counted(parts.http._transport)
        self.http = httpx.AsyncClient(transport=self.way)
        settings = load({"BRIDGE_ROLES": "reconciler"})
        self.shared = Shared(settings, stage.clock, Loops(lambda: None), stop=parts.stop)
        nothing = cast("Any", None)
        stores = Stores(parts.database, VAULT, parts.recorder, nothing, nothing, nothing)
        self.rounds = {
            one.connection: return_rounds(self.shared, stores, one)
            for one in accounts_over(self.http, parts.gate, stage.clock)
        }

    async def look(self, provider: str) -> None:
        """Make all rounds of a provider once."""
        for one in self.rounds[f"{provider}/main"]:
            await one.make()


@dataclass
class Story:
    """A stage on which returns are made and move."""

    stage: Stage
    worker: Worker
    watch: Watch

    async def made(self, provider: str, key: str = "one", **changes: Any) -> Mapping[str, Any]:
        """Have a return made, and give what the command says of it."""
        await ask(self.stage, wanted(provider, **changes), key)
        return await self.stage.done(CREATE, key)

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

    def restarted(self, points: Points | None = None) -> None:
        """Have another process look."""
        self.worker = self.stage.start(points)
        self.watch = Watch(self.stage, self.worker)

    def told(self, result: Mapping[str, Any]) -> Sequence[tuple[str, dict[str, Any]]]:
        """List what was told of a return: types without the word for returns, and what the events say."""
        rows = self.stage.told(f"return/{result['return_id']}")
        return [(kind.removeprefix("return."), event["data"] | {"time": event["time"]}) for kind, event in rows]

    def statuses(self, result: Mapping[str, Any]) -> Sequence[tuple[str, str, bool]]:
        """List the statuses that were told: the provider's word, ours, and whether it is the latest."""
        return [
            (data["carrier_status"], data["return_status"], data["current"])
            for kind, data in self.told(result)
            if kind == "status_changed"
        ]

    def row(self, result: Mapping[str, Any], columns: str) -> tuple[Any, ...]:
        """Give what is kept of a return."""
        [row] = self.stage.disk.rows(f"SELECT {columns} FROM returns WHERE id = '{result['return_id']}'")
        return tuple(row)


@asynccontextmanager
async def story(**scenario: Any) -> AsyncIterator[Story]:
    """Open a stage with one process."""
    async with Stage(returning(), **{**SCENARIO, **scenario}).open() as stage:
        worker = stage.start()
        yield Story(stage, worker, Watch(stage, worker))
