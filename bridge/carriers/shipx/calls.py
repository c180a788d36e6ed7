"""The calls that are made, as values: under which name each is measured, and what goes over the wire.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153485 (shipments), …/18153611 (buying),
…/47186686 (buying many), …/18153506 (editing); lists as observed on 2026-10-10
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from bridge.model import OrganizationId, ShipmentId
from bridge.purchasing.shipment import Choice

MOST_AT_ONCE: Final = 100
"""What a page of a list holds, and a purchase of many: the carrier cuts or refuses more."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked. `filters` are those that a list must honour, `about` the shipments that a refusal may name."""

    operation: str
    method: str
    path: str
    json: Any = field(default=None, repr=False)
    filters: frozenset[str] = frozenset()
    about: frozenset[ShipmentId] = frozenset()


ORGANIZATIONS: Final = Call("list_organizations", "GET", "/v1/organizations")


def read(shipment: ShipmentId) -> Call:
    """Ask for one shipment."""
    return Call("read_shipment", "GET", f"/v1/shipments/{shipment}")


def read_many(organization: OrganizationId, shipments: Sequence[ShipmentId]) -> Call:
    """Ask for those that there are of these."""
    ids = ",".join(map(str, shipments))
    return _list("read_shipments", organization, {"id": ids, "per_page": MOST_AT_ONCE}, filters=["id"])


def created_since(organization: OrganizationId, since: datetime, page: int) -> Call:
    """Ask for a page of what was created since then, oldest first, from page 1."""
    moment = since.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    order = {"sort_by": "created_at", "sort_order": "asc"}
    query = {"created_at_gteq": moment, **order, "per_page": MOST_AT_ONCE, "page": page}
    return _list("list_shipments", organization, query, filters=["created_at_gteq", *order])


def buy(choice: Choice) -> Call:
    """Buy one offer."""
    return Call("buy", "POST", f"/v1/shipments/{choice.shipment}/buy", json={"offer_id": choice.offer})


def bulk_buy(organization: OrganizationId, choices: Sequence[Choice]) -> Call:
    """Buy several offers, all or none. A shipment's own id is what a refusal is to name it by."""
    items = [{"id": one.shipment, "shipment_id": one.shipment, "offer_id": one.offer} for one in choices]
    return Call(
        "bulk_buy",
        "POST",
        f"/v1/organizations/{organization}/shipments/bulk_buy",
        json={"shipments": items},
        about=frozenset(one.shipment for one in choices),
    )


def edit(shipment: ShipmentId, attributes: Mapping[str, str]) -> Call:
    """Set attributes of a shipment; without any, it only gets new offers."""
    return Call("edit_shipment", "PUT", f"/v1/shipments/{shipment}", json=attributes)


def _list(operation: str, organization: OrganizationId, query: Mapping[str, object], filters: Sequence[str]) -> Call:
    path = f"/v1/organizations/{organization}/shipments?{urlencode(query, safe=',:')}"
    return Call(operation, "GET", path, filters=frozenset(filters))
