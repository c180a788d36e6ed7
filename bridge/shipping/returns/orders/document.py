"""An order as programs read it: as it was told, or as the provider has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from typing_extensions import TypedDict

from bridge.events.catalogue import Money
from bridge.returns.address import FoundAddress
from bridge.returns.found import Contact, FoundItem, FoundOrder
from bridge.shipping.returns.figures import money, plain


class ToldOrder(TypedDict):
    """Under which words an order is known, here and at the provider."""

    reference: str
    provider: str
    connection: str
    provider_reference: str


class ShownOrderAddress(TypedDict):
    """Where the customer is."""

    country_code: str | None
    state: str | None
    post_code: str | None
    city: str | None
    suburb: str | None
    lines: Sequence[str]


class ShownCustomer(TypedDict):
    """Who bought it."""

    name: str | None
    company_name: str | None
    phone: str | None
    email: str | None
    address: ShownOrderAddress | None


class ShownArticle(TypedDict):
    """An article of an order; price and weight are of one piece, null where they are not known."""

    sku: str
    name: str
    quantity: int
    price: Money | None
    weight: str | None
    weight_unit: str | None
    hs_code: str | None
    country_of_origin: str | None


class ShownReturnOrder(ToldOrder):
    """An order as the provider has it. `customer` and `rma` are null where the token may not see them."""

    ordered_at: datetime | None
    currency: str | None
    customer: ShownCustomer | None
    rma: str | None
    items: Sequence[ShownArticle]


def saved(connection: str, reference: str, id_: str) -> dict[str, object]:
    """Describe an order that was told of."""
    return {**_told(connection, reference, id_)}


def deleted(connection: str, reference: str) -> dict[str, object]:
    """Describe that there is none any more."""
    return {"reference": reference, "provider": connection.partition("/")[0], "deleted": True}


def document(connection: str, found: FoundOrder) -> ShownReturnOrder:
    """Describe it as it was read."""
    return {
        **_told(connection, found.reference, found.id),
        "ordered_at": found.ordered_at,
        "currency": found.currency,
        "customer": None if found.customer is None else _customer(found.customer),
        "rma": found.rma,
        "items": [_article(one, found.currency) for one in found.items],
    }


def without_people(found: FoundOrder) -> FoundOrder:
    """Leave out who bought it, and the code with which that one may send it back late."""
    return replace(found, customer=None, rma=None)


def _told(connection: str, reference: str, id_: str) -> ToldOrder:
    provider, _, name = connection.partition("/")
    return {"reference": reference, "provider": provider, "connection": name, "provider_reference": id_}


def _customer(found: Contact) -> ShownCustomer:
    return {
        "name": found.name,
        "company_name": found.company_name,
        "phone": found.phone,
        "email": found.email,
        "address": None if found.address is None else _address(found.address),
    }


def _address(found: FoundAddress) -> ShownOrderAddress:
    return {
        "country_code": found.country,
        "state": found.state,
        "post_code": found.post_code,
        "city": found.city,
        "suburb": found.suburb,
        "lines": found.lines,
    }


def _article(found: FoundItem, currency: str | None) -> ShownArticle:
    return {
        "sku": found.sku,
        "name": found.name,
        "quantity": found.quantity,
        "price": money(found.price, currency),
        "weight": plain(found.weight),
        "weight_unit": found.weight_uom,
        "hs_code": found.hs_code,
        "country_of_origin": found.country_of_origin,
    }
