"""What a refusal says against the fields of what was sent, in words from two tables.

Its `details` are flat lists of codes, or nest them in objects and in arrays of objects; those of many stand under
`shipments`, each under the id that it was sent with. What was sent is echoed into keys and texts (observed by others,
2026-10), so whatever is in neither table is `other` or left out, and nothing of it is kept.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153492 (forms)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

from pydantic_core import from_json

from bridge.errors import FieldProblem

OTHER: Final = "other"
_MOST: Final = 1000
_DEEPEST: Final = 6

FIELDS: Final = frozenset(
    {
        "additional_services",
        "address",
        "amount",
        "building_number",
        "city",
        "cod",
        "cod_amount",
        "comment",
        "comments",
        "company_name",
        "country_code",
        "currency",
        "custom_attributes",
        "dimensions",
        "dispatch_order_id",
        "dispatch_point",
        "dispatch_point_id",
        "dropoff_point",
        "email",
        "end_of_week_collection",
        "external_customer_id",
        "first_name",
        "format",
        "height",
        "id",
        "insurance",
        "is_non_standard",
        "is_return",
        "label_available_from",
        "last_name",
        "length",
        "mpk",
        "name",
        "offer",
        "offer_id",
        "office_hours",
        "only_choice_of_offer",
        "organization",
        "organization_id",
        "parcels",
        "phone",
        "phone_number",
        "post_code",
        "receiver",
        "reference",
        "sender",
        "sending_method",
        "service",
        "shipment",
        "shipment_id",
        "shipment_ids",
        "shipments",
        "status",
        "street",
        "target_point",
        "template",
        "tracking_number",
        "type",
        "unit",
        "weight",
        "width",
    }
)
CODES: Final = frozenset(
    {
        "already_dispatched",
        "does_not_exist",
        "invalid",
        "invalid_box_machine_function",
        "invalid_format",
        "label_not_found",
        "not_a_number",
        "not_an_integer",
        "required",
        "shipment_status_incorrect",
        "too_big",
        "too_long",
        "too_short",
        "too_small",
        "you_can_not_generate_labels_for_unpaid_shipments",
    }
)


def read(body: bytes, names: Mapping[str, int]) -> tuple[FieldProblem, ...]:
    """Give what a refusal has against which fields. `names` says of each of many what it was sent as."""
    try:
        found = from_json(body)
    except ValueError:
        return ()
    details = found.get("details") if isinstance(found, dict) else None
    problems = islice(_walked(details, (), None, names), _MOST)
    return tuple(dict.fromkeys(one for one in problems if _says_something(one)))


def _walked(value: object, path: tuple[str, ...], item: int | None, names: Mapping[str, int]) -> Iterable[FieldProblem]:
    """Follow the nesting down to the codes."""
    if isinstance(value, str):
        yield FieldProblem(".".join(path) or OTHER, value if value in CODES else OTHER, item)
    elif isinstance(value, list):
        for one in value:
            yield from _walked(one, path, item, names)
    elif isinstance(value, dict) and len(path) < _DEEPEST:
        for key, inner in value.items():
            if path == ("shipments",) and item is None and key in names:
                yield from _walked(inner, (), names[key], names)
            else:
                yield from _walked(inner, (*path, key if key in FIELDS else OTHER), item, names)


def _says_something(problem: FieldProblem) -> bool:
    """Leave out what is about no field that we know and has no code that we know, unless it names one of many."""
    is_known = problem.code != OTHER or any(part != OTHER for part in problem.field.split("."))
    return is_known or problem.item is not None
