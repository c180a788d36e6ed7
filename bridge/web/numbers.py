"""The carrier's numbers in a request: a shipment's in the path, an organization's in the query."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from bridge.model import ShipmentId
from bridge.web.parameters import NUMBER, Parameter, Query
from bridge.web.problems import bad_field, not_found

SHIPMENT: Final = Parameter("shipment_id", "The carrier's number of the shipment.", NUMBER)


def shipment(request: Request, what: str) -> ShipmentId:
    """Read `shipment_id`. Raises a Problem for what no shipment is called: there is no such `what`."""
    text: str = request.path_params["shipment_id"]
    if not is_number(text):
        raise not_found(what)
    return ShipmentId(int(text))


def is_number(text: str) -> bool:
    """Say whether a text is one of the carrier's numbers."""
    return text.isascii() and text.isdecimal() and len(text) <= 18


def _organization(text: str) -> int:
    if not is_number(text):
        raise bad_field("organization_id", "out_of_range", "must be an organization's number")
    return int(text)


ORGANIZATION: Final[Query[int | None]] = Query(
    "organization_id", "Whose it is: only that organization's.", NUMBER, parse=_organization, usual=None
)
