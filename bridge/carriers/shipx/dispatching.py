"""Ordering couriers, calling them off, and what they are given to sign."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bridge.carriers import files
from bridge.carriers.answer import Answer
from bridge.carriers.shipx import dispatch_calls as calls
from bridge.carriers.shipx import reading
from bridge.carriers.shipx.asking import Asker
from bridge.carriers.shipx.calls import MOST_AT_ONCE
from bridge.dispatch.order import DispatchDraft, DispatchOrder, DispatchPage
from bridge.dispatch.price import Price
from bridge.dispatch.printout import Printout
from bridge.limits.connection import Purpose
from bridge.model import CommentId, DispatchOrderId, OrganizationId, ShipmentId


class ShipxDispatcher:
    """Dispatch orders of one organization."""

    def __init__(self, asker: Asker, organization: OrganizationId) -> None:
        self._asker = asker
        self._organization = organization

    async def create(self, draft: DispatchDraft) -> DispatchOrder:
        """Order a courier. What became of a call without an answer is found by a list of the orders for a shipment."""
        call = calls.create(self._organization, draft)
        return await self._asker.send(call, reading.dispatch_order, Purpose.dispatch)

    async def calculate(self, shipments: Sequence[ShipmentId], dispatch_point_id: int | None = None) -> Price:
        """Ask what it would cost; nothing is ordered."""
        call = calls.calculate(self._organization, shipments, dispatch_point_id)
        return await self._asker.ask(call, reading.price, Purpose.dispatch)

    async def read(self, order: DispatchOrderId, purpose: Purpose = Purpose.dispatch) -> DispatchOrder:
        """Read an order."""
        return await self._asker.ask(calls.read(order), partial(reading.same_dispatch_order, order), purpose)

    async def list_orders(self, page: int = 1, shipment: ShipmentId | None = None) -> DispatchPage:
        """Read a page of orders, newest first, of all or of those for one shipment."""
        call = calls.list_orders(self._organization, page, shipment)
        return await self._asker.ask(call, partial(reading.dispatch_page, call.filters, page), Purpose.dispatch)

    async def delete(self, order: DispatchOrderId) -> None:
        """Call a courier off. Returning means accepted."""
        await self._asker.send(calls.delete(order), reading.taken, Purpose.dispatch)

    async def add_comment(self, order: DispatchOrderId, text: str) -> CommentId:
        """Say something to the courier."""
        call = calls.add_comment(self._organization, order, text)
        return await self._asker.send(call, reading.comment_id, Purpose.dispatch)

    async def update_comment(self, order: DispatchOrderId, comment: CommentId, text: str) -> None:
        """Say it in other words."""
        call = calls.update_comment(self._organization, order, comment, text)
        await self._asker.send(call, reading.taken, Purpose.dispatch)

    async def printout(self, order: DispatchOrderId) -> Printout:
        """Fetch the list of one order."""
        return await self._asker.ask(calls.printout(order), _printout, Purpose.dispatch)

    async def printouts(self, shipments: Sequence[ShipmentId]) -> Printout:
        """Fetch the lists of up to a hundred shipments, whether a courier was ordered for them or not."""
        assert 0 < len(shipments) <= MOST_AT_ONCE, "one to a hundred at once"
        return await self._asker.ask(calls.printouts(self._organization, shipments), _printout, Purpose.dispatch)


def _printout(answer: Answer) -> Printout:
    content, found = files.content(answer, "pdf", "zip")
    return Printout(content, is_archive=found == "zip")
