"""What a return may be made without, where a rule leads to several providers, and each takes something else. Pure.

A rule that names two providers would else lead to one of them alone: what the one cannot do without the other refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from bridge.errors import FieldProblem
from bridge.returns.draft import ReturnDraft

_UNEXPECTED: Final = "unexpected"
_ROUTED_BY: Final = "parcel_size"
"""Under a rule it is a word to route by, whoever makes it."""
_LEFT_OUT: Final[Mapping[str, Any]] = {
    _ROUTED_BY: None,
    "service_id": None,
    "provider_options": {},
    "expires_at": None,
    "description": None,
}
"""What may be left out, and what then stands there. Neither where it is sent from nor where it goes is among it."""


def forgiven(problems: Mapping[str, Sequence[FieldProblem]]) -> Mapping[str, Sequence[FieldProblem]]:
    """Give what is wrong for each of those that a rule leads to, without what only another one of them takes."""
    taken = {field for field in _LEFT_OUT if any(_takes(field, found) for found in problems.values())} | {_ROUTED_BY}
    return {
        name: [one for one in found if one.code != _UNEXPECTED or one.field not in taken]
        for name, found in problems.items()
    }


def fitted(draft: ReturnDraft, problems: Iterable[FieldProblem]) -> ReturnDraft:
    """Give a return as the provider takes it that has these against it: it must not get what it has no field for."""
    unexpected = {one.field for one in problems if one.code == _UNEXPECTED}
    return replace(draft, **{field: nothing for field, nothing in _LEFT_OUT.items() if field in unexpected})


def _takes(field: str, problems: Iterable[FieldProblem]) -> bool:
    return not any(f"{one.field}.".startswith(f"{field}.") for one in problems)
