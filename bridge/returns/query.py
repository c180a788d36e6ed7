"""What may be asked of a provider that knows orders, returns and services: where, and which."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from bridge.returns.draft import Address


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A place: an address, of which a country may be enough, or coordinates. An address wins over them."""

    address: Address = field(default=Address(), repr=False)
    suburb: str | None = field(default=None, repr=False)
    """In Australia what a city is elsewhere."""
    latitude: Decimal | None = field(default=None, repr=False)
    longitude: Decimal | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PointQuery:
    """Which drop-off points. `most` is how many of the nearest."""

    near: Whereabouts
    service_ids: tuple[int, ...] = ()
    radius_km: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class ReturnQuery:
    """Which returns; each narrows. Statuses are the provider's own numbers."""

    reference: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    words: str | None = field(default=None, repr=False)
    return_status: int | None = None
    tracking_status: int | None = None
    virtual_status: int | None = None
    service_id: int | None = None
    country_code: str | None = None
