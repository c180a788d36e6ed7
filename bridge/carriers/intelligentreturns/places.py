"""What is answered about services, prices and points, in their names, as either format has it (`offers`: in ours).

https://returns.returnsplatform.com/api (output data of request_for_prices and services; read 2026-10)
"""

from __future__ import annotations

from bridge.carriers.intelligentreturns.parts import (
    Day,
    Exact,
    Hour,
    Many,
    Maybe,
    Part,
    Sure,
    SureWhole,
    Text,
    Whole,
)


class CollectionDate(Part):
    date: Day
    time_from: Hour = None
    time_to: Hour = None
    minimum_interval: Whole = None


class Price(Part):
    """A service and what it costs; amount and currency are one text (`8.76 USD`)."""

    carrier: Sure
    service: Text = None
    service_id: SureWhole
    service_name: Text = None
    type: Text = None
    description: Text = None
    max_weight: Text = None
    max_dim: Text = None
    avg_delivery_info: Text = None
    first_mile_price: Text = None
    parcel_processing_price: Text = None
    final_mile_price: Text = None
    customs_price: Text = None
    government_duty_price: Text = None
    collection_dates: Many[CollectionDate] = ()


class Prices(Part):
    result: Many[Price] = ()


class State(Part):
    """A part of a country. Cities and suburbs are `full` or a list."""

    state: Sure
    cities: Many[Text] = ()
    suburbs: Many[Text] = ()


class Country(Part):
    country: Sure
    states: Many[State | str] = ()


class Coverage(Part):
    countries: Many[Country] = ()


class Service(Part):
    carrier: Sure
    service_id: SureWhole
    service_name: Text = None
    service_type: Text = None
    coverage: Maybe[Coverage] = None


class Services(Part):
    services: Many[Service] = ()


class PointAddress(Part):
    country: Text = None
    state: Text = None
    zip: Text = None
    city: Text = None
    suburb: Text = None
    addr1: Text = None
    addr2: Text = None


class Days(Part):
    """Hours by day; a day that is closed is `false`, empty or not there."""

    mo: Many[Text] = ()
    tu: Many[Text] = ()
    we: Many[Text] = ()
    th: Many[Text] = ()
    fr: Many[Text] = ()
    sa: Many[Text] = ()
    su: Many[Text] = ()


class Point(Part):
    id: Sure
    title: Text = None
    address_detail: Maybe[PointAddress] = None
    hours: Text = None
    detail_hours: Maybe[Days] = None
    lat: Exact = None
    lng: Exact = None


class PointService(Part):
    id: SureWhole
    name: Text = None
    points: Many[Point] = ()


class PointCarrier(Part):
    id: Whole = None
    name: Text = None
    services: Many[PointService] = ()


class Points(Part):
    carriers: Many[PointCarrier] = ()


class OnePoint(Part):
    point: Point
