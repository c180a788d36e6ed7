"""A parcel's trail, as anybody may ask for it by its number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a parcel, in the carrier's word, at a time in UTC."""

    status: str
    at: datetime
    origin_status: str | None = None
    agency: str | None = None


@dataclass(frozen=True, slots=True)
class Tracking:
    """Where a parcel is and has been, newest first. `unread` is how many steps could not be read.

    The carrier remembers about 45 days.
    """

    number: str
    status: str
    service: str | None
    steps: tuple[Step, ...]
    target_point: str | None = None
    unread: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None
