"""What the answer to each call is read as. A success that cannot be read is no usable answer."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TypeVar

from pydantic_core import from_json

from bridge.carriers import shapes
from bridge.carriers.answer import Answer, readable
from bridge.carriers.shipx import created as made
from bridge.carriers.shipx import dispatch_orders, listing, trails, wire
from bridge.carriers.shipx import shipment as shipments
from bridge.carriers.shipx.calls import MOST_AT_ONCE
from bridge.carriers.shipx.listing import Listing
from bridge.dispatch.order import DispatchOrder, DispatchPage
from bridge.dispatch.price import Price
from bridge.errors import CarrierUnavailable
from bridge.model import BatchId, CommentId, DispatchOrderId, OrganizationId, ShipmentId
from bridge.purchasing.shipment import Shipment
from bridge.shipments.created import Batch
from bridge.tracking.dictionary import Dictionary
from bridge.tracking.trail import Tracking

T = TypeVar("T")


def shipment(wanted: ShipmentId, answer: Answer) -> Shipment:
    """Give the shipment that was asked for."""
    return shipments.ours(*raw_shipment(wanted, answer))


def raw_shipment(wanted: ShipmentId, answer: Answer) -> tuple[wire.Shipment, datetime]:
    """Give the shipment that was asked for, as it was written, and when it was so by the carrier's clock."""
    found = readable(shipments.parse, answer)
    return _asked_for(found, found.id == wanted, "another_shipment", answer), answer.at


def shipment_list(filters: Collection[str], answer: Answer) -> tuple[Listing, datetime]:
    """Give a page of what was asked for by these filters, and when it was so by the carrier's clock."""
    return readable(lambda body: listing.read(body, filters), answer), answer.at


def comments(wanted: ShipmentId, answer: Answer) -> str | None:
    """Give the comments on a shipment, which are for nobody but the carrier."""
    found = shapes.read(wire.Remark, answer)
    return _asked_for(found, found.id == wanted, "another_shipment", answer).comments


def organizations(answer: Answer) -> tuple[list[OrganizationId], bool]:
    """Give the organizations that a token may act for, and whether those are all."""
    found = shapes.read(wire.Organizations, answer)
    is_whole = not isinstance(found.count, int) or found.count <= len(found.items)
    return [OrganizationId(one.id) for one in found.items], is_whole


def created(answer: Answer) -> Shipment:
    """Give the shipment that was made."""
    return made.created(shapes.read(made.CreatedShape, answer), answer.at)


def batch(answer: Answer) -> Batch:
    """Give the batch that was taken in."""
    return made.batch(shapes.read(made.BatchShape, answer))


def same_batch(wanted: BatchId, answer: Answer) -> Batch:
    """Give the batch that was asked for."""
    found = batch(answer)
    return _asked_for(found, found.id == wanted, "another_batch", answer)


def dispatch_order(answer: Answer) -> DispatchOrder:
    """Give the order that was made."""
    return dispatch_orders.order(shapes.read(dispatch_orders.OrderShape, answer))


def same_dispatch_order(wanted: DispatchOrderId, answer: Answer) -> DispatchOrder:
    """Give the order that was asked for."""
    found = dispatch_order(answer)
    return _asked_for(found, found.id == wanted, "another_order", answer)


def dispatch_page(filters: Collection[str], page: int, answer: Answer) -> DispatchPage:
    """Give a page of what was asked for by these filters; without them it lists what nobody asked for."""
    found = readable(lambda body: dispatch_orders.page(body, filters, number=page, size=MOST_AT_ONCE), answer)
    if found is None:
        raise CarrierUnavailable("filter_dropped", status=answer.status)
    return found


def price(answer: Answer) -> Price:
    """Give what it would cost."""
    return dispatch_orders.price(shapes.read(dispatch_orders.PriceShape, answer))


def comment_id(answer: Answer) -> CommentId:
    """Give which comment it is."""
    return CommentId(shapes.read(dispatch_orders.CommentShape, answer).id)


def tracking(wanted: str, answer: Answer) -> Tracking:
    """Give the trail of the parcel that was asked for."""
    found = trails.tracking(shapes.read(trails.TrackingShape, answer))
    return _asked_for(found, found.number == wanted, "another_parcel", answer)


def dictionary(answer: Answer) -> Dictionary:
    """Give the status words that there are."""
    return trails.dictionary(shapes.read(trails.DictionaryShape, answer))


def accepted(_answer: Answer) -> None:
    """Believe nothing: only a read shows what became of it."""


def taken(answer: Answer) -> None:
    """Believe that it was taken in; a page of the edge in front of the carrier says nothing of the kind."""
    try:
        is_one = not answer.body or isinstance(from_json(answer.body), dict)
    except ValueError:
        is_one = False
    if not is_one:
        raise CarrierUnavailable("unreadable_answer", status=answer.status)


def _asked_for(found: T, is_it: bool, otherwise: str, answer: Answer) -> T:
    """Give what was asked for, and nothing that was answered instead."""
    if not is_it:
        raise CarrierUnavailable(otherwise, status=answer.status)
    return found
