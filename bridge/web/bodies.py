"""What a caller sends, read as one of our models; what is wrong with it is told field by field, never repeated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from bridge.web.problems import FieldError, Problem

MOST_BYTES: Final = 262_144
KEY: Final = re.compile(r"[!-~]{1,255}")
"""What a command may be known by, at every edge."""

T = TypeVar("T", bound=BaseModel)


async def read(request: Request, model: type[T]) -> T:
    """Read the body. Raises a Problem: 400 where it is no JSON, 413 where it is too long, 422 where it is not meant."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise Problem(413, "too-large", f"The body is larger than {MOST_BYTES} bytes.")
    try:
        return model.model_validate_json(bytes(body) or b"{}")
    except ValidationError as error:
        raise _problem(error) from error


def idempotency_key(request: Request) -> str | None:
    """Read `Idempotency-Key`. Raises a Problem for what can be none."""
    key = request.headers.get("idempotency-key")
    if key is not None and not KEY.fullmatch(key):
        why = "must be 1 to 255 visible ASCII characters"
        raise Problem(400, "bad-request", f"Idempotency-Key {why}.", [FieldError("Idempotency-Key", "invalid", why)])
    return key


def required_key(request: Request) -> str:
    """Read `Idempotency-Key` where there has to be one. Raises a Problem."""
    key = idempotency_key(request)
    if key is None:
        why = "is needed: what is sent again under the same one has one effect"
        raise Problem(400, "bad-request", f"Idempotency-Key {why}.", [FieldError("Idempotency-Key", "missing", why)])
    return key


def _problem(error: ValidationError) -> Problem:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if any(one["type"] == "json_invalid" for one in found):
        return Problem(400, "not-json", "The body is not JSON.")
    errors = field_errors(error)
    return Problem(422, "unprocessable", told(errors), errors)


def field_errors(error: ValidationError) -> list[FieldError]:
    """Say what is wrong field by field, without repeating what was sent."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [
        FieldError(".".join(map(str, one["loc"])) or "body", one["type"], one["msg"].removeprefix("Value error, "))
        for one in found
    ]


def told(errors: Sequence[FieldError]) -> str:
    """Say the same in a line."""
    return "; ".join(f"{one.field}: {one.message}" for one in errors)
