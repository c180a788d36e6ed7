"""The worker: what the receiver put on disk becomes facts, round after round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import structlog

from bridge.errors import StoreError
from bridge.lifecycle import Clock, Stop
from bridge.observability import Metrics
from bridge.ports import Projector
from bridge.store.outbox import Made
from bridge.store.projecting import Projected

log = structlog.get_logger()

ROUND: Final = 128
"""Deliveries in one transaction: more would make a webhook that shares its commit wait."""
_POLL_S: Final = 1.0
_GATHER_S: Final = 0.00025
"""How long the next round waits for more, for each delivery of the last one: rounds are small while little comes."""
_MOST_GATHER_S: Final = 0.02


class Worker:
    """Projects pending deliveries. `on_events` is given what was made; `on_wanted` wakes who waits for purchases."""

    def __init__(
        self,
        projector: Projector,
        *,
        metrics: Metrics,
        clock: Clock,
        stop: Stop,
        on_events: Callable[[Sequence[Made]], None],
        on_wanted: Callable[[], None],
    ) -> None:
        self._projector = projector
        self._metrics = metrics
        self._clock = clock
        self._stop = stop
        self._on_events = on_events
        self._on_wanted = on_wanted
        self.bell = stop.bell()
        self._gathering = stop.bell()

    async def run(self) -> None:
        """Work until the end is announced; what is still pending then waits on disk."""
        while not self._stop:
            try:
                projected = await self._projector.project(ROUND, self._clock())
            except StoreError as error:
                log.warning("worker.store_unavailable", reason=str(error))
                await self.bell.wait(_POLL_S)
                continue
            if projected.deliveries:
                self._tell(projected)
            if projected.deliveries < ROUND:
                await self.bell.wait(_POLL_S)
                await self._gathering.wait(min(projected.deliveries * _GATHER_S, _MOST_GATHER_S))

    def _tell(self, projected: Projected) -> None:
        log.info(
            "worker.projected",
            deliveries=projected.deliveries,
            events=projected.events,
            purchases_wanted=projected.wanted,
            verdicts=dict(projected.verdicts),
        )
        self._metrics.unknown_words.inc(projected.unlisted)
        for delivery, verdict in projected.failed:
            self._metrics.failed_deliveries.labels(verdict).inc()
            log.error("delivery.failed", delivery=delivery, verdict=verdict)
        if projected.wanted:
            self._on_wanted()
        if projected.made:
            self._on_events(projected.made)
