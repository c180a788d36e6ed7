"""The places where couriers collect: registered ones, and those that follow from an order's address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

from bridge.simulator.drafts import Address
from bridge.simulator.scenario import OrganizationTerms

FIRST_MADE = 900_001


@dataclass(frozen=True)
class DispatchPoint:
    """One place of one organization."""

    id: int
    address: Address


class DispatchPoints:
    """All places. Every spelling of an address is a place of its own: the carrier compares a checksum of it."""

    def __init__(self, organizations: Iterable[OrganizationTerms]) -> None:
        self._points: dict[tuple[int, Address], DispatchPoint] = {}
        self._made = count(FIRST_MADE)
        for organization in organizations:
            for point in organization.dispatch_points:
                address = Address(**point.model_dump(exclude={"id"}))
                self._points[organization.id, address] = DispatchPoint(point.id, address)

    def get(self, organization_id: int, point_id: int) -> DispatchPoint | None:
        """Find a place by its id, among the organization's own."""
        return next(
            (point for (owner, _), point in self._points.items() if owner == organization_id and point.id == point_id),
            None,
        )

    def at(self, organization_id: int, address: Address) -> DispatchPoint:
        """Find the place with exactly this address, or register one.

        The page registers one for locker shipments only, and does not say what becomes of an order for the others.
        """
        point = self._points.get((organization_id, address))
        if point is None:
            point = DispatchPoint(next(self._made), address)
            self._points[organization_id, address] = point
        return point
