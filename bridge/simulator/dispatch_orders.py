"""Dispatch orders: couriers who are to come and collect.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153482
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from bridge.simulator.dispatch_points import DispatchPoint
from bridge.simulator.errors import Refusal
from bridge.simulator.organizations import Organization
from bridge.simulator.shipments import Shipment

HOLDS: Final = ("new", "sent", "accepted", "done")
"""In these an order keeps its shipments from other orders."""
CANCELLABLE: Final = ("new", "sent")
"""Nothing says until when; these two are documented as not accepted yet."""


@dataclass(frozen=True)
class Comment:
    """A remark on an order."""

    id: int
    text: str
    at: datetime


@dataclass
class DispatchOrder:
    """One order; it begins as `new`, and what follows comes later."""

    id: int
    organization: Organization
    shipments: Sequence[Shipment]
    point: DispatchPoint
    created_at: datetime
    updated_at: datetime
    status: str = "new"
    statuses: list[str] = field(default_factory=lambda: ["new"])
    comments: list[Comment] = field(default_factory=list)

    def move(self, status: str, at: datetime) -> None:
        """Enter a status; the shipments of an order that comes to nothing are free again."""
        self.status, self.updated_at = status, at
        self.statuses.append(status)
        for shipment in self.shipments:
            if status in HOLDS:
                shipment.dispatch_order_id = self.id
            elif shipment.dispatch_order_id == self.id:
                shipment.dispatch_order_id = None

    def cancel(self, at: datetime) -> None:
        if self.status not in CANCELLABLE:
            details = {"action": "cancel", "dispatch_order_status": self.status}
            raise Refusal(400, "invalid_action", "dispatch_order_status_incorrect", details)
        self.move("canceled", at)

    def comment(self, comment: Comment) -> None:
        """Add a remark."""
        self.comments.append(comment)
        self.updated_at = comment.at

    def amend(self, comment_id: int, text: str, at: datetime) -> Comment | None:
        """Change a remark, if it is there; it keeps its own time."""
        for place, comment in enumerate(self.comments):
            if comment.id == comment_id:
                self.comments[place] = replace(comment, text=text)
                self.updated_at = at
                return self.comments[place]
        return None

    def withdraw(self, comment_id: int, at: datetime) -> Comment | None:
        """Take a remark away, if it is there."""
        found = next((one for one in self.comments if one.id == comment_id), None)
        if found:
            self.comments.remove(found)
            self.updated_at = at
        return found


class DispatchOrders:
    """All orders."""

    def __init__(self) -> None:
        self._by_id: dict[int, DispatchOrder] = {}

    def __iter__(self) -> Iterator[DispatchOrder]:
        return iter(self._by_id.values())

    def add(self, order: DispatchOrder) -> None:
        self._by_id[order.id] = order

    def get(self, order_id: int) -> DispatchOrder | None:
        return self._by_id.get(order_id)
