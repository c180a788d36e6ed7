"""Orders to collect shipments: what is asked, and what a carrier says of them, by allow-list."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bridge.model import CommentId, DispatchOrderId, ShipmentId
from bridge.shipments.party import Address


@dataclass(frozen=True, slots=True)
class DispatchDraft:
    """What is to be collected, from whom, and where: at an address, or at a point that the carrier knows already.

    The carrier finds a point by how an address is spelled, so it is sent as it was written.
    """

    shipments: tuple[ShipmentId, ...]
    address: Address | None = field(default=None, repr=False)
    dispatch_point_id: int | None = None
    name: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    comment: str | None = field(default=None, repr=False)
    office_hours: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if (self.address is None) == (self.dispatch_point_id is None):
            raise ValueError("an address or a dispatch point")


@dataclass(frozen=True, slots=True)
class Collected:
    """A shipment that an order is about."""

    id: ShipmentId
    tracking_number: str | None


@dataclass(frozen=True, slots=True)
class DispatchOrder:
    """An order as the carrier has it. `status` is an open set: `new`, `sent`, and older words.

    Of its comments only the ids are known: what they say is the writer's. `is_whole` says whether all of its shipments
    could be read.
    """

    id: DispatchOrderId
    status: str | None
    shipments: tuple[Collected, ...]
    comments: tuple[CommentId, ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class DispatchPage:
    """Some of an organization's orders, newest first. `count` is on all pages, `unread` how many could not be read."""

    orders: tuple[DispatchOrder, ...]
    count: int
    unread: int
    is_last: bool
