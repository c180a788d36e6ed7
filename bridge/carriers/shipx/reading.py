"""What the answer to each call is read as. A success that cannot be read is no usable answer."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from bridge.carriers.shipx import listing, wire
from bridge.carriers.shipx import shipment as shipments
from bridge.carriers.shipx.answer import Answer
from bridge.carriers.shipx.listing import Listing
from bridge.errors import CarrierUnavailable, Unreadable
from bridge.model import OrganizationId, ShipmentId
from bridge.purchasing.shipment import Shipment

T = TypeVar("T")
Model = TypeVar("Model", bound=BaseModel)


def shipment(wanted: ShipmentId, answer: Answer) -> Shipment:
    """Give the shipment that was asked for."""
    return shipments.ours(raw_shipment(wanted, answer), answer.at)


def raw_shipment(wanted: ShipmentId, answer: Answer) -> wire.Shipment:
    """Give the shipment that was asked for, as it was written."""
    found = _readable(shipments.parse, answer)
    if found.id != wanted:
        raise CarrierUnavailable("another_shipment", status=answer.status)
    return found


def shipment_list(filters: Collection[str], answer: Answer) -> tuple[Listing, datetime]:
    """Give a page of what was asked for by these filters, and when it was so by the carrier's clock."""
    return _readable(lambda body: listing.read(body, filters), answer), answer.at


def comments(wanted: ShipmentId, answer: Answer) -> str | None:
    """Give the comments on a shipment, which are for nobody but the carrier."""
    found = _model(wire.Remark, answer)
    if found.id != wanted:
        raise CarrierUnavailable("another_shipment", status=answer.status)
    return found.comments


def organizations(answer: Answer) -> list[OrganizationId]:
    """Give the organizations that a token may act for."""
    return [OrganizationId(one.id) for one in _model(wire.Organizations, answer).items]


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


def _readable(read: Callable[[bytes], T], answer: Answer) -> T:
    try:
        return read(answer.body)
    except Unreadable as error:
        raise CarrierUnavailable(error.reason, status=answer.status) from None


def _model(model: type[Model], answer: Answer) -> Model:
    try:
        return model.model_validate_json(answer.body)
    except ValidationError:
        raise CarrierUnavailable("unreadable_answer", status=answer.status) from None
