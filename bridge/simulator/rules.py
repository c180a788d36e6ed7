"""The carrier's checks of a request, and how it reports what it found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from bridge.simulator.errors import validation_failed

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


def details_of(problems: Iterable[Problem]) -> dict[str, object]:
    """Nest each problem under its fields, every inner object wrapped in a list of one.

    As seen in answers: `{"custom_attributes":[{"target_point":["does_not_exist"]}]}`.
    """
    tree: dict[str, object] = {}
    for path, key in problems:
        _put(tree, path or ("base",), key)
    return tree


def under(details: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """Nest what is wrong with each of many shipments under `shipments` and the id that it was sent with.

    As in bulk purchases: `{"shipments":[{"7":[{"offer_id":["does_not_exist"]}]}]}`.
    """
    return {"shipments": [{name: [one] for name, one in details.items()}]}


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
