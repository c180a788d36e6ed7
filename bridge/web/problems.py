"""Errors as `application/problem+json` (https://www.rfc-editor.org/rfc/rfc9457), without secrets or people in them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import structlog
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bridge.errors import CarrierRefused, CarrierUnavailable, RowRefused, StoreError, Unreadable
from bridge.web.kinds import BAD_REQUEST, CARRIER_REFUSED, CARRIER_UNAVAILABLE, NOT_FOUND, UNAVAILABLE, Kind

log = structlog.get_logger()

CARRIER_AGAIN_S: Final = 5
"""After so long a carrier that was away may be asked again, where it does not say."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field: its path, our code for it, and a sentence."""

    field: str
    code: str
    message: str


class Problem(Exception):
    """An answer that is not a success."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        super().__init__(detail)

    def response(self) -> Response:
        """Write the problem down."""
        body: dict[str, object] = {
            "type": self.kind.type,
            "title": HTTPStatus(self.kind.status).phrase,
            "status": self.kind.status,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = [{"field": one.field, "code": one.code, "message": one.message} for one in self.errors]
        return Response(to_json(body), self.kind.status, self.headers, media_type="application/problem+json")


def bad_field(field: str, code: str, message: str) -> Problem:
    """Say that one field cannot be used."""
    return Problem(BAD_REQUEST, f"{field}: {message}", [FieldError(field, code, message)])


def not_found(what: str) -> Problem:
    """Say that there is no such thing."""
    return Problem(NOT_FOUND, f"There is no such {what}.")


async def on_problem(_request: Request, error: Exception) -> Response:
    """Answer a problem."""
    assert isinstance(error, Problem)
    return error.response()


async def on_http(_request: Request, error: Exception) -> Response:
    """Answer what the router refuses."""
    assert isinstance(error, HTTPException)
    return Problem(Kind.of_status(error.status_code), error.detail, headers=error.headers).response()


async def on_store(_request: Request, error: Exception) -> Response:
    """Answer that the database cannot be reached."""
    log.warning("http.store_unavailable", error=type(error).__name__)
    return Problem(UNAVAILABLE, "The database cannot be reached.", headers={"retry-after": "5"}).response()


async def on_refused(_request: Request, _error: Exception) -> Response:
    """Answer that something asked for can be in no row: PostgreSQL's texts know no NUL, so nothing is called that."""
    return Problem(BAD_REQUEST, "It holds a character that no text in the database can hold.").response()


async def on_carrier_away(_request: Request, error: Exception) -> Response:
    """Answer that the carrier gives no usable answer just now, or may not be asked: nothing was changed."""
    assert isinstance(error, CarrierUnavailable)
    again = f"{math.ceil(error.retry_after or CARRIER_AGAIN_S)}"
    return Problem(CARRIER_UNAVAILABLE, CARRIER_UNAVAILABLE.meaning, headers={"retry-after": again}).response()


async def on_carrier_refused(_request: Request, error: Exception) -> Response:
    """Answer that the carrier understood and said no, field by field where it does."""
    assert isinstance(error, CarrierRefused)
    if error.status == NOT_FOUND.status:
        return Problem(NOT_FOUND, "The carrier knows none of this number.").response()
    errors = [FieldError(one.field, one.code, "the carrier does not take it") for one in error.fields]
    return Problem(CARRIER_REFUSED, f"The carrier refused it: {error.key}.", errors).response()


async def on_unreadable(_request: Request, error: Exception) -> Response:
    """Answer that something sent to us cannot be read."""
    assert isinstance(error, Unreadable)
    return Problem(BAD_REQUEST, error.reason).response()


HANDLERS = {
    Problem: on_problem,
    HTTPException: on_http,
    StoreError: on_store,
    RowRefused: on_refused,
    Unreadable: on_unreadable,
    CarrierUnavailable: on_carrier_away,
    CarrierRefused: on_carrier_refused,
}
"""For Starlette's `exception_handlers`; the nearest class of an error counts."""
