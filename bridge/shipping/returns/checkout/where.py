"""Where somebody is, as a request says it: a country, an address, or a place on the map."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from starlette.requests import Request

from bridge.returns import checks
from bridge.returns.draft import Address
from bridge.returns.query import PointQuery, Whereabouts
from bridge.shipping.returns.desk import told
from bridge.web.parameters import Parameter, Query, limit
from bridge.web.problems import bad_field

MOST_SERVICES: Final = 50
_LONGEST: Final = 255
_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,10}", re.ASCII)
_DEGREES: Final = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,20})?", re.ASCII)
_GRAIN: Final = Decimal("0.000001")
"""A tenth of a metre: what is said more finely is the same place."""
_MOST: Final = 2_147_483_647
_SERVICE: Final = {"type": "integer", "minimum": 1, "maximum": _MOST}


def _text(name: str, meaning: str) -> Query[str | None]:
    def parse(text: str) -> str:
        for one in map(told, checks.text(name, text, _LONGEST)):
            raise bad_field(one.field, one.code, one.message)
        return text

    return Query(name, meaning, {"type": "string", "minLength": 1, "maxLength": _LONGEST}, parse=parse, usual=None)


def _degrees(name: str, meaning: str, most: int) -> Query[Decimal | None]:
    def parse(text: str) -> Decimal:
        if not _DEGREES.fullmatch(text) or not -most <= Decimal(text) <= most:
            raise bad_field(name, "out_of_range", f"must be degrees from -{most} to {most}, as a decimal")
        return Decimal(text).quantize(_GRAIN)

    schema = {"type": "number", "minimum": -most, "maximum": most}
    return Query(name, meaning, schema, parse=parse, usual=None)


def _country(text: str) -> str:
    if not _COUNTRY.fullmatch(text):
        raise bad_field("country_code", "invalid_format", "must be two capital letters (ISO 3166-1)")
    return text


def _whole(name: str, text: str, most: int) -> int:
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= most:
        raise bad_field(name, "out_of_range", f"must be a number from 1 to {most}")
    return int(text)


COUNTRY: Final[Query[str | None]] = Query(
    "country_code",
    "ISO 3166-1 alpha-2.",
    {"type": "string", "pattern": f"^{_COUNTRY.pattern}$"},
    parse=_country,
    usual=None,
)
STATE: Final = _text("state", "An ISO code in the US, Canada and Australia.")
POST_CODE: Final = _text("post_code", "The post code.")
CITY: Final = _text("city", "The city.")
SUBURB: Final = _text("suburb", "In Australia what a city is elsewhere.")
STREET: Final = _text("street", "Street and number.")
LATITUDE: Final = _degrees("latitude", "Instead of a country, with `longitude`; an address wins over them.", 90)
LONGITUDE: Final = _degrees("longitude", "Instead of a country, with `latitude`.", 180)
WHERE: Final = (COUNTRY, STATE, POST_CODE, CITY, SUBURB, STREET, LATITUDE, LONGITUDE)
SERVICES: Final = Parameter(
    "service_id",
    "Only points of this service; may be given several times.",
    {"type": "array", "items": _SERVICE, "maxItems": MOST_SERVICES},
    "query",
    is_required=False,
)
OF_SERVICE: Final = Parameter("service_id", "The service that the point is of.", _SERVICE, "query")
_FARTHEST_KM: Final = 20_000
RADIUS: Final[Query[int | None]] = Query(
    "radius_km",
    "How far away at most.",
    {"type": "integer", "minimum": 1, "maximum": _FARTHEST_KM},
    parse=lambda text: _whole("radius_km", text, _FARTHEST_KM),
    usual=None,
)
LIMIT: Final = limit(usual=20, most=200)
NEAR: Final = (SERVICES, *WHERE, RADIUS, LIMIT)


def whereabouts(request: Request) -> Whereabouts:
    """Read where. Raises a Problem."""
    address = Address(
        street=STREET.read(request),
        city=CITY.read(request),
        post_code=POST_CODE.read(request),
        country_code=COUNTRY.read(request),
        state=STATE.read(request),
    )
    latitude, longitude = LATITUDE.read(request), LONGITUDE.read(request)
    if address.country_code is None and (latitude is None) != (longitude is None):
        missing = LATITUDE if latitude is None else LONGITUDE
        raise bad_field(missing.name, "missing", "is needed: a place on the map has both")
    return Whereabouts(address, SUBURB.read(request), latitude, longitude)


def points(request: Request) -> PointQuery:
    """Read which drop-off points. Raises a Problem."""
    texts = request.query_params.getlist("service_id")
    if len(texts) > MOST_SERVICES:
        raise bad_field("service_id", "too_many", f"may be given {MOST_SERVICES} times")
    ids = tuple(dict.fromkeys(_whole("service_id", text, _MOST) for text in texts))
    return PointQuery(whereabouts(request), ids, RADIUS.read(request), LIMIT.read(request))


def service(request: Request) -> int:
    """Read of which service a point is. Raises a Problem."""
    text = request.query_params.get("service_id")
    if text is None:
        raise bad_field("service_id", "missing", "is needed: the same point may be of several services")
    return _whole("service_id", text, _MOST)
