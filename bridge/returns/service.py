"""What a return may be sent by: services and where they are, what they cost, and where parcels are handed over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from bridge.events.catalogue import Money


@dataclass(frozen=True, slots=True)
class CoveredState:
    """A part of a country; None means all of it."""

    state: str
    cities: tuple[str, ...] | None = None
    suburbs: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class CoveredCountry:
    """A country, or parts of it; None means all of it."""

    country: str
    states: tuple[CoveredState, ...] | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A carrier's way of taking a return. `kind`: `drop_off`, `home_collection`, …"""

    id: int
    carrier: str
    name: str
    kind: str | None = None
    coverage: tuple[CoveredCountry, ...] = ()
    needs_point: bool = False
    """Whether a return by it is made with a drop-off point alone."""


@dataclass(frozen=True, slots=True)
class CollectionDay:
    """When a courier may come. `minimum_hours`: how far the two times must lie apart."""

    date: dt.date
    time_from: dt.time | None = None
    time_to: dt.time | None = None
    minimum_hours: int | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """A service for one return, with its price in parts; a part without a readable price is None, and never zero."""

    service_id: int
    carrier: str
    service: str | None = None
    name: str | None = None
    kind: str | None = None
    description: str | None = None
    max_weight: str | None = None
    max_dimensions: str | None = None
    delivery: str | None = None
    first_mile: Money | None = None
    processing: Money | None = None
    final_mile: Money | None = None
    customs: Money | None = None
    government_duty: Money | None = None
    collection_days: tuple[CollectionDay, ...] = ()
    needs_point: bool = False

    @property
    def total(self) -> Money | None:
        """Add the parts up; None where one is not known, or they are in several currencies."""
        parts = (self.first_mile, self.processing, self.final_mile, self.customs, self.government_duty)
        known = [one for one in parts if one is not None]
        if len(known) < len(parts) or len({one.currency for one in known}) > 1:
            return None
        return Money(amount=sum((one.amount for one in known), Decimal()), currency=known[0].currency)


@dataclass(frozen=True, slots=True)
class PointAddress:
    """Where a point is."""

    country: str | None = None
    state: str | None = None
    post_code: str | None = None
    city: str | None = None
    suburb: str | None = None
    line1: str | None = None
    line2: str | None = None


@dataclass(frozen=True, slots=True)
class DropOffPoint:
    """Where a parcel may be handed over. `days` has only the days that are told, none for those that are closed."""

    id: str
    title: str
    address: PointAddress = PointAddress()
    hours: str | None = None
    days: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """`mo` to `su`, each with its hours (`08:00-12:00`)."""
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    service_id: int | None = None
    service: str | None = None
    carrier_id: int | None = None
    carrier: str | None = None
