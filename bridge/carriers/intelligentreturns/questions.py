"""What is sent where something is asked for, or told of what there is already, in their names.

https://returns.returnsplatform.com/api (input data of each method; read 2026-10)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from bridge.carriers.intelligentreturns.fields import (
    CONFIG,
    Country,
    Given,
    Latitude,
    Line,
    Longitude,
    Number,
)
from bridge.carriers.intelligentreturns.words import CAN_BE_ADDED, MOST_EVENTS, RETURN_STATUSES


def _filtered_by(value: int) -> int:
    if value not in RETURN_STATUSES:
        raise ValueError("no status of a return")
    return value


ReturnStatus = Annotated[int, AfterValidator(_filtered_by)]


@dataclass(frozen=True, kw_only=True, repr=False)
class OrderKey:
    """Which order."""

    __pydantic_config__ = CONFIG
    type: Literal["id", "reference"]
    val: Given


@dataclass(frozen=True, kw_only=True, repr=False)
class ReturnKey:
    """Which return. Without a type all three are searched, and a reference may hit another return's id."""

    __pydantic_config__ = CONFIG
    id: Given
    type: Literal["id", "order_reference", "external_id"]


@dataclass(frozen=True, kw_only=True, repr=False)
class ReturnFilter:
    """Which returns are searched for; each narrows. Which date is meant is not said (the booking's, assumed)."""

    __pydantic_config__ = CONFIG
    order_reference: Given | None = None
    date_from: AwareDatetime | None = None
    date_to: AwareDatetime | None = None
    quick_search: Given | None = None
    status: ReturnStatus | None = None
    current_tracking_status: int | None = None
    virtual_tracking_status: int | None = None
    carrier: Given | None = None
    """Deprecated: `service_id` is more exact."""
    service_id: Number | None = None
    country: Country | None = None
    id_last: Number | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Cancellation:
    """Which return is to be cancelled; both must fit where both are given."""

    __pydantic_config__ = CONFIG
    external_id: Given | None = None
    tracking: Given | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Billed(Cancellation):
    """Whose bill is asked for; all that are given must fit."""

    order_reference: Given | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Tracked:
    """Which parcel."""

    __pydantic_config__ = CONFIG
    code: Given


@dataclass(frozen=True, kw_only=True, repr=False)
class EventFilter:
    """Which events, from page 1."""

    __pydantic_config__ = CONFIG
    date_from: AwareDatetime
    date_to: AwareDatetime
    source_country: Country | None = None
    page: Number = 1
    count_per_page: Annotated[int, Field(ge=1, le=MOST_EVENTS)]


@dataclass(frozen=True, kw_only=True, repr=False)
class Location:
    """Where something happened."""

    __pydantic_config__ = CONFIG
    country: Country | None = None
    state: Line | None = None
    city: Line | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class AddedStatus:
    """What we tell of a parcel. 70 is all that may be told: that the money was paid back."""

    __pydantic_config__ = CONFIG
    tracking: Given
    date: AwareDatetime
    status: Annotated[int, Field(ge=CAN_BE_ADDED, le=CAN_BE_ADDED)] = CAN_BE_ADDED
    date_added: AwareDatetime | None = None
    description: Line | None = None
    carrier_status: Line | None = None
    location: Location | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Where:
    """Where services are looked for: a country at least, or coordinates."""

    __pydantic_config__ = CONFIG
    country: Country | None = None
    state: Line | None = None
    zip: Line | None = None
    city: Line | None = None
    suburb: Line | None = None
    addr1: Line | None = None
    addr2: Line | None = None
    lat: Latitude | None = None
    lng: Longitude | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class PointAddress:
    """Where points are looked for."""

    __pydantic_config__ = CONFIG
    country: Country
    state: Line | None = None
    zip: Line | None = None
    city: Line | None = None
    suburb: Line | None = None
    addr1: Line | None = None
    addr2: Line | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Coordinates:
    """A place on the map."""

    __pydantic_config__ = CONFIG
    lat: Latitude
    lng: Longitude


@dataclass(frozen=True, kw_only=True, repr=False)
class PointSearch:
    """Which points: near an address or, without one, near coordinates. `radius` is in kilometres."""

    __pydantic_config__ = CONFIG
    services: tuple[Number, ...] | None = None
    address: PointAddress | None = None
    coordinates: Coordinates | None = None
    radius: Number | None = None
    max_num: Number | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class PointKey:
    """Which point, of which service."""

    __pydantic_config__ = CONFIG
    drop_off_point_id: Given
    service_id: Number
