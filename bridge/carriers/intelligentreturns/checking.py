"""Whether what is to be sent is what the provider takes: each field by its type, and all of them by the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final, TypeVar, get_args

from pydantic import TypeAdapter, ValidationError

from bridge.carriers.intelligentreturns import rules
from bridge.carriers.intelligentreturns.calls import Asked
from bridge.errors import FieldProblem

T = TypeVar("T")

_CODES: Final = {
    "missing": "missing",
    "unexpected_keyword_argument": "unexpected",
    "string_too_long": "too_long",
    "string_too_short": "too_short",
    "too_short": "too_short",
    "string_pattern_mismatch": "invalid_format",
    "greater_than_equal": "too_small",
    "less_than_equal": "too_big",
    "int_parsing": "not_an_integer",
    "decimal_parsing": "not_a_number",
}


def problems(asked: Asked) -> list[FieldProblem]:
    """Say what is wrong with it, in the provider's names."""
    return checked(type(asked), asked)[1]


def checked(kind: type[T], value: object) -> tuple[T | None, list[FieldProblem]]:
    """Make one of a kind; gives None, and what is wrong with it, where it cannot be one."""
    try:
        made: T = _adapters()[kind].validate_python(value)
    except ValidationError as error:
        return None, list(_mistyped(error))
    return made, list(rules.broken(made)) if isinstance(made, get_args(rules.Checked)) else []


@cache
def _adapters() -> Mapping[type, TypeAdapter[Any]]:
    return {kind: TypeAdapter(kind) for kind in get_args(Asked)}


def _mistyped(error: ValidationError) -> Iterable[FieldProblem]:
    """Say the same in our codes; what was sent is never repeated."""
    for one in error.errors(include_url=False, include_context=False, include_input=False):
        yield FieldProblem(".".join(map(str, one["loc"])), _CODES.get(one["type"], "invalid"))


def renamed(problem: FieldProblem, ours: Callable[[str], str]) -> FieldProblem:
    """Say the same of a field under another name."""
    return replace(problem, field=ours(problem.field))
