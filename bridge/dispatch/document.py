"""An order and a price as programs read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic_core import to_jsonable_python
from typing_extensions import TypedDict

from bridge.dispatch.order import DispatchOrder
from bridge.dispatch.price import Price
from bridge.dispatch.words import OrderState, state_of
from bridge.events.catalogue import Money
from bridge.model import OrganizationId
from bridge.store.dispatches import Kept


class OrderSummary(TypedDict):
    """How an order to a courier stands: in our words, and in the carrier's."""

    dispatch_order_id: int
    organization_id: int
    state: OrderState
    carrier_status: str | None
    shipments: Sequence[int]
    created_at: datetime | None


class OrderStatus(TypedDict):
    """A status that an order was in, and since when."""

    carrier_status: str
    at: datetime


class ShownOrder(OrderSummary):
    """An order, and the command that made it; `next_read_at` is null where nothing more is expected of it.

    Of one that was not made here only the carrier's answer of this moment is known.
    """

    command_id: str | None
    statuses: Sequence[OrderStatus]
    read_at: datetime | None
    next_read_at: datetime | None


class OrderPage(TypedDict):
    """Some orders."""

    items: Sequence[ShownOrder]
    next: str | None


class ShownPricePart(TypedDict):
    """What some of the shipments cost together."""

    shipments: Sequence[int]
    price: Money | None


class ShownPrice(TypedDict):
    """What it would cost; null where the carrier names no price: unknown, never 0.

    `priced` shipments are part of it, `refused` cannot be collected.
    """

    organization_id: int
    total: Money | None
    priced: int
    refused: int
    parts: Sequence[ShownPricePart]


class ShownComment(TypedDict):
    """Which comment on which order it is."""

    dispatch_order_id: int
    comment_id: int


def summary(kept: Kept) -> OrderSummary:
    """Describe how an order stands."""
    return {
        "dispatch_order_id": kept.id,
        "organization_id": kept.organization,
        "state": OrderState(kept.state),
        "carrier_status": kept.carrier_status,
        "shipments": kept.shipments,
        "created_at": kept.created_at,
    }


def result(kept: Kept) -> dict[str, object]:
    """Describe the same as what came of a command, which is kept as JSON."""
    written: dict[str, object] = to_jsonable_python(summary(kept))
    return written


def document(kept: Kept) -> ShownOrder:
    """Describe an order that is kept: what it went through, when it was read last, and when it is read next."""
    return {
        **summary(kept),
        "command_id": kept.command,
        "statuses": [{"carrier_status": one.word, "at": one.at} for one in kept.statuses],
        "read_at": kept.read_at,
        "next_read_at": kept.due_at,
    }


def read_document(organization: OrganizationId, found: DispatchOrder) -> ShownOrder:
    """Describe an order as the carrier just answered it, in the same words; it is not kept here."""
    return {
        "dispatch_order_id": found.id,
        "organization_id": organization,
        "state": state_of(found.status),
        "carrier_status": found.status,
        "shipments": sorted(one.id for one in found.shipments),
        "created_at": found.created_at,
        "command_id": None,
        "statuses": [],
        "read_at": None,
        "next_read_at": None,
    }


def price_document(organization: OrganizationId, price: Price) -> ShownPrice:
    """Describe what it would cost."""
    return {
        "organization_id": organization,
        "total": price.total,
        "priced": price.priced,
        "refused": price.refused,
        "parts": [{"shipments": one.shipments, "price": one.price} for one in price.parts],
    }
