"""Sending some events once more: in order for each subject, several subjects at once, in spite of small troubles."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from bridge.errors import BrokerError, Interrupted
from bridge.lifecycle import Stop
from bridge.model import Event, Subject
from bridge.ports import Resender

log = structlog.get_logger()

_Lanes = dict[Subject, deque[Event]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How many subjects are on their way at once, and how long a trouble may last before it is told."""

    window: int = 64
    first_retry_s: float = 0.5
    last_retry_s: float = 4.0
    patience_s: float = 15.0


class Resending:
    """Sends events of one replay to one destination."""

    def __init__(
        self,
        resender: Resender,
        *,
        replay: str,
        queue: str | None,
        stop: Stop,
        pace: Pace,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resender = resender
        self._replay = replay
        self._queue = queue
        self._stop = stop
        self._pace = pace
        self._bell = stop.bell()
        self._clock = clock
        self._sent_at = clock()
        self.sent = 0
        """How many the broker has confirmed."""

    async def send(self, events: Sequence[Event]) -> None:
        """Return when all are confirmed. Raises BrokerError where that does not succeed, Interrupted at the end."""
        lanes: _Lanes = {}
        for event in events:
            lanes.setdefault(event.subject, deque()).append(event)
        self._sent_at = self._clock()
        delay = self._pace.first_retry_s
        while (trouble := await self._try(lanes)) is not None:
            self._may_go_on(trouble)
            log.warning("replay.in_trouble", reason=str(trouble), again_in_s=delay)
            await self._bell.wait(delay)
            if self._stop:
                raise Interrupted("the process is ending")
            delay = min(delay * 2, self._pace.last_retry_s)

    def close(self) -> None:
        """Let go of the bell."""
        self._stop.forget(self._bell)

    def _may_go_on(self, trouble: BrokerError) -> None:
        waited = self._clock() - self._sent_at
        if not trouble.retryable or waited > self._pace.patience_s:
            raise trouble

    async def _try(self, lanes: _Lanes) -> BrokerError | None:
        """Send what is left of all lanes; gives what stood in the way."""
        todo = deque(lane for lane in lanes.values() if lane)
        try:
            if not self._resender.is_open:
                await self._resender.open(self._queue)
            await self._all(todo)
        except BrokerError as error:
            return error
        return None

    async def _all(self, todo: deque[deque[Event]]) -> None:
        """Work lanes off side by side, and raise the first trouble once all have stopped."""
        hands = (self._hand(todo) for _ in range(min(self._pace.window, len(todo))))
        ended = await asyncio.gather(*hands, return_exceptions=True)
        for error in ended:
            if error is not None:
                raise error

    async def _hand(self, todo: deque[deque[Event]]) -> None:
        """Take lane after lane, each event after the confirm of the one before."""
        while todo:
            lane = todo.popleft()
            while lane:
                try:
                    await self._resender.resend(lane[0], self._replay)
                except BrokerError:
                    todo.clear()
                    raise
                lane.popleft()
                self.sent += 1
                self._sent_at = self._clock()
