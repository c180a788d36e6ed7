"""What reads show: a shipment as it is, or for a while as it was before a change."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.simulator.clock import Clock
from bridge.simulator.schedule import Schedule
from bridge.simulator.shipments import Shipment


@dataclass(frozen=True)
class Before:
    """A shipment as it was before a change, which reads go on showing until then."""

    shipment: Shipment
    until: datetime


class Views:
    """Keeps hidden what should not be seen yet. Changes come to light in their order: reads never go back in time."""

    def __init__(self, clock: Clock, schedule: Schedule) -> None:
        self._clock = clock
        self._schedule = schedule
        self._hidden: defaultdict[int, deque[Before]] = defaultdict(deque)

    def of(self, shipment: Shipment) -> Shipment:
        """Give the shipment as a read sees it now."""
        hidden = self._hidden.get(shipment.id)
        return hidden[0].shipment if hidden else shipment

    def hide(self, shipment: Shipment, seconds: float) -> None:
        """Let reads show the shipment as it is now for some time to come, whatever changes."""
        now = self._clock.now()
        hidden = self._hidden[shipment.id]
        until = max([now + timedelta(seconds=seconds), *(one.until for one in hidden)])
        hidden.append(Before(shipment.copy(), until))
        self._schedule.after((until - now).total_seconds(), lambda: self._reveal(shipment.id))

    def _reveal(self, shipment_id: int) -> None:
        self._hidden[shipment_id].popleft()
        if not self._hidden[shipment_id]:
            del self._hidden[shipment_id]
