"""The calls that are made, as values: under which name each is measured, and what goes over the wire.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153485 (shipments), …/18153611 (buying),
…/47186686 (buying many), …/18153506 (editing), …/18153501 and …/18153503 (creating), …/18153502 (batches),
…/18153613 and …/28639270 (selecting), …/18153504 (cancelling), …/18153509 to …/18153511 (labels),
…/18153478 (statuses); lists as observed on 2026-10-10. Calls about dispatch orders are in `dispatch_calls`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from bridge.carriers.shipx import drafts
from bridge.carriers.shipx.paths import number, tracked
from bridge.model import BatchId, OrganizationId, ShipmentId
from bridge.purchasing.shipment import Choice
from bridge.shipments.draft import Draft
from bridge.shipments.label import LabelFormat, LabelWish

MOST_AT_ONCE: Final = 100
"""What a page of a list holds, and a purchase, a selection or labels of many: the carrier cuts or refuses more."""
MOST_IN_BATCH: Final = 2500
ANYTHING: Final = "*/*"
"""What is accepted where a file comes: its type depends on what was asked for, and on how many."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked. `filters` are those that a list must honour, `about` the shipments that a refusal may name.

    So may it name the drafts of a batch: `drafts` is how many were sent, numbered from 1. What is public is asked
    without the token.
    """

    operation: str
    method: str
    path: str
    json: Any = field(default=None, repr=False)
    filters: frozenset[str] = frozenset()
    about: frozenset[ShipmentId] = frozenset()
    drafts: int = 0
    accept: str = "application/json"
    is_public: bool = False

    @property
    def names(self) -> Mapping[str, int]:
        """Say of each of many under which name it was sent: a shipment by its id, a draft by its place from 0."""
        return {str(one): one for one in self.about} | {str(place + 1): place for place in range(self.drafts)}


ORGANIZATIONS: Final = Call("list_organizations", "GET", "/v1/organizations")


def read(shipment: ShipmentId) -> Call:
    """Ask for one shipment."""
    return Call("read_shipment", "GET", f"/v1/shipments/{number(shipment)}")


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
    return Call("buy", "POST", f"/v1/shipments/{number(choice.shipment)}/buy", json={"offer_id": choice.offer})


def bulk_buy(organization: OrganizationId, choices: Sequence[Choice]) -> Call:
    """Buy several offers, all or none. A shipment's own id is what a refusal is to name it by."""
    items = [{"id": one.shipment, "shipment_id": one.shipment, "offer_id": one.offer} for one in choices]
    path = f"/v1/organizations/{number(organization)}/shipments/bulk_buy"
    about = frozenset(one.shipment for one in choices)
    return Call("bulk_buy", "POST", path, json={"shipments": items}, about=about)


def select(choice: Choice) -> Call:
    """Choose one offer, and do not pay for it. The carrier forgets the others."""
    path = f"/v1/shipments/{number(choice.shipment)}/select_offer"
    return Call("select_offer", "POST", path, json={"offer_id": choice.offer})


def edit(shipment: ShipmentId, attributes: Mapping[str, str]) -> Call:
    """Set attributes of a shipment; without any, it only gets new offers."""
    return Call("edit_shipment", "PUT", f"/v1/shipments/{number(shipment)}", json=attributes)


def create(organization: OrganizationId, draft: Draft) -> Call:
    """Make a shipment. The page wants a `shipment` object around it, its sample and every client have none."""
    path = f"/v1/organizations/{number(organization)}/shipments"
    return Call("create_shipment", "POST", path, json=drafts.attributes(draft))


def create_batch(organization: OrganizationId, batch: Sequence[Draft]) -> Call:
    """Make many shipments. Each draft's number, from 1, is what a refusal is to name it by."""
    items = [{"id": place, **drafts.attributes(one)} for place, one in enumerate(batch, 1)]
    path = f"/v1/organizations/{number(organization)}/batches"
    return Call("create_batch", "POST", path, json={"shipments": items}, drafts=len(batch))


def read_batch(batch: BatchId) -> Call:
    """Ask how far a batch has come."""
    return Call("read_batch", "GET", f"/v1/batches/{number(batch)}")


def cancel(shipment: ShipmentId) -> Call:
    """Cancel a shipment that was not bought."""
    return Call("cancel_shipment", "DELETE", f"/v1/shipments/{number(shipment)}")


def label(shipment: ShipmentId, wish: LabelWish) -> Call:
    """Ask for one shipment's label: all its parcels are in one file."""
    path = f"/v1/shipments/{number(shipment)}/label?{urlencode(_wished(wish))}"
    return Call("read_label", "GET", path, accept=ANYTHING)


def labels(organization: OrganizationId, shipments: Sequence[ShipmentId], wish: LabelWish) -> Call:
    """Ask for many labels: one file, or an archive where they are of several services."""
    path = f"/v1/organizations/{number(organization)}/shipments/labels"
    return files("read_labels", path, shipments, _wished(wish))


def return_labels(organization: OrganizationId, shipments: Sequence[ShipmentId], form: LabelFormat) -> Call:
    """Ask for labels for the way back, which only couriers have, and not Allegro's."""
    path = f"/v1/organizations/{number(organization)}/shipments/return_labels"
    return files("read_return_labels", path, shipments, _wished(LabelWish(form)))


def tracking(parcel: str) -> Call:
    """Ask where a parcel is, as anybody may."""
    return Call("read_tracking", "GET", f"/v1/tracking/{tracked(parcel)}", is_public=True)


def statuses(language: str) -> Call:
    """Ask for the words that there are, as anybody may: `en_GB` or `pl_PL`, and no other spelling."""
    return Call("list_statuses", "GET", f"/v1/statuses?{urlencode({'lang': language})}", is_public=True)


def files(operation: str, path: str, shipments: Sequence[ShipmentId], query: Mapping[str, str]) -> Call:
    """Ask for a file about many shipments."""
    ids = [("shipment_ids[]", number(one)) for one in shipments]
    return Call(operation, "GET", f"{path}?{urlencode([*ids, *query.items()])}", accept=ANYTHING)


def _wished(wish: LabelWish) -> Mapping[str, str]:
    """Write a wish. A type that is spelled differently is an unknown one (2026-10), and couriers have no `normal`."""
    form = {"format": wish.format.capitalize()}
    return form if wish.kind is None else form | {"type": wish.kind.value}


def _list(operation: str, organization: OrganizationId, query: Mapping[str, object], filters: Sequence[str]) -> Call:
    path = f"/v1/organizations/{number(organization)}/shipments?{urlencode(query, safe=',:')}"
    return Call(operation, "GET", path, filters=frozenset(filters))
