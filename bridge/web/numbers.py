"""The carrier's numbers in a request: a shipment's in the path, an organization's in the query."""

from __future__ import annotations

from starlette.requests import Request

from bridge.model import ShipmentId
from bridge.web.problems import bad_field, not_found


def shipment(request: Request, what: str) -> ShipmentId:
    """Read `shipment_id`. Raises a Problem for what no shipment is called: there is no such `what`."""
    text: str = request.path_params["shipment_id"]
    if not is_number(text):
        raise not_found(what)
    return ShipmentId(int(text))


def organization(request: Request) -> int | None:
    """Read `organization_id`, where it is given. Raises a Problem for what is no number."""
    text = request.query_params.get("organization_id")
    if text is None:
        return None
    if not is_number(text):
        raise bad_field("organization_id", "out_of_range", "must be an organization's number")
    return int(text)


def is_number(text: str) -> bool:
    """Say whether a text is one of the carrier's numbers."""
    return text.isascii() and text.isdecimal() and len(text) <= 18
