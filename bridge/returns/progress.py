"""What became of parcels that come back, in the provider's raw words. Nothing is ordered by word or by time alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where a scan was made. A country's code; state and city as the carrier wrote them."""

    country: str | None = None
    state: str | None = None
    city: str | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """One thing that happened, in UTC. Together all three know it again: the same word comes twice at one second."""

    status: str
    at: datetime
    place: Place = Place()
    learned_at: datetime | None = None
    """When the provider learned of it, which may be days later."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A parcel's scans, or those of them that were asked for: one parcel may come in several parts.

    `unread` is how many could not be read.
    """

    tracking_number: str
    scans: tuple[Scan, ...]
    external_id: str | None = None
    reference: str | None = None
    carrier: str | None = None
    service_id: int | None = None
    source_country: str | None = None
    pallet_number: str | None = None
    unread: int = 0
