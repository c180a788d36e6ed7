"""One organization's orders to couriers are asked about, because the carrier sends no webhooks of them.

Many are asked about by one call, as far as they are among the newest; what is left is read one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog

from bridge.dispatch.keeping import Keeping
from bridge.errors import CarrierRefused, CarrierUnavailable, NoPermit
from bridge.lifecycle import Clock, Stop
from bridge.limits.connection import Purpose
from bridge.model import DispatchOrderId, OrganizationId
from bridge.ports.shipping import Dispatcher

log = structlog.get_logger()

_AT_ONCE: Final = 50
"""How many are asked about in one round."""
_MANY: Final = 4
"""So many are asked about by one call."""
_IN_A_ROW: Final = 3
"""So many that cannot be read one after another are no matter of the orders: the round ends."""
_PUT_OFF: Final = timedelta(minutes=1)
"""When one is asked about again that could not be read: behind all that are due now."""
_NOT_FOUND: Final = 404
_TOO_MANY: Final = 429


class Collecting:
    """Asks about the orders of one organization that are due."""

    def __init__(
        self, organization: OrganizationId, dispatcher: Dispatcher, keeping: Keeping, clock: Clock, stop: Stop
    ) -> None:
        self._organization = organization
        self._dispatcher = dispatcher
        self._keeping = keeping
        self._clock = clock
        self._stop = stop

    async def look(self) -> None:
        """Ask about all that are due, the longest overdue first. Raises StoreError."""
        due, unread = await self._keeping.due(self._organization, self._clock(), _AT_ONCE), 0
        for order in due if len(due) < _MANY else await self._left(due):
            if self._stop:
                return
            try:
                await self._read(order)
            except (CarrierRefused, CarrierUnavailable) as error:
                log.info("dispatch_order.skipped", organization=self._organization, order=order, reason=str(error))
                if isinstance(error, NoPermit) or error.status == _TOO_MANY:
                    return
                await self._keeping.put_off(self._organization, order, self._clock() + _PUT_OFF)
                unread += 1
                if unread >= _IN_A_ROW:
                    return
            else:
                unread = 0

    async def _left(self, due: Sequence[DispatchOrderId]) -> Sequence[DispatchOrderId]:
        """Read the newest of all by one call, and give those that were to be read and are not among them."""
        try:
            page = await self._dispatcher.list_orders()
        except CarrierUnavailable as error:
            log.info("dispatch_order.list_skipped", organization=self._organization, reason=str(error))
            return ()
        except CarrierRefused as error:
            log.warning("dispatch_order.list_refused", organization=self._organization, key=error.key)
            return due
        found = {one.id: one for one in page.orders if one.status is not None}
        for order in due:
            if order in found:
                await self._keeping.take(self._organization, found[order])
        return [one for one in due if one not in found]

    async def _read(self, order: DispatchOrderId) -> None:
        try:
            found = await self._dispatcher.read(order, Purpose.dispatch)
        except CarrierRefused as error:
            if error.status != _NOT_FOUND:
                raise
            await self._keeping.miss(self._organization, order)
        else:
            await self._keeping.take(self._organization, found)
