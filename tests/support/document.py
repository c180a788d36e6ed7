"""The description of the HTTP API, made once for all who look at it: to make it takes longer than most tests."""

from __future__ import annotations

from functools import cache
from typing import Any

from bridge.app.answering import openapi_document


@cache
def api_document() -> Any:
    """Give the OpenAPI document, which nobody changes."""
    return openapi_document()
