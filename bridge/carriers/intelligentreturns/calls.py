"""The eighteen methods as calls: where each is, what goes there, and which of its errors mean that there is nothing.

https://returns.returnsplatform.com/api (all methods; read 2026-10)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from bridge.carriers.intelligentreturns import names
from bridge.carriers.intelligentreturns.questions import (
    AddedStatus,
    Billed,
    Cancellation,
    EventFilter,
    OrderKey,
    PointKey,
    PointSearch,
    ReturnFilter,
    ReturnKey,
    Tracked,
    Where,
)
from bridge.carriers.intelligentreturns.wire import Booking, Inquiry, MoreItems, Order

Asked = (
    AddedStatus
    | Billed
    | Booking
    | Cancellation
    | EventFilter
    | Inquiry
    | MoreItems
    | Order
    | OrderKey
    | PointKey
    | PointSearch
    | ReturnFilter
    | ReturnKey
    | Tracked
    | Where
)
Moment = Literal["occurred", "added"]
"""By which time events are asked for: when they happened, or when the provider learned of them."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked. `nothing` are the errors that say that there is none of it, `ours` says whose field is meant."""

    method: str
    root: str
    asked: Asked | None = field(repr=False)
    changes: bool = False
    nothing: frozenset[str] = frozenset()
    ours: Callable[[str], str] = str

    @property
    def operation(self) -> str:
        """Give the name under which it is measured."""
        return self.method.replace("/", "_")

    @property
    def is_public(self) -> bool:
        """Say whether it is asked without credentials."""
        return self.asked is None


AVAILABLE: Final = Call("check/available", "request", None)
"""Whether the provider is there, and its clock."""
_NO_ORDER: Final = frozenset({"order_nx"})
_NO_RETURN: Final = frozenset({"return_nx"})
_NO_EVENTS: Final = frozenset({"empty"})
_NO_SERVICES: Final = frozenset({"service_not_found", "service_nx"})
_NO_POINTS: Final = frozenset({"no_drop_off_points_found", "service_not_found"})


def create_order(order: Order) -> Call:
    """Tell of an order."""
    return Call("orders/create", "order", order, changes=True, ours=names.of_order)


def read_order(key: OrderKey) -> Call:
    """Ask for an order."""
    return Call("orders/get", "order", key, nothing=_NO_ORDER)


def delete_order(key: OrderKey) -> Call:
    """Delete an order."""
    return Call("orders/delete", "order", key, changes=True)


def add_items(items: MoreItems) -> Call:
    """Tell of more articles of an order."""
    return Call("orders/add_items", "order", items, changes=True, ours=names.of_order)


def create(booking: Booking) -> Call:
    """Make a return."""
    return Call("returns/create", "return", booking, changes=True, ours=names.of_return)


def read(key: ReturnKey) -> Call:
    """Ask for a return. The type is always said: without it another return may be meant."""
    return Call("returns/get", "return", key, nothing=_NO_RETURN)


def search(wanted: ReturnFilter) -> Call:
    """Ask for a page of returns, newest first."""
    return Call("returns/items", "filter", wanted, nothing=_NO_RETURN)


def prices(inquiry: Inquiry) -> Call:
    """Ask what a return would cost, by each service that there is for it."""
    return Call(
        "returns/request_for_prices",
        "return",
        inquiry,
        nothing=frozenset({"no_results_found"}),
        ours=names.of_return,
    )


def cancel(wanted: Cancellation) -> Call:
    """Ask for a return to be cancelled."""
    return Call("returns/cancel", "return", wanted, changes=True)


def billing(wanted: Billed) -> Call:
    """Ask what returns cost."""
    return Call("returns/billing", "return", wanted, nothing=_NO_RETURN)


def track(parcel: Tracked) -> Call:
    """Ask where a parcel has been."""
    return Call("tracking/get", "tracking", parcel, nothing=_NO_EVENTS)


def events(wanted: EventFilter, by: Moment) -> Call:
    """Ask for a page of events."""
    method = {"occurred": "tracking/get_by_date_range", "added": "tracking/get_by_date_added_range"}[by]
    return Call(method, "filter", wanted, nothing=_NO_EVENTS)


def add_status(status: AddedStatus) -> Call:
    """Tell that the money was paid back."""
    return Call("tracking/add_status", "tracking_status", status, changes=True)


def services(where: Where) -> Call:
    """Ask which services there are at a place. For none, the table has one word and the sample another."""
    return Call("services/get_available", "request", where, nothing=_NO_SERVICES, ours=names.of_place)


def points(wanted: PointSearch) -> Call:
    """Ask for drop-off points."""
    return Call("services/get_drop_off_points", "request", wanted, nothing=_NO_POINTS, ours=names.of_place)


def point(key: PointKey) -> Call:
    """Ask for one drop-off point."""
    return Call("services/get_drop_off_by_id", "request", key, nothing=frozenset({"point_not_found"}))
