"""Carrier services, the points where parcels are dropped off, and what the page says of single services.

The ids and names are from the page's table of services; points and prices are invented.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import Field

from bridge.simulator.parts import Part

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class Service(Part):
    """One way to send a return, and where it is to be had."""

    id: Annotated[int, Field(gt=0)]
    carrier: str
    name: str
    type: Literal["drop_off", "home_collection"] = "drop_off"
    countries: tuple[Country, ...]
    price: Annotated[Decimal, Field(ge=0, decimal_places=2)] = Decimal("4.00")


class Point(Part):
    """One place of a service."""

    id: str
    service_id: int
    title: str
    country: Country
    state: str = ""
    zip: str
    city: str
    suburb: str = ""
    addr1: str
    lat: float
    lng: float
    hours: str | None = None


SERVICES: Final = (
    Service(id=243, carrier="Inpost Poland", name="Inpost - Fast Return", countries=("PL",), price=Decimal("3.10")),
    Service(id=190, carrier="DHL Connect", name="DHL Connect Return (PL)", countries=("PL",)),
    Service(id=20179, carrier="DPD", name="DPD (PL)", countries=("PL",), price=Decimal("4.55")),
    Service(id=203, carrier="Skynet", name="Skynet Collection", type="home_collection", countries=("PL", "DE", "ES")),
    Service(id=5, carrier="Royal Mail", name="Royal Mail: Drop off - Printer Required", countries=("GB",)),
    Service(id=13, carrier="Correos", name="Correos Drop Off", countries=("ES",)),
    Service(
        id=20062, carrier="Parcel Point", name="ParcelPoint Home Collection", type="home_collection", countries=("AU",)
    ),
    Service(id=20063, carrier="Parcel Point", name="ParcelPoint Drop Off", countries=("AU",)),
)
POINTS: Final = (
    Point(
        id="KRA010",
        service_id=243,
        title="Locker",
        country="PL",
        zip="30-624",
        city="Kraków",
        addr1="Malborska 130",
        lat=50.024,
        lng=19.968,
        hours="24/7",
    ),
    Point(
        id="WAW020",
        service_id=243,
        title="Locker",
        country="PL",
        zip="00-838",
        city="Warszawa",
        addr1="Prosta 10",
        lat=52.231,
        lng=20.997,
        hours="24/7",
    ),
    Point(
        id="PP-0042",
        service_id=20063,
        title="Corner shop",
        country="AU",
        state="NSW",
        zip="2000",
        city="Sydney",
        suburb="Sydney",
        addr1="2 George St",
        lat=-33.861,
        lng=151.209,
    ),
)

NEED_POINT: Final = frozenset(
    {58, 202, 10008, 230, 257, 280, 20085, 98, 10094, 10089, 20063, 10002, 20013, 20014, 168, 44, 272, 271, 161}
)
"""The services whose booking needs a `drop_off_point_id`."""

_PAPERS: Final = ("pdf_6x4", "pdf_a4", "png")
LABEL_FORMATS: Final = {
    **dict.fromkeys(("Royal Mail", "MyPack", "Direct Link", "nzpost", "AnPost", "Royale"), _PAPERS),
    "Yodel": ("barcode128",),
    "Fast Way": ("pdf_6x4",),
    "SDA Express": ("pdf_6x4",),
}
"""What a carrier prints, the default first; others have one format, which cannot be named."""
ALL_FORMATS: Final = frozenset({*_PAPERS, "barcode128"})

_PLACES: Final = {
    "PL": (49.0, 54.9, 14.1, 24.2),
    "DE": (47.3, 55.1, 5.9, 14.0),
    "ES": (36.0, 43.8, -9.3, 3.3),
    "GB": (49.9, 60.9, -8.2, 1.8),
    "AU": (-43.7, -10.0, 113.0, 153.7),
}


def country_at(lat: float, lng: float) -> str | None:
    """Say in which country a place is, roughly; None for what lies elsewhere."""
    found = (
        country
        for country, (south, north, west, east) in _PLACES.items()
        if south <= lat <= north and west <= lng <= east
    )
    return next(found, None)
