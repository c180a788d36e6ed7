"""What a request for labels says: which shipments, for which printer, in which size. Raises Problems by field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request

from bridge.model import ShipmentId
from bridge.shipments.label import LabelFormat, LabelKind
from bridge.shipments.rules import Broken
from bridge.web import numbers
from bridge.web.parameters import NUMBER, Parameter, Query, choice
from bridge.web.problems import bad_field, not_found

MOST_AT_ONCE: Final = 100
_MANY: Final = {"type": "array", "items": {**NUMBER, "minimum": 1}, "minItems": 1, "maxItems": MOST_AT_ONCE}
SHIPMENTS: Final = Parameter("shipment_id", "The carrier's numbers of shipments, each given anew.", _MANY, "query")
FORMAT: Final[Query[LabelFormat | None]] = choice("format", "What prints it; else `pdf`.", list(LabelFormat))
KIND: Final[Query[LabelKind | None]] = choice(
    "type", "Its size; else the carrier's own, A4 for lockers and A6 for couriers.", list(LabelKind)
)


def form(request: Request) -> LabelFormat:
    """Read `format`: PDF where nothing is said."""
    return FORMAT.read(request) or LabelFormat.pdf


def shipment(request: Request) -> ShipmentId:
    """Read the shipment of the path."""
    found = numbers.shipment(request, "shipment")
    if not found:
        raise not_found("shipment")
    return found


def shipments(request: Request) -> Sequence[ShipmentId]:
    """Read `shipment_id`, up to a hundred times; the same one twice is one."""
    texts = list(dict.fromkeys(request.query_params.getlist("shipment_id")))
    if not texts:
        raise bad_field("shipment_id", "missing", f"is needed, up to {MOST_AT_ONCE} times")
    if len(texts) > MOST_AT_ONCE:
        raise bad_field("shipment_id", "too_many", f"may be given {MOST_AT_ONCE} times at most")
    if not all(numbers.is_number(text) and int(text) for text in texts):
        raise bad_field("shipment_id", "out_of_range", "must be a shipment's number")
    return [ShipmentId(int(text)) for text in texts]


def refuse(found: Sequence[Broken]) -> None:
    """Raise the Problem that broken rules are, if any is."""
    if found:
        one = found[0]
        raise bad_field(".".join(map(str, one.where)), one.code, one.message)
