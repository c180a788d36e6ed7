"""What operators and their probes ask: alive, ready, metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.errors import StoreError
from bridge.observability import Metrics

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Health:
    """What keeps this process from working, what only makes it worse, and what an operator should know."""

    problems: tuple[str, ...] = ()
    loops: Mapping[str, bool] = field(default_factory=dict)
    degraded: Mapping[str, datetime] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


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
        return [
            Route("/livez", self.live),
            Route("/readyz", self.ready),
            Route("/metrics", self.metrics),
        ]

    async def live(self, _request: Request) -> Response:
        """Say that the process runs: a crashed loop would have ended it."""
        return Response(b'{"alive":true}', media_type="application/json")

    async def ready(self, _request: Request) -> Response:
        """Say whether this process can do its roles. Broker and carriers only ever degrade it."""
        health = await self._health()
        ready = not health.problems and all(health.loops.values())
        body = {
            "ready": ready,
            "problems": health.problems,
            "loops": {name: "running" if runs else "ended" for name, runs in health.loops.items()},
            "degraded": {name: {"since": since} for name, since in health.degraded.items()},
            "warnings": health.warnings,
        }
        return Response(to_json(body), 200 if ready else 503, media_type="application/json")

    async def metrics(self, _request: Request) -> Response:
        """Give the metrics; what the database cannot tell just now keeps its last value."""
        try:
            await self._measure()
        except StoreError as error:
            log.warning("metrics.not_measured", error=type(error).__name__)
        return Response(generate_latest(self._metrics.registry), media_type=CONTENT_TYPE_LATEST)
