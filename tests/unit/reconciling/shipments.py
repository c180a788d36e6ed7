"""Shipments as the carrier would answer them, and a carrier that answers what it is told to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.events.catalogue import Money, Offer
from bridge.limits.connection import Purpose
from bridge.model import OrganizationId, ShipmentId
from bridge.ports import Page
from bridge.purchasing.shipment import Shipment, Traits

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ORGANIZATION = OrganizationId(4821)


def offer(number: int = 7, *, expires_at: datetime | None = NOW + timedelta(minutes=5)) -> Offer:
    return Offer(
        offer_id=number,
        status="available",
        service_id="inpost_locker_standard",
        carrier_id="inpost_locker",
        rate=Money(amount=Decimal("12.50"), currency="PLN"),
        expires_at=expires_at,
        additional_services=(),
        unavailability_reasons=(),
    )


def shipment(
    number: int = 1,
    status: str = "offers_prepared",
    *,
    changed_at: datetime = NOW,
    created_at: datetime | None = NOW,
    offers: Sequence[Offer] = (),
    tracking_number: str | None = None,
) -> Shipment:
    return Shipment(
        id=ShipmentId(number),
        status=status,
        at=NOW,
        changed_at=changed_at,
        tracking_number=tracking_number,
        return_tracking_number=None,
        service=None,
        selected=None,
        offers=tuple(offers),
        payments=(),
        traits=Traits(created_at=created_at),
    )


class Carrier:
    """Knows some shipments. A list gives those of `listed` alone; `refuses` says which calls are not answered."""

    def __init__(self, *known: Shipment, listed: Callable[[Shipment], Shipment | None] = lambda one: one) -> None:
        self.known = {one.id: one for one in known}
        self.listed = listed
        self.alone: list[ShipmentId] = []
        self.together: list[int] = []
        self.pages: list[tuple[datetime, int]] = []
        self.purposes: list[Purpose] = []
        self.fails: Callable[[int], CarrierUnavailable | CarrierRefused | None] = lambda _: None
        self.page_size = 100
        self.unread = 0

    async def read(self, shipment: ShipmentId, purpose: Purpose = Purpose.read) -> Shipment:
        self.alone.append(shipment)
        self._called(purpose)
        if shipment not in self.known:
            raise CarrierRefused("resource_not_found", status=404)
        return self.known[shipment]

    async def read_many(self, shipments: Sequence[ShipmentId], purpose: Purpose) -> Mapping[ShipmentId, Shipment]:
        self.together.append(len(shipments))
        self._called(purpose)
        seen = [self.listed(self.known[one]) for one in shipments if one in self.known]
        return {one.id: one for one in seen if one is not None}

    async def created_since(self, since: datetime, page: int, purpose: Purpose = Purpose.sweep) -> Page:
        self.pages.append((since, page))
        self._called(purpose)
        found = [one for one in map(self.listed, self.known.values()) if one is not None]
        chosen = [one for one in found if one.traits.created_at is None or one.traits.created_at >= since]
        ordered = sorted(chosen, key=lambda one: (one.traits.created_at or since, one.id))
        start = (page - 1) * self.page_size
        items = tuple(ordered[start : start + self.page_size])
        return Page(items, len(ordered), self.unread, is_last=start + self.page_size >= len(ordered))

    def _called(self, purpose: Purpose) -> None:
        self.purposes.append(purpose)
        error = self.fails(len(self.purposes))
        if error is not None:
            raise error


def created(number: int, seconds: float) -> Shipment:
    """Give a shipment that was created so long after noon."""
    return replace(shipment(number, "created"), traits=Traits(created_at=NOW + timedelta(seconds=seconds)))
