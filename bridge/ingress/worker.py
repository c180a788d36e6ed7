"""The worker: what the receiver put on disk becomes facts, round after round."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from bridge.errors import StoreError
from bridge.lifecycle import Bell, Clock, Stop
from bridge.observability import Metrics
from bridge.ports import Projector
from bridge.store.outbox import Made
from bridge.store.projecting import Projected

log = structlog.get_logger()

ROUND: Final = 128
"""Deliveries in one transaction: more would make a webhook that shares its commit wait."""
_POLL_S: Final = 1.0
_IDLE_S: Final = 60.0
_GATHER_S: Final = 0.00025
"""How long the next round waits for more, for each delivery of the last one: rounds are small while little comes."""
_MOST_GATHER_S: Final = 0.02


class Worker:
    """Projects pending deliveries. `on_events` is given what was made; `on_wanted` wakes who waits for purchases.

    In a backlog as many rounds run at once as there are `hands`: that helps where they can be written side by side.
    """

    def __init__(
        self,
        projector: Projector,
        *,
        metrics: Metrics,
        clock: Clock,
        stop: Stop,
        on_events: Callable[[Sequence[Made]], None],
        on_wanted: Callable[[], None],
        hands: int = 1,
    ) -> None:
        self._projector = projector
        self._metrics = metrics
        self._clock = clock
        self._stop = stop
        self._on_events = on_events
        self._on_wanted = on_wanted
        self.bell = stop.bell()
        self._gathering = stop.bell()
        self._backlogs = [stop.bell() for _ in range(hands - 1)]
        self._most = ROUND

    async def run(self) -> None:
        """Work until the end is announced; what is still pending then waits on disk."""
        async with asyncio.TaskGroup() as hands:
            hands.create_task(self._work())
            for backlog in self._backlogs:
                hands.create_task(self._help(backlog))

    async def _work(self) -> None:
        while not self._stop:
            done, may_be_more = await self._round()
            if may_be_more:
                for backlog in self._backlogs:
                    backlog.ring()
            else:
                await self.bell.wait(_POLL_S)
                await self._gathering.wait(min(done * _GATHER_S, _MOST_GATHER_S))

    async def _help(self, backlog: Bell) -> None:
        """Work beside the first hand for as long as there is a backlog."""
        while not self._stop:
            await backlog.wait(_IDLE_S)
            may_be_more = True
            while may_be_more and not self._stop:
                _, may_be_more = await self._round()

    async def _round(self) -> tuple[int, bool]:
        """Project once; say how many deliveries, and whether there may be more of them right now.

        Where the database does not take a round, the next one is half as large: it may be what takes too long.
        """
        most = self._most
        try:
            projected = await self._projector.project(most, self._clock())
        except StoreError as error:
            log.warning("worker.store_unavailable", reason=str(error))
            self._most = max(most // 2, 1)
            return 0, False
        self._most = min(most * 2, ROUND)
        if projected.deliveries:
            self._tell(projected)
        return projected.deliveries, projected.deliveries >= most

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
