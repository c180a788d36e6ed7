"""What a caller sends, read as one of our models; what is wrong with it is told field by field, never repeated."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Final, TypeVar
from uuid import uuid4

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.requests import Request

from bridge.web.endpoint import JSON
from bridge.web.kinds import BAD_REQUEST, NOT_JSON, NOT_JSON_TYPE, TOO_LARGE, TOO_SLOW, UNPROCESSABLE
from bridge.web.parameters import Parameter
from bridge.web.problems import FieldError, Problem

MOST_BYTES: Final = 262_144
MOST_S: Final = 30.0
"""How long a body may take to arrive."""
KEY: Final = re.compile(r"[!-~]{1,255}")
"""What a command may be known by, at every edge."""
_BY_HABIT: Final = "application/x-www-form-urlencoded"
"""What `curl --data` says of whatever it sends, unless it is told otherwise."""
_KEY_SCHEMA: Final = {"type": "string", "pattern": f"^{KEY.pattern}$"}
_KEY_TOLD: Final = "What is sent again under the same key has one effect, and the same answer; another body: 409."
REQUIRED_KEY: Final = Parameter("Idempotency-Key", _KEY_TOLD, _KEY_SCHEMA, "header")
"""For what makes something: asked for twice without a key, there would be two."""
OPTIONAL_KEY: Final = Parameter("Idempotency-Key", _KEY_TOLD, _KEY_SCHEMA, "header", is_required=False)

T = TypeVar("T", bound=BaseModel)


async def read(request: Request, model: type[T]) -> T:
    """Read the body. Raises a Problem.

    400 and 415 where it is no JSON, 408 and 413 where it takes too long or is too long, 422 for what it says.
    """
    _insist_on_json(request)
    try:
        async with asyncio.timeout(MOST_S):
            text = await _whole(request) or b"{}"
    except TimeoutError as error:
        detail = f"The body did not come within {MOST_S:g} seconds."
        raise Problem(TOO_SLOW, detail, headers={"connection": "close"}) from error
    try:
        from_json(text, allow_inf_nan=False)  # which a model would take, and JSON does not know
        return model.model_validate_json(text)
    except ValidationError as error:
        raise _problem(error) from error
    except ValueError as error:
        raise Problem(NOT_JSON, "The body is not JSON.") from error


async def _whole(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise Problem(TOO_LARGE, f"The body is larger than {MOST_BYTES} bytes.")
    return bytes(body)


def _insist_on_json(request: Request) -> None:
    """Refuse a body that says it is something else; one that does not say what it is, is read. Raises a Problem."""
    media, _, _ = request.headers.get("content-type", JSON).partition(";")
    if media.strip().lower() not in (JSON, _BY_HABIT):
        raise Problem(NOT_JSON_TYPE, "The body has to be application/json.")


def optional_key(request: Request) -> str:
    """Read `Idempotency-Key`, or make up one that nobody has. Raises a Problem for what can be none."""
    return _key(request) or str(uuid4())


def required_key(request: Request) -> str:
    """Read `Idempotency-Key` where there has to be one. Raises a Problem."""
    key = _key(request)
    if key is None:
        why = "is needed: what is sent again under the same one has one effect"
        raise Problem(BAD_REQUEST, f"Idempotency-Key {why}.", [FieldError("Idempotency-Key", "missing", why)])
    return key


def _key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not KEY.fullmatch(key):
        why = "must be 1 to 255 visible ASCII characters"
        raise Problem(BAD_REQUEST, f"Idempotency-Key {why}.", [FieldError("Idempotency-Key", "invalid", why)])
    return key


def _problem(error: ValidationError) -> Problem:
    errors = field_errors(error)
    return Problem(UNPROCESSABLE, told(errors), errors)


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
