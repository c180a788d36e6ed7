"""What operators and their probes ask: alive, ready, metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typing_extensions import TypedDict

from bridge.errors import StoreError
from bridge.observability import Metrics
from bridge.web import endpoint
from bridge.web.endpoint import JSON, Answer, opened

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Health:
    """What keeps this process from working, what only makes it worse, and what an operator should know."""

    problems: tuple[str, ...] = ()
    loops: Mapping[str, bool] = field(default_factory=dict)
    degraded: Mapping[str, datetime] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    has_database: bool = True
    """Whether the database can be read and written, and has the present schema."""

    @property
    def is_ready(self) -> bool:
        """Whether this process can do its roles."""
        return not self.problems and all(self.loops.values())


class Alive(TypedDict):
    """The process runs."""

    alive: Literal[True]


class Degraded(TypedDict):
    """For how long something has been away."""

    since: datetime


class Readiness(TypedDict):
    """Whether a process can do its roles, and what an operator should know."""

    ready: bool
    problems: Sequence[str]
    loops: Mapping[str, Literal["running", "ended"]]
    degraded: Mapping[str, Degraded]
    warnings: Sequence[str]


class Operations:
    """The routes for probes and for Prometheus."""

    def __init__(
        self,
        metrics: Metrics,
        health: Callable[[], Awaitable[Health]],
        measure: Callable[[], Awaitable[None]],
    ) -> None:
        self._metrics = metrics
        self._health = health
        self._measure = measure

    def routes(self) -> list[Route]:
        """Give the routes."""
        return endpoint.routes(self)

    @opened("/livez", answers={200: Answer("It runs.", Alive)})
    async def live(self, _request: Request) -> Response:
        """Say that the process runs: a crashed loop would have ended it."""
        return Response(b'{"alive":true}', media_type=JSON)

    @opened("/readyz", answers={200: Answer("It can.", Readiness), 503: Answer("It cannot.", Readiness)})
    async def ready(self, _request: Request) -> Response:
        """Say whether this process can do its roles. Broker and carriers only ever degrade it."""
        health = await self._health()
        body: Readiness = {
            "ready": health.is_ready,
            "problems": health.problems,
            "loops": {name: "running" if runs else "ended" for name, runs in health.loops.items()},
            "degraded": {name: {"since": since} for name, since in health.degraded.items()},
            "warnings": health.warnings,
        }
        return Response(to_json(body), 200 if health.is_ready else 503, media_type=JSON)

    @opened("/metrics", answers={200: Answer("Prometheus' text format.", {"type": "string"}, "text/plain")})
    async def metrics(self, _request: Request) -> Response:
        """Give the metrics; what the database cannot tell just now keeps its last value."""
        try:
            await self._measure()
        except StoreError as error:
            log.warning("metrics.not_measured", error=type(error).__name__)
        return Response(generate_latest(self._metrics.registry), media_type=CONTENT_TYPE_LATEST)
