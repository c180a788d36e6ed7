"""The list of an organization's dispatch orders."""

from __future__ import annotations

from collections.abc import Callable

from bridge.simulator.dispatch_documents import dispatch_order_document
from bridge.simulator.dispatch_orders import DispatchOrder
from bridge.simulator.documents import Document
from bridge.simulator.organizations import Organization
from bridge.simulator.pages import Query, moment_in, page_of
from bridge.simulator.world import World

Keep = Callable[[DispatchOrder], bool]

FILTERS = ("id", "status", "shipment_id", "tracking_number", "created_at_gteq", "created_at_lteq")
OTHERS = ("page", "per_page")


def list_dispatch_orders(organization: Organization, query: Query, world: World) -> Document:
    """Answer one page, the newest first. Filters as the public clients send them; unknown ones are dropped."""
    known = {key: query[key] for key in (*FILTERS, *OTHERS) if key in query}
    keep = [_filter(name, known[name]) for name in FILTERS if name in known]
    own = [order for order in world.dispatch_orders if order.organization is organization]
    found = [order for order in reversed(own) if all(test(order) for test in keep)]
    return page_of(found, f"/v1/organizations/{organization.id}/dispatch_orders", known, dispatch_order_document)


def _filter(name: str, text: str) -> Keep:
    if name in ("created_at_gteq", "created_at_lteq"):
        moment, sign = moment_in(name, text), 1 if name.endswith("gteq") else -1
        return lambda order: (order.created_at - moment).total_seconds() * sign >= 0
    wanted = text.split(",")
    return lambda order: not set(_values(name, order)).isdisjoint(wanted)


def _values(name: str, order: DispatchOrder) -> list[str]:
    if name == "shipment_id":
        return [str(shipment.id) for shipment in order.shipments]
    if name == "tracking_number":
        return [str(shipment.tracking_number) for shipment in order.shipments]
    return [str(getattr(order, name))]
