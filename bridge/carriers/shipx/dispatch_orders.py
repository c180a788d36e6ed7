"""Dispatch orders and their prices as ShipX answers them, by allow-list: no address, and no text of a comment.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153482, …/18153498 (prices, by kind of service); a
client (michalbiarda/shipx-php-sdk, 2026-11) has the same parts in a list.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationError

from bridge.carriers.shapes import Lenient, Moment, Number, Shape, Word
from bridge.carriers.shipx import wire
from bridge.carriers.shipx.listing import echoed
from bridge.carriers.shipx.offers import money, utc
from bridge.carriers.shipx.wire import Id
from bridge.dispatch.order import Collected, DispatchOrder, DispatchPage
from bridge.dispatch.price import Price, PricePart
from bridge.errors import Unreadable
from bridge.events.catalogue import Money
from bridge.model import CommentId, DispatchOrderId, ShipmentId

Count = Annotated[int, Field(ge=0, lt=10**18)]


class ShipmentShape(Shape):
    """A shipment that an order is about."""

    id: Id
    tracking_number: Annotated[Number, Lenient] = None


class CommentShape(Shape):
    """A comment: only which, for what it says is its writer's."""

    id: Id


class OrderShape(Shape):
    """An order."""

    id: Id
    status: Annotated[Word | None, Lenient] = None
    shipments: Annotated[list[Annotated[ShipmentShape | None, Lenient]] | None, Lenient] = None
    comments: Annotated[list[Annotated[CommentShape | None, Lenient]] | None, Lenient] = None
    created_at: Annotated[Moment | None, Lenient] = None
    updated_at: Annotated[Moment | None, Lenient] = None


class PageShape(Shape):
    """A page of orders, in the envelope of every list."""

    href: Annotated[str, Field(max_length=16_384)]
    count: Count
    items: list[Annotated[OrderShape | None, Lenient]]


class PartShape(Shape):
    """What some of the shipments cost together."""

    price: Annotated[wire.Amount | None, Lenient] = None
    shipments: Annotated[list[Id] | None, Lenient] = None


def _parts(value: object) -> object:
    """Take parts under the names of their services for a list of them."""
    return list(value.values()) if isinstance(value, dict) else value


Parts = Annotated[list[Annotated[PartShape | None, Lenient]] | None, BeforeValidator(_parts), Lenient]


class PriceShape(Shape):
    """What it all costs. A price that cannot be read is unknown, and never nothing."""

    total_price: Annotated[wire.Amount | None, Lenient]
    total_success_count: Count
    total_error_count: Count
    price_list: Parts = None


def order(found: OrderShape) -> DispatchOrder:
    """Turn an order into ours."""
    return DispatchOrder(
        id=DispatchOrderId(found.id),
        status=found.status,
        shipments=tuple(Collected(ShipmentId(one.id), one.tracking_number) for one in found.shipments or () if one),
        comments=tuple(CommentId(one.id) for one in found.comments or () if one),
        created_at=utc(found.created_at),
        updated_at=utc(found.updated_at),
        is_whole=found.shipments is not None and None not in found.shipments,
    )


def page(body: bytes, filters: Collection[str], *, number: int, size: int) -> DispatchPage | None:
    """Read page `number` of what was asked for by these filters; None where they were dropped. Raises Unreadable."""
    try:
        found = PageShape.model_validate_json(body)
    except ValidationError:
        raise Unreadable("not_a_list") from None
    if not echoed(found.href) >= set(filters):
        return None
    orders = tuple(order(one) for one in found.items if one is not None)
    is_last = not found.items or number * size >= found.count
    return DispatchPage(orders, found.count, len(found.items) - len(orders), is_last)


def price(found: PriceShape) -> Price:
    """Turn a price list into ours."""
    parts = tuple(_part(one) for one in found.price_list or () if one)
    return Price(_money(found.total_price), found.total_success_count, found.total_error_count, parts)


def _part(found: PartShape) -> PricePart:
    return PricePart(tuple(ShipmentId(one) for one in found.shipments or ()), _money(found.price))


def _money(found: wire.Amount | None) -> Money | None:
    return money(found.amount, found.currency) if found else None
