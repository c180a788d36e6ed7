"""An order whose answer was lost is looked for among the carrier's orders for one of its shipments.

It is ours where it is for exactly those that were asked for, as young as the command, and no other command's. What
cannot be read may be it, so a list with such entries proves nothing of what it does not show.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bridge.dispatch.keeping import Keeping
from bridge.dispatch.order import DispatchOrder, DispatchPage
from bridge.errors import CarrierUnavailable
from bridge.model import OrganizationId, ShipmentId
from bridge.ports.shipping import Dispatcher
from bridge.reconciling.pages import NOT_WHOLE

_MOST_PAGES: Final = 20
"""How far back is looked where the carrier lists orders of all shipments: 2,000 orders."""


class OrderSearch:
    """Looks for an order of exactly these shipments."""

    def __init__(
        self, dispatcher: Dispatcher, keeping: Keeping, organization: OrganizationId, shipments: frozenset[ShipmentId]
    ) -> None:
        self._dispatcher = dispatcher
        self._keeping = keeping
        self._organization = organization
        self._shipments = shipments

    async def look(self, since: datetime) -> DispatchOrder | None:
        """Find the one that was made since then and is no other command's. Raises CarrierError."""
        pages = await self._listed(since)
        young = [one for page in pages for one in page.orders if one.created_at is None or one.created_at >= since]
        found = [one for one in young if self._is_it(one)]
        others = await self._keeping.claimed(self._organization, [one.id for one in found])
        ours = next((one for one in found if one.id not in others), None)
        if ours is None and (any(page.unread for page in pages) or not all(one.is_whole for one in young)):
            raise CarrierUnavailable(NOT_WHOLE)
        return ours

    async def _listed(self, since: datetime) -> list[DispatchPage]:
        """List the orders for one of the shipments; where the carrier drops that filter, all of them since then."""
        try:
            return await self._pages(min(self._shipments), since)
        except CarrierUnavailable as error:
            if error.reason != "filter_dropped":
                raise
            return await self._pages(None, since)

    async def _pages(self, shipment: ShipmentId | None, since: datetime) -> list[DispatchPage]:
        found: list[DispatchPage] = []
        for number in range(1, _MOST_PAGES + 1):
            page = await self._dispatcher.list_orders(number, shipment)
            found.append(page)
            if page.is_last or _is_older(page, since):
                return found
        raise CarrierUnavailable("too_many_orders")

    def _is_it(self, order: DispatchOrder) -> bool:
        return order.is_whole and {one.id for one in order.shipments} == self._shipments


def _is_older(page: DispatchPage, since: datetime) -> bool:
    """Say whether what follows is from before; the newest come first."""
    times = [one.created_at for one in page.orders if one.created_at is not None]
    return bool(times) and min(times) < since
