"""The list of an organization's shipments: filters, order, pages, and how late it is.

Filters as the public clients send them; behaviour as observed on 2026-10-10 and 11.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from bridge.simulator.documents import HREF, Document, shipment_document
from bridge.simulator.errors import Refusal, validation_failed
from bridge.simulator.organizations import Organization
from bridge.simulator.requests import ID
from bridge.simulator.shipments import Shipment
from bridge.simulator.world import World

Keep = Callable[[Shipment], bool]
Query = Mapping[str, str]

FILTERS = ("status", "service", "tracking_number", "created_at_gteq", "created_at_lteq")
OTHERS = ("id", "page", "per_page", "sort_by", "sort_order")
SORTABLE = ("id", "created_at", "status", "tracking_number")
MAX_PER_PAGE = 100


def list_shipments(organization: Organization, query: Query, world: World) -> Document:
    """Answer one page. Unknown filters are dropped in silence: only their absence from `href` tells."""
    known = {key: query[key] for key in (*FILTERS, *OTHERS) if key in query}
    keep = [_filter(name, known[name]) for name in FILTERS if name in known]
    pool = (one for one in _pool(known, world) if one.organization is organization)
    found = _ordered([one for one in pool if all(test(one) for test in keep)], known)
    page, per_page = max(1, _number(known, "page", 1)), _number(known, "per_page", 25)
    size = min(MAX_PER_PAGE, max(1, per_page))
    items = found[(page - 1) * size : page * size]
    return {
        "href": f"{HREF}/v1/organizations/{organization.id}/shipments?{urlencode(known)}",
        "count": len(found),
        "page": page,
        "per_page": per_page,  # an echo: more than 100 is cut all the same
        "items": [_item(shipment, world) for shipment in items],
    }


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
        if shipment.created_at <= newest and shipment.status != "canceled":
            yield shipment


def _filter(name: str, text: str) -> Keep:
    if name in ("created_at_gteq", "created_at_lteq"):
        moment, sign = _moment(name, text), 1 if name.endswith("gteq") else -1
        return lambda shipment: (shipment.created_at - moment).total_seconds() * sign >= 0
    values = text.split(",")
    return lambda shipment: getattr(shipment, name) in values


def _ids(text: str) -> list[int]:
    """Read `1,2,3`; one impossible id fails the whole list, an unknown one is left out in silence."""
    parts = text.split(",")
    if not all(ID.fullmatch(part) for part in parts):
        raise validation_failed({"id": ["invalid"]})
    return list(dict.fromkeys(map(int, parts)))


def _moment(name: str, text: str) -> datetime:
    """Read ISO 8601 or Unix time."""
    try:
        if text.isdecimal():
            return datetime.fromtimestamp(int(text), UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise Refusal(400, "invalid_parameter", details={name: ["invalid"]}) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _ordered(shipments: list[Shipment], query: Query) -> list[Shipment]:
    by = query.get("sort_by", "id")
    if by not in SORTABLE:
        raise Refusal(400, "invalid_parameter", details={"sort_by": ["invalid"]})
    descending = query.get("sort_order", "desc") != "asc"
    # str, because a number that is not there yet has to sort somewhere
    return sorted(shipments, key=lambda one: ("" if by == "id" else str(getattr(one, by)), one.id), reverse=descending)


def _number(query: Query, name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise Refusal(400, "invalid_parameter", details={name: ["not_an_integer"]})
    return int(text)
