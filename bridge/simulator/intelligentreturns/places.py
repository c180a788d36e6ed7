"""The methods of the group `services`: what is to be had where."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bridge.simulator.documents import Document
from bridge.simulator.intelligentreturns.catalogue import Point, Service, country_at
from bridge.simulator.intelligentreturns.desk import Desk
from bridge.simulator.intelligentreturns.failures import Failed
from bridge.simulator.intelligentreturns.terms import AccountTerms
from bridge.simulator.intelligentreturns.values import part

Place = tuple[float, float]
EARTH_KM: Final = 6371.0


class Places:
    """Services by country, and the points where parcels are dropped off."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def available(self, account: AccountTerms, tree: Mapping[str, object]) -> Document:
        asked = part(tree, "request")
        country = _country(asked["country"]) if asked.get("country") else _country_at(_place(asked))
        services = self._desk.services_of(account, country)
        if not services:
            raise Failed("service_not_found")
        return {"services": [_covering(service) for service in services]}

    def points(self, account: AccountTerms, tree: Mapping[str, object]) -> Document:
        """Find points: all of the country for an address, which nobody measures here; by distance for coordinates."""
        asked = part(tree, "request")
        services = self._asked_services(account, asked.get("services"))
        address, coordinates = asked.get("address"), asked.get("coordinates")
        if isinstance(address, dict) and address:
            found = self._in_country(address)
        elif isinstance(coordinates, dict) and coordinates:
            found = self._near(_place(coordinates), asked.get("radius"))
        else:
            raise Failed("location_empty")
        kept = [one for one in found if one.service_id in services][: _most(asked.get("max_num"))]
        if not kept:
            raise Failed("no_drop_off_points_found")
        return {"carriers": _by_carrier(kept, services)}

    def point(self, account: AccountTerms, tree: Mapping[str, object]) -> Document:
        asked = part(tree, "request")
        service, wanted = str(asked.get("service_id", "")), str(asked.get("drop_off_point_id", ""))
        if service not in {str(one.id) for one in self._desk.services_of(account)}:
            raise Failed("service_not_found")
        points = (one for one in self._desk.terms.points if one.id == wanted and str(one.service_id) == service)
        found = next(points, None)
        if found is None:
            raise Failed("point_not_found", "Drop-off point is not found.")
        return {"point": _document(found)}

    def _asked_services(self, account: AccountTerms, wanted: object) -> dict[int, Service]:
        ids = [str(one) for one in wanted] if isinstance(wanted, list) else []
        services = {one.id: one for one in self._desk.services_of(account) if not ids or str(one.id) in ids}
        if not services:
            raise Failed("service_not_found")
        return services

    def _in_country(self, address: Mapping[str, object]) -> list[Point]:
        if not address.get("country"):
            raise Failed("carrier_empty", "Missing required field 'address->country'.")
        country = _country(address["country"])
        return [one for one in self._desk.terms.points if one.country == country]

    def _near(self, place: Place, radius: object) -> list[Point]:
        _country_at(place)
        within = _number(radius)
        far = sorted((_km(place, (one.lat, one.lng)), number) for number, one in enumerate(self._desk.terms.points))
        return [self._desk.terms.points[number] for km, number in far if within is None or km <= within]


def _covering(service: Service) -> Document:
    return {
        "carrier": service.carrier,
        "service_id": str(service.id),
        "service_name": service.name,
        "service_type": service.type,
        "coverage": {"countries": [{"country": country, "states": "full"} for country in service.countries]},
    }


def _by_carrier(points: Iterable[Point], services: Mapping[int, Service]) -> list[Document]:
    """Put points under their services, and those under their carriers."""
    by_service: dict[int, list[Point]] = {}
    for point in points:
        by_service.setdefault(point.service_id, []).append(point)
    carriers: dict[str, list[Document]] = {}
    for number, found in by_service.items():
        entry: Document = {"id": number, "name": services[number].name, "points": [_document(one) for one in found]}
        carriers.setdefault(services[number].carrier, []).append(entry)
    return [{"id": 1 + place, "name": name, "services": own} for place, (name, own) in enumerate(carriers.items())]


def _document(point: Point) -> Document:
    address = {name: getattr(point, name) for name in ("country", "state", "zip", "city", "suburb", "addr1")}
    return {
        "id": point.id,
        "title": point.title,
        "address_detail": {**address, "addr2": ""},
        "hours": point.hours or False,
        "detail_hours": False if point.hours else {"mo": ["08:00-12:00", "13:00-18:00"], "su": False},
        "lat": str(point.lat),
        "lng": str(point.lng),
    }


def _country(value: object) -> str:
    text = str(value)
    if not (len(text) == 2 and text.isascii() and text.isalpha() and text.isupper()):
        raise Failed("country_incorrect")
    return text


def _country_at(place: Place) -> str:
    country = country_at(*place)
    if country is None:
        raise Failed("cannot_find_address_by_coordinates")
    return country


def _place(asked: Mapping[str, object]) -> Place:
    lat, lng = _number(asked.get("lat")), _number(asked.get("lng"))
    if lat is None:
        raise Failed("lat_empty")
    if lng is None:
        raise Failed("lng_empty")
    return lat, lng


def _most(value: object) -> int | None:
    """Read how many at most: floats are cut, what is no positive number is nothing."""
    number = _number(value)
    return int(number) if number is not None and number >= 1 else None


def _number(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _km(one: Place, other: Sequence[float]) -> float:
    """Measure along the surface."""
    (lat1, lng1), (lat2, lng2) = map(math.radians, one), map(math.radians, other)
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lng2 - lng1) / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))
