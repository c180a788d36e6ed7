"""What a refusal says. No page shows one's body (2026-10), so the status decides, and the rest is only tried.

Where a body keeps to RFC 9457, or to what Spring makes of a failed validation, the fields it names are told in the
contract's words; nothing else of it is kept, for it may repeat what was sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from pydantic_core import from_json

from bridge.carriers.answer import Answer
from bridge.carriers.inpost_returns.words import FIELDS, REFUSALS
from bridge.errors import CarrierRefused, FieldProblem

_MOST: Final = 100
_LISTS: Final = ("errors", "violations", "fieldErrors", "invalid-params")
_NAMES: Final = ("field", "pointer", "name", "property", "propertyPath")
_SEPARATORS: Final = re.compile(r"[/.\[\]#$]+")


def refusal(answer: Answer) -> CarrierRefused:
    """Give a refusal with what it has against which fields, where it says so."""
    fields = tuple(dict.fromkeys(islice(_problems(answer.body), _MOST)))
    return CarrierRefused(REFUSALS.get(answer.status, "other"), status=answer.status, fields=fields)


def _problems(body: bytes) -> Iterator[FieldProblem]:
    try:
        found = from_json(body)
    except ValueError:
        return
    for name in _LISTS if isinstance(found, Mapping) else ():
        listed = found.get(name)
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, Mapping) and (field := _field(one)):
                yield FieldProblem(field, "invalid")


def _field(problem: Mapping[str, object]) -> str | None:
    """Say which of our fields is meant: by the whole path, or by its end where only one has it."""
    named = next((one for name in _NAMES if isinstance(one := problem.get(name), str)), "")
    path = ".".join(part for part in _SEPARATORS.split(named[:200]) if part)
    if path in FIELDS:
        return FIELDS[path]
    ends = [ours for theirs, ours in FIELDS.items() if theirs.endswith(f".{path}")]
    return ends[0] if len(ends) == 1 else None
