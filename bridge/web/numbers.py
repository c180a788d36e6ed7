"""The carrier's numbers in a request: a shipment's in the path, an organization's in the query."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from bridge.model import DispatchOrderId, ShipmentId
from bridge.web.parameters import NUMBER, Parameter, Query
from bridge.web.problems import bad_field, not_found

SHIPMENT: Final = Parameter("shipment_id", "The carrier's number of the shipment.", NUMBER)
DISPATCH_ORDER: Final = Parameter("dispatch_order_id", "The carrier's number of the order.", NUMBER)


def shipment(request: Request, what: str) -> ShipmentId:
    """Read `shipment_id`. Raises a Problem for what no shipment is called: there is no such `what`."""
    return ShipmentId(_in_path(request, "shipment_id", what))


def dispatch_order(request: Request) -> DispatchOrderId:
    """Read `dispatch_order_id`. Raises a Problem for what no order is called."""
    return DispatchOrderId(_in_path(request, "dispatch_order_id", "dispatch order"))


def shipments(request: Request, most: int) -> tuple[ShipmentId, ...]:
    """Read every `shipment_id` of the query, each once. Raises a Problem for none, too many, or what is no number."""
    texts = list(dict.fromkeys(request.query_params.getlist("shipment_id")))
    if not texts:
        raise bad_field("shipment_id", "missing", "is needed, once for each shipment")
    if len(texts) > most:
        raise bad_field("shipment_id", "too_many", f"may be given {most} times")
    return tuple(map(_shipment, texts))


def is_number(text: str) -> bool:
    """Say whether a text is one of the carrier's numbers."""
    return text.isascii() and text.isdecimal() and len(text) <= 18 and int(text) > 0


def _in_path(request: Request, name: str, what: str) -> int:
    text: str = request.path_params[name]
    if not is_number(text):
        raise not_found(what)
    return int(text)


def _shipment(text: str) -> ShipmentId:
    if not is_number(text):
        raise bad_field("shipment_id", "out_of_range", "must be a shipment's number")
    return ShipmentId(int(text))


def _organization(text: str) -> int:
    if not is_number(text):
        raise bad_field("organization_id", "out_of_range", "must be an organization's number")
    return int(text)


ORGANIZATION: Final[Query[int | None]] = Query(
    "organization_id", "Whose it is: only that organization's.", NUMBER, parse=_organization, usual=None
)
OF_SHIPMENT: Final[Query[ShipmentId | None]] = Query(
    "shipment_id", "Only what is about this shipment.", NUMBER, parse=_shipment, usual=None
)


def several_shipments(most: int) -> Parameter:
    """Make the parameter that names shipments, once for each."""
    schema = {"type": "array", "items": NUMBER, "minItems": 1, "maxItems": most}
    return Parameter("shipment_id", "The shipments' numbers, once for each.", schema, "query")
