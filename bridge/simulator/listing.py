"""The list of an organization's shipments: filters, order, pages, and how late it is.

Filters as the public clients send them; behaviour as observed on 2026-10-10 and 11.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from bridge.simulator.documents import Document, shipment_document
from bridge.simulator.errors import Refusal, validation_failed
from bridge.simulator.organizations import Organization
from bridge.simulator.pages import Query, moment_in, page_of
from bridge.simulator.requests import ID
from bridge.simulator.shipments import Shipment
from bridge.simulator.world import World

Keep = Callable[[Shipment], bool]

FILTERS = ("status", "service", "tracking_number", "created_at_gteq", "created_at_lteq")
OTHERS = ("id", "page", "per_page", "sort_by", "sort_order")
SORTABLE = ("id", "created_at", "status", "tracking_number")


def list_shipments(organization: Organization, query: Query, world: World) -> Document:
    """Answer one page. Unknown filters are dropped in silence: only their absence from `href` tells."""
    known = {key: query[key] for key in (*FILTERS, *OTHERS) if key in query}
    keep = [_filter(name, known[name]) for name in FILTERS if name in known]
    pool = (one for one in _pool(known, world) if one.organization is organization)
    found = _ordered([one for one in pool if all(test(one) for test in keep)], known)
    path = f"/v1/organizations/{organization.id}/shipments"
    return page_of(found, path, known, lambda shipment: _item(shipment, world))


def _item(shipment: Shipment, world: World) -> Document:
    """Write what a list says of a shipment, which may be less than its by-id read answers."""
    left_out = world.scenario.lists.without
    return {key: value for key, value in shipment_document(shipment).items() if key not in left_out}


def _pool(query: Query, world: World) -> Iterator[Shipment]:
    """Give what the list can see: not what is too new or cancelled, unless the question is by id."""
    if "id" in query:
        ids = _ids(query["id"])[: world.scenario.lists.most_ids]
        yield from (world.views.of(shipment) for shipment in map(world.shipments.get, ids) if shipment)
        return
    newest = world.now() - timedelta(seconds=world.scenario.delays.list_lag)
    for shipment in map(world.views.of, world.shipments):
        if shipment.created_at <= newest and shipment.listed:
            yield shipment


def _filter(name: str, text: str) -> Keep:
    if name in ("created_at_gteq", "created_at_lteq"):
        moment, sign = moment_in(name, text), 1 if name.endswith("gteq") else -1
        return lambda shipment: (shipment.created_at - moment).total_seconds() * sign >= 0
    values = text.split(",")
    return lambda shipment: getattr(shipment, name) in values


def _ids(text: str) -> list[int]:
    """Read `1,2,3`; one impossible id fails the whole list, an unknown one is left out in silence."""
    parts = text.split(",")
    if not all(ID.fullmatch(part) for part in parts):
        # Observed 2026-10-10: what was asked comes back inside a key.
        raise validation_failed({"shipment": [f"id_{part}_does_not_exist" for part in parts if not ID.fullmatch(part)]})
    return list(dict.fromkeys(map(int, parts)))


def _ordered(shipments: list[Shipment], query: Query) -> list[Shipment]:
    by = query.get("sort_by", "id")
    if by not in SORTABLE:
        raise Refusal(400, "invalid_parameter", details={"sort_by": ["invalid"]})
    descending = query.get("sort_order", "desc") != "asc"
    # str, because a number that is not there yet has to sort somewhere
    return sorted(shipments, key=lambda one: ("" if by == "id" else str(getattr(one, by)), one.id), reverse=descending)
