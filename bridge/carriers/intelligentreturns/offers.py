"""Their answers about services, prices and points become ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from bridge.carriers.intelligentreturns import places, words
from bridge.events.catalogue import Money
from bridge.returns.service import (
    CollectionDay,
    CoveredCountry,
    CoveredState,
    DropOffPoint,
    PointAddress,
    Quote,
    Service,
)

_PRICE: Final = re.compile(r"(-?\d{1,9}(?:\.\d{1,4})?) ?([A-Z]{3})", re.ASCII)
_ALL: Final = ("full",)


def quote(found: places.Price) -> Quote:
    """Give a service and what it costs."""
    return Quote(
        service_id=found.service_id,
        carrier=found.carrier,
        service=found.service,
        name=found.service_name,
        kind=found.type,
        description=found.description,
        max_weight=found.max_weight,
        max_dimensions=found.max_dim,
        delivery=found.avg_delivery_info,
        first_mile=_money(found.first_mile_price),
        processing=_money(found.parcel_processing_price),
        final_mile=_money(found.final_mile_price),
        customs=_money(found.customs_price),
        government_duty=_money(found.government_duty_price),
        collection_days=tuple(
            CollectionDay(one.date, one.time_from, one.time_to, one.minimum_interval) for one in found.collection_dates
        ),
        needs_point=found.service_id in words.NEED_DROP_OFF_POINT,
    )


def _money(text: str | None) -> Money | None:
    """Read `8.76 USD`; None is unknown, and not for nothing."""
    match = _PRICE.fullmatch(text or "")
    if match is None:
        return None
    return Money(amount=Decimal(match[1]), currency=match[2])


def service(found: places.Service) -> Service:
    """Give a service and where it is to be had."""
    countries = found.coverage.countries if found.coverage else []
    return Service(
        id=found.service_id,
        carrier=found.carrier,
        name=found.service_name or "",
        kind=found.service_type,
        coverage=tuple(CoveredCountry(one.country, _states(one.states)) for one in countries),
        needs_point=found.service_id in words.NEED_DROP_OFF_POINT,
    )


def _states(found: Sequence[places.State | str]) -> tuple[CoveredState, ...] | None:
    """Give the parts of a country; None for all of it."""
    parts = tuple(
        CoveredState(one.state, _parts(one.cities), _parts(one.suburbs)) for one in found if not isinstance(one, str)
    )
    return parts or None


def _parts(found: Sequence[str | None]) -> tuple[str, ...] | None:
    """Give some towns of a part; None for all of them, and where there are no such parts (suburbs are Australia's)."""
    return None if found == _ALL else tuple(one for one in found if one) or None


def points(found: places.Points) -> Iterator[DropOffPoint]:
    """Give all points, each with its service: the id of that is what a return is made with."""
    for carrier in found.carriers:
        for one in carrier.services:
            for point in one.points:
                yield drop_off_point(point, carrier, one)


def drop_off_point(
    found: places.Point,
    carrier: places.PointCarrier | None = None,
    by: places.PointService | None = None,
) -> DropOffPoint:
    """Give a point."""
    where = found.address_detail or places.PointAddress()
    days = found.detail_hours.model_dump() if found.detail_hours else {}
    return DropOffPoint(
        id=found.id,
        title=found.title or "",
        address=PointAddress(where.country, where.state, where.zip, where.city, where.suburb, where.addr1, where.addr2),
        hours=found.hours,
        days={day: hours for day, told in days.items() if (hours := tuple(one for one in told if one))},
        latitude=found.lat,
        longitude=found.lng,
        service_id=None if by is None else by.id,
        service=None if by is None else by.name,
        carrier_id=None if carrier is None else carrier.id,
        carrier=None if carrier is None else carrier.name,
    )
