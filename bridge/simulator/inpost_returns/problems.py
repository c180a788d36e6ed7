"""How InPost Returns says no. No page shows a body: RFC 9457, with a pointer to each field that is wrong.

The token endpoint is Keycloak's and answers as RFC 6749, section 5.2, has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import NamedTuple

from starlette.responses import JSONResponse, Response

from bridge.simulator.errors import Declined


class Wrong(NamedTuple):
    """One field that is not valid."""

    path: tuple[str, ...]
    text: str


class Problem(Declined):
    """A refusal with one of the documented statuses."""

    def __init__(self, status: int, detail: str, wrong: Sequence[Wrong] = ()) -> None:
        self.status = status
        self.detail = detail
        self.wrong = tuple(wrong)
        super().__init__(detail)

    def answer(self) -> Response:
        title = HTTPStatus(self.status).phrase
        body: dict[str, object] = {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail}
        if self.wrong:
            body["errors"] = [{"pointer": "#/" + "/".join(one.path), "detail": one.text} for one in self.wrong]
        return JSONResponse(body, self.status, self._headers(), "application/problem+json")

    def _headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": 'Bearer error="invalid_token"'} if self.status == 401 else {}


class TokenRefused(Declined):
    """A refusal by the token endpoint."""

    def __init__(self, status: int, error: str) -> None:
        self.status = status
        self.error = error
        super().__init__(error)

    def answer(self) -> Response:
        return JSONResponse({"error": self.error, "error_description": self.error.replace("_", " ")}, self.status)


def failed(_: str) -> Response:
    """Say that the provider failed."""
    return Problem(500, "Internal Server Error").answer()
