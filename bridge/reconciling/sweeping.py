"""One organization's shipments are asked about, many by one call: what no webhook told is found all the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from bridge.errors import CarrierRefused, CarrierUnavailable, NoPermit
from bridge.lifecycle import Clock, Stop
from bridge.limits.connection import Purpose
from bridge.model import OrganizationId, ShipmentId
from bridge.observability import Metrics
from bridge.ports import Carrier
from bridge.purchasing.shipment import Shipment
from bridge.reconciling.learning import Learning
from bridge.reconciling.reading import Reading
from bridge.store.sweeps import SqlSweeps
from bridge.store.watched import Phase

log = structlog.get_logger()

_FEWEST: Final = 20
_MOST: Final = 100
"""How many one call is about: more, as long as all of them come."""
ALONE: Final = 10
"""How many are read alone in one round, because they did not come, or not whole: ids may be forged."""
_IN_A_ROW: Final = 3
"""So many that cannot be read alone one after another are no matter of the shipments: the round ends."""
_NOT_FOUND: Final = 404
_TOO_MANY: Final = 429
_PURPOSES: Final = {
    Phase.waiting: Purpose.sweep,
    Phase.open: Purpose.sweep,
    Phase.tracking: Purpose.tracking,
}
_TAKEN_IN_AT_ONCE: Final = 20


class Sweeping:
    """Asks about the shipments of one organization that are due, of which a round reads `alone` alone at most.

    `heard_since` is since when webhooks are awaited.
    """

    def __init__(
        self,
        organization: OrganizationId,
        *,
        carrier: Carrier,
        sweeps: SqlSweeps,
        learning: Learning,
        metrics: Metrics,
        clock: Clock,
        stop: Stop,
        heard_since: datetime | None,
        alone: int = ALONE,
    ) -> None:
        self._organization = organization
        self._carrier = carrier
        self._sweeps = sweeps
        self._learning = learning
        self._metrics = metrics
        self._clock = clock
        self._stop = stop
        self._heard_since = heard_since
        self._size = _FEWEST
        self._most_alone = self._alone = alone
        self._unread = 0

    async def take_in(self) -> None:
        """Find out which shipments became known. Raises StoreError."""
        for _ in range(_TAKEN_IN_AT_ONCE):
            if self._stop or not await self._sweeps.take_in(self._organization, self._clock()):
                return

    async def sweep(self, phase: Phase, ahead: timedelta) -> None:
        """Ask about all that are due now or so soon after, the longest overdue first. Raises StoreError."""
        by = self._clock() + ahead
        self._alone, self._unread = self._most_alone, 0
        while not self._stop:
            due = await self._sweeps.due(self._organization, phase, by, self._size)
            if not due:
                self._size = max(self._size, 2)  # one at a time is never asked for as a list, and would never grow
                return
            if not await self._ask(due, phase, by):
                return

    async def _ask(self, due: Mapping[ShipmentId, int], phase: Phase, by: datetime) -> bool:
        """Ask about some; gives whether the carrier lets more be asked."""
        try:
            return await self._read(due, phase, by)
        except CarrierUnavailable as error:
            self._skip(len(due), phase, error)
            return False
        except CarrierRefused as error:
            log.warning("sweep.refused", organization=self._organization, key=error.key, status=error.status)
            self._skip(len(due), phase, error)
            self._size = max(self._size // 2, 1)  # one of them may be what it refuses
            return False

    def _skip(self, number: int, phase: Phase, error: CarrierUnavailable | CarrierRefused) -> None:
        self._metrics.reads_skipped.labels(phase.value).inc(number)
        log.info("sweep.skipped", organization=self._organization, phase=phase.value, n=number, reason=str(error))

    async def _read(self, due: Mapping[ShipmentId, int], phase: Phase, by: datetime) -> bool:
        found = dict(await self._together(list(due), _PURPOSES[phase]))
        whole = [one for one in found.values() if Reading(self._organization, one).is_whole]
        await self._learning.take(self._organization, whole, heard_since=self._heard_since)
        rest = sorted(due.keys() - {one.id for one in whole}, key=lambda one: (due[one], one))
        alone, others = rest[: self._alone], rest[self._alone :]
        self._alone -= len(alone)
        if not await self._each_alone(alone, phase, by):
            return False
        await self._put_off(others, by)
        return True

    async def _put_off(self, shipments: Sequence[ShipmentId], by: datetime) -> None:
        """Ask behind all that are due now: whoever forges ids does not keep others from being read alone."""
        await self._sweeps.put_off(self._organization, shipments, by + timedelta(seconds=1))

    async def _together(self, shipments: Sequence[ShipmentId], purpose: Purpose) -> Mapping[ShipmentId, Shipment]:
        if len(shipments) == 1:
            return {}
        found = await self._carrier.read_many(shipments, purpose)
        is_complete = len(found) == len(shipments)
        self._size = min(self._size * 2, _MOST) if is_complete else max(self._size // 2, _FEWEST)
        return found

    async def _each_alone(self, shipments: Sequence[ShipmentId], phase: Phase, by: datetime) -> bool:
        """Read some; one that cannot be read does not keep the others from it, several in a row do."""
        for shipment in shipments:
            try:
                await self._read_alone(shipment, _PURPOSES[phase])
            except (CarrierRefused, CarrierUnavailable) as error:
                if isinstance(error, NoPermit) or error.status == _TOO_MANY:
                    raise
                self._skip(1, phase, error)
                await self._put_off([shipment], by)
                self._unread += 1
                if self._unread >= _IN_A_ROW:
                    return False
            else:
                self._unread = 0
        return True

    async def _read_alone(self, shipment: ShipmentId, purpose: Purpose) -> None:
        try:
            found = await self._carrier.read(shipment, purpose)
        except CarrierRefused as error:
            if error.status != _NOT_FOUND:
                raise
            await self._sweeps.absent(self._organization, [shipment], self._clock())
        else:
            await self._learning.take(self._organization, [found], heard_since=self._heard_since)
