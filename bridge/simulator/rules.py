"""The carrier's checks of a request, and how it reports what it found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from bridge.simulator.drafts import Draft
from bridge.simulator.errors import NullDetails, Refusal, validation_failed
from bridge.simulator.organizations import Organization
from bridge.simulator.services import INSURED_WITH_COD, SERVICES

Problem = tuple[tuple[str, ...], str]
Model = TypeVar("Model", bound=BaseModel)

KEYS = {
    "missing": "required",
    "string_too_short": "too_short",
    "too_short": "too_short",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "string_pattern_mismatch": "invalid_format",
    "greater_than": "too_small",
    "greater_than_equal": "too_small",
    "less_than": "too_big",
    "less_than_equal": "too_big",
    "decimal_parsing": "not_a_number",
    "decimal_type": "not_a_number",
    "finite_number": "not_a_number",
    "int_parsing": "not_an_integer",
    "int_type": "not_an_integer",
    "int_from_float": "not_an_integer",
}
"""Our reader's words for the carrier's validation keys; everything else is `invalid`."""


def checked(model: type[Model], value: object) -> Model:
    """Read `value` as `model`, or refuse it as the carrier does."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = [(_fields(e["loc"]), KEYS.get(e["type"], "invalid")) for e in error.errors()]
    raise validation_failed(details_of(problems))


def draft_of(value: object, organization: Organization) -> Draft:
    """Read the attributes of a shipment for this organization, or refuse them."""
    draft = checked(Draft, value)
    if problems := list(_problems(draft, organization)):
        raise validation_failed(details_of(problems))
    if refusal := _contract_problem(draft.service, organization):
        raise refusal
    return draft


def details_of(problems: Iterable[Problem]) -> dict[str, object]:
    """Nest each problem under its fields, every inner object wrapped in a list of one.

    As seen in answers: `{"custom_attributes":[{"target_point":["does_not_exist"]}]}`.
    """
    tree: dict[str, object] = {}
    for path, key in problems:
        _put(tree, path or ("base",), key)
    return tree


def _put(tree: dict[str, object], path: tuple[str, ...], key: str) -> None:
    head, *rest = path
    entries = tree.setdefault(head, [])
    assert isinstance(entries, list)
    if not rest:
        entries.append(key)
        return
    inner = next((entry for entry in entries if isinstance(entry, dict)), None)
    if inner is None:
        entries.append(inner := {})
    _put(inner, tuple(rest), key)


def _fields(loc: tuple[int | str, ...]) -> tuple[str, ...]:
    return tuple(part for part in loc if isinstance(part, str))


def _problems(draft: Draft, organization: Organization) -> Iterator[Problem]:
    yield from _receiver_problems(draft)
    if draft.mpk and draft.mpk not in organization.terms.cost_centres:
        yield ("mpk",), "does_not_exist"
    if draft.cod and draft.cod.amount < 1:
        yield ("cod", "amount"), "too_small"
    if draft.service is None:
        return
    if draft.service not in SERVICES:
        yield ("service",), "does_not_exist"
    else:
        yield from _service_problems(draft, draft.service)


def _receiver_problems(draft: Draft) -> Iterator[Problem]:
    if draft.is_return:
        return
    if draft.receiver is None:
        yield ("receiver",), "required"
    elif not (draft.receiver.reachable_by_courier or draft.receiver.reachable_at_locker):
        yield ("receiver",), "invalid"


def _service_problems(draft: Draft, service: str) -> Iterator[Problem]:
    if SERVICES[service].reach == "locker":
        yield from _locker_problems(draft, service)
    elif draft.receiver and not draft.receiver.reachable_by_courier:
        yield ("receiver", "address"), "required"
    if service in INSURED_WITH_COD and draft.cod and not draft.insurance:
        yield ("insurance",), "required"


def _locker_problems(draft: Draft, service: str) -> Iterator[Problem]:
    receiver: Mapping[str, object] = draft.receiver.model_dump() if draft.receiver else {}
    for field in ("phone", "email"):
        if draft.receiver and not receiver.get(field):
            yield ("receiver", field), "required"
    if not draft.custom_attributes.target_point:
        yield ("custom_attributes", "target_point"), "required"
    if service == "inpost_locker_pass_thru" and not draft.custom_attributes.dropoff_point:
        yield ("custom_attributes", "dropoff_point"), "required"
    if len(draft.parcels) > 1:
        yield ("parcels",), "too_long"


def _contract_problem(service: str | None, organization: Organization) -> Refusal | None:
    if not organization.terms.services:
        return NullDetails(400, "no_carriers")
    if service and organization.terms_of(service) is None:
        return NullDetails(400, "carrier_unavailable")
    return None
