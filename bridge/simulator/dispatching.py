"""Sending for couriers: an order is taken in at once, and passed on and answered later.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153482
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.simulator.deeds import Act
from bridge.simulator.dispatch_drafts import (
    CommentChange,
    CommentRemoval,
    DispatchDraft,
    NewComment,
    sorted_out,
)
from bridge.simulator.dispatch_orders import Comment, DispatchOrder
from bridge.simulator.dispatch_points import DispatchPoint
from bridge.simulator.draft_rules import address_problems
from bridge.simulator.errors import not_found, validation_failed
from bridge.simulator.organizations import Organization
from bridge.simulator.rules import checked, details_of
from bridge.simulator.scenario import Step
from bridge.simulator.world import World


class Dispatching:
    """Takes orders in and walks each through the scenario's statuses. No notification of them is documented."""

    def __init__(self, world: World) -> None:
        self._world = world

    def take(self, organization: Organization, body: object) -> DispatchOrder:
        """Take an order in as `new`, or refuse it."""
        draft = checked(DispatchDraft, body)
        shipments, wrong = sorted_out(draft.shipments, organization, self._world)
        if wrong:
            raise validation_failed({"shipments": [wrong]})
        point, now = self._point(draft, organization), self._world.now()
        order = DispatchOrder(next(self._world.ids.dispatch_orders), organization, shipments, point, now, now)
        for shipment in shipments:
            shipment.dispatch_order_id = order.id
        if draft.comment:
            order.comment(Comment(next(self._world.ids.comments), draft.comment, now))
        self._world.dispatch_orders.add(order)
        self._did("dispatch_order_created", order)
        self._next(order, self._world.scenario.dispatch.steps)
        return order

    def cancel(self, order: DispatchOrder) -> None:
        """Call the courier off."""
        order.cancel(self._world.now())
        self._did("dispatch_order_cancelled", order)

    def move(self, order: DispatchOrder, status: str) -> None:
        """Enter a status now."""
        order.move(status, self._world.now())

    def comment(self, order: DispatchOrder, body: object) -> Comment:
        """Add a comment."""
        text = checked(NewComment, body).comment
        comment = Comment(next(self._world.ids.comments), text, self._world.now())
        order.comment(comment)
        self._did("comment_added", order)
        return comment

    def amend(self, order: DispatchOrder, body: object) -> Comment:
        """Change a comment."""
        change = checked(CommentChange, body)
        return self._changed(order, order.amend(change.id, change.comment, self._world.now()), "comment_changed")

    def withdraw(self, order: DispatchOrder, body: object) -> None:
        """Take a comment away."""
        removal = checked(CommentRemoval, body)
        self._changed(order, order.withdraw(removal.id, self._world.now()), "comment_removed")

    def _changed(self, order: DispatchOrder, comment: Comment | None, act: Act) -> Comment:
        if comment is None:
            raise not_found()
        self._did(act, order)
        return comment

    def _point(self, draft: DispatchDraft, organization: Organization) -> DispatchPoint:
        if draft.dispatch_point_id is not None:
            return known_point(draft.dispatch_point_id, organization, self._world)
        if draft.address is None:
            raise validation_failed({"address": ["required"]})
        if problems := list(address_problems(draft.address, "address")):
            raise validation_failed(details_of(problems))
        return self._world.points.at(organization.id, draft.address)

    def _next(self, order: DispatchOrder, steps: Sequence[Step]) -> None:
        if steps:
            seconds, before = steps[0].after / self._world.scenario.speed, order.status
            self._world.schedule.after(seconds, lambda: self._take(order, before, steps))

    def _take(self, order: DispatchOrder, before: str, steps: Sequence[Step]) -> None:
        """Enter the next status, unless the order was called off or moved by hand meanwhile."""
        if order.status == before:
            self.move(order, steps[0].status)
            self._next(order, steps[1:])

    def _did(self, act: Act, order: DispatchOrder) -> None:
        self._world.did(act, order.organization, order.id)


def known_point(point_id: int, organization: Organization, world: World) -> DispatchPoint:
    """Find the place that a body names, or refuse the body."""
    point = world.points.get(organization.id, point_id)
    if point is None:
        raise validation_failed({"dispatch_point_id": ["does_not_exist"]})
    return point
