"""Services, drop-off points and prices as programs read them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from bridge.events.catalogue import Money
from bridge.returns.service import CoveredCountry, DropOffPoint, PointAddress, Quote, Service
from bridge.shipping.returns.figures import degrees

_All = Field(description="Null means all of it")


class ShownState(TypedDict):
    """A part of a country."""

    state: str
    cities: Annotated[Sequence[str] | None, _All]
    suburbs: Annotated[Sequence[str] | None, _All]


class ShownCountry(TypedDict):
    """A country that a service is to be had in."""

    country_code: str
    states: Annotated[Sequence[ShownState] | None, _All]


class ShownService(TypedDict):
    """A carrier's way of taking a return. `kind` is `drop_off`, `home_collection` or another word of the provider's."""

    service_id: int
    carrier: str
    name: str
    kind: str | None
    needs_drop_off_point: Annotated[bool, Field(description="A return by it needs `drop_off_point_id`")]
    coverage: Sequence[ShownCountry]


class ServicePage(TypedDict):
    """All services of a place; `next` is always null."""

    items: Sequence[ShownService]
    next: str | None


class ShownPointAddress(TypedDict):
    """Where a point is."""

    country_code: str | None
    state: str | None
    post_code: str | None
    city: str | None
    suburb: str | None
    line1: str | None
    line2: str | None


class ShownPoint(TypedDict):
    """Where a parcel may be handed over. `opening_hours` has the days that are told, `mo` to `su`, with their hours."""

    drop_off_point_id: str
    service_id: int | None
    service: str | None
    carrier: str | None
    title: str
    address: ShownPointAddress
    hours: str | None
    opening_hours: Mapping[str, Sequence[str]]
    latitude: float | None
    longitude: float | None


class PointPage(TypedDict):
    """Drop-off points, the nearest of each service first; `next` is always null."""

    items: Sequence[ShownPoint]
    next: str | None


class ShownPrices(TypedDict):
    """What a return costs, in parts; null is unknown, and never nothing. No total of parts that are not all known."""

    first_mile: Money | None
    processing: Money | None
    final_mile: Money | None
    customs: Money | None
    government_duty: Money | None
    total: Money | None


class ShownCollectionDay(TypedDict):
    """When a courier may come; `minimum_hours` is how far `time_from` and `time_to` must lie apart."""

    date: dt.date
    time_from: str | None
    time_to: str | None
    minimum_hours: int | None


class ShownQuote(TypedDict):
    """A service that takes the return, with what it costs."""

    service_id: int
    carrier: str
    service: str | None
    name: str | None
    kind: str | None
    needs_drop_off_point: Annotated[bool, Field(description="A return by it needs `drop_off_point_id`")]
    price: ShownPrices
    collection_days: Annotated[Sequence[ShownCollectionDay], Field(description="Of home collection alone")]
    description: str | None
    max_weight: str | None
    max_dimensions: str | None
    delivery: str | None


class QuotePage(TypedDict):
    """Every service that takes the return; `next` is always null."""

    items: Sequence[ShownQuote]
    next: str | None


def service(found: Service) -> ShownService:
    """Describe a service."""
    return {
        "service_id": found.id,
        "carrier": found.carrier,
        "name": found.name,
        "kind": found.kind,
        "needs_drop_off_point": found.needs_point,
        "coverage": [_country(one) for one in found.coverage],
    }


def _country(found: CoveredCountry) -> ShownCountry:
    states: Sequence[ShownState] | None = None
    if found.states is not None:
        states = [{"state": one.state, "cities": one.cities, "suburbs": one.suburbs} for one in found.states]
    return {"country_code": found.country, "states": states}


def point(found: DropOffPoint, service_id: int | None = None) -> ShownPoint:
    """Describe a point; `service_id` is what was asked with, where the answer does not repeat it."""
    return {
        "drop_off_point_id": found.id,
        "service_id": found.service_id or service_id,
        "service": found.service,
        "carrier": found.carrier,
        "title": found.title,
        "address": _address(found.address),
        "hours": found.hours,
        "opening_hours": found.days,
        "latitude": degrees(found.latitude, 90),
        "longitude": degrees(found.longitude, 180),
    }


def _address(found: PointAddress) -> ShownPointAddress:
    return {
        "country_code": found.country,
        "state": found.state,
        "post_code": found.post_code,
        "city": found.city,
        "suburb": found.suburb,
        "line1": found.line1,
        "line2": found.line2,
    }


def quote(found: Quote) -> ShownQuote:
    """Describe a price."""
    return {
        "service_id": found.service_id,
        "carrier": found.carrier,
        "service": found.service,
        "name": found.name,
        "kind": found.kind,
        "needs_drop_off_point": found.needs_point,
        "price": {
            "first_mile": found.first_mile,
            "processing": found.processing,
            "final_mile": found.final_mile,
            "customs": found.customs,
            "government_duty": found.government_duty,
            "total": found.total,
        },
        "collection_days": [
            {
                "date": one.date,
                "time_from": _clock(one.time_from),
                "time_to": _clock(one.time_to),
                "minimum_hours": one.minimum_hours,
            }
            for one in found.collection_days
        ],
        "description": found.description,
        "max_weight": found.max_weight,
        "max_dimensions": found.max_dimensions,
        "delivery": found.delivery,
    }


def _clock(time: dt.time | None) -> str | None:
    return None if time is None else f"{time:%H:%M}"
