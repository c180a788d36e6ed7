"""The calls about dispatch orders, as values.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153482 (dispatch orders), …/28639263 (printouts); paths
of comments and prices, and the filters of the list, as in michalbiarda/shipx-php-sdk and other clients (2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from bridge.carriers.exact import given
from bridge.carriers.shipx.calls import ANYTHING, MOST_AT_ONCE, Call, files
from bridge.carriers.shipx.drafts import address
from bridge.carriers.shipx.paths import number
from bridge.dispatch.order import DispatchDraft
from bridge.model import CommentId, DispatchOrderId, OrganizationId, ShipmentId

_PDF: Final[Mapping[str, str]] = {"format": "Pdf"}


def create(organization: OrganizationId, draft: DispatchDraft) -> Call:
    """Order a courier."""
    body = given(
        shipments=list(draft.shipments),
        address=address(draft.address),
        dispatch_point_id=draft.dispatch_point_id,
        name=draft.name,
        phone=draft.phone,
        email=draft.email,
        comment=draft.comment,
        office_hours=draft.office_hours,
    )
    return Call("create_dispatch_order", "POST", _orders(organization), json=body, about=frozenset(draft.shipments))


def calculate(organization: OrganizationId, shipments: Sequence[ShipmentId], dispatch_point_id: int | None) -> Call:
    """Ask what it would cost. Nothing is ordered."""
    body = given(shipments=list(shipments), dispatch_point_id=dispatch_point_id)
    return Call("calculate_dispatch_order", "POST", f"{_orders(organization)}/calculate", json=body)


def read(order: DispatchOrderId) -> Call:
    """Ask for one order."""
    return Call("read_dispatch_order", "GET", f"/v1/dispatch_orders/{number(order)}")


def list_orders(organization: OrganizationId, page: int, shipment: ShipmentId | None) -> Call:
    """Ask for a page of orders, newest first, from page 1; of those for one shipment, where it is given."""
    only = {} if shipment is None else {"shipment_id": number(shipment)}
    order = {"sort_by": "id", "sort_order": "desc"}
    query = {**only, **order, "per_page": str(MOST_AT_ONCE), "page": number(page)}
    path = f"{_orders(organization)}?{urlencode(query)}"
    return Call("list_dispatch_orders", "GET", path, filters=frozenset(only))


def delete(order: DispatchOrderId) -> Call:
    """Call a courier off."""
    return Call("delete_dispatch_order", "DELETE", f"/v1/dispatch_orders/{number(order)}")


def add_comment(organization: OrganizationId, order: DispatchOrderId, text: str) -> Call:
    """Say something to the courier."""
    return Call("add_dispatch_comment", "POST", _comment(organization, order), json={"comment": text})


def update_comment(organization: OrganizationId, order: DispatchOrderId, comment: CommentId, text: str) -> Call:
    """Say it in other words. The path names the order alone: which comment it is stands in the body."""
    body = {"id": comment, "comment": text}
    return Call("update_dispatch_comment", "PUT", _comment(organization, order), json=body)


def printout(order: DispatchOrderId) -> Call:
    """Ask for the list of one order."""
    path = f"/v1/dispatch_orders/{number(order)}/printout?{urlencode(_PDF)}"
    return Call("read_dispatch_printout", "GET", path, accept=ANYTHING)


def printouts(organization: OrganizationId, shipments: Sequence[ShipmentId]) -> Call:
    """Ask for the lists of shipments, whether a courier was ordered for them or not."""
    return files("read_dispatch_printouts", f"{_orders(organization)}/printouts", shipments, _PDF)


def _orders(organization: OrganizationId) -> str:
    return f"/v1/organizations/{number(organization)}/dispatch_orders"


def _comment(organization: OrganizationId, order: DispatchOrderId) -> str:
    return f"{_orders(organization)}/{number(order)}/comment"
