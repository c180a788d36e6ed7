"""What a message on the bus asks for, or why that cannot be understood: a function of its name and its bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from bridge.commands.models import Body
from bridge.web.bodies import KEY, MOST_BYTES, field_errors, told
from bridge.web.problems import FieldError


@dataclass(frozen=True, slots=True)
class Asked:
    """A command that is understood."""

    id: str
    body: Body


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """Why a message is no command: in a word for a header, in a sentence, and field by field where it is about them."""

    reason: str
    told: str
    id: str | None = None
    errors: Sequence[FieldError] = ()


def read(
    name: str, data: bytes, known: Mapping[str, type[Body]], allows: Callable[[str], bool]
) -> Asked | NotUnderstood:
    """Read a message. The document is the operation's own, with `command_id` beside its fields."""
    document = _document(data)
    if isinstance(document, NotUnderstood):
        return document
    key = document.pop("command_id", None)
    if not isinstance(key, str) or not KEY.fullmatch(key):
        return NotUnderstood("no_command_id", "command_id is needed: 1 to 255 visible ASCII characters")
    if name not in known:
        return NotUnderstood("unknown_command", "there is no command of this name here", key)
    if not allows(name):
        return NotUnderstood("not_allowed", "this command may not be given over the bus here", key)
    try:
        return Asked(key, known[name].model_validate_json(to_json(document)))
    except ValidationError as error:
        errors = field_errors(error)
        return NotUnderstood("bad_fields", told(errors), key, errors)


def _document(data: bytes) -> dict[str, Any] | NotUnderstood:
    if len(data) > MOST_BYTES:
        return NotUnderstood("too_large", f"the body is larger than {MOST_BYTES} bytes")
    try:
        document = from_json(data, allow_inf_nan=False)
    except ValueError:
        return NotUnderstood("not_json", "the body is not JSON")
    return document if isinstance(document, dict) else NotUnderstood("not_json", "the body is no JSON object")
