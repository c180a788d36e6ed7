"""The application: Starlette, with a way past its middleware and its routing for what comes by the thousand."""

from __future__ import annotations

from typing import Any, Final

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

_NOWHERE: Final = "\0"
"""Begins no path."""


class Application(Starlette):
    """Paths of `direct[0]` and one more step go to `direct[1]` at once, which reads the path and answers its own bugs.

    The rounds that Starlette makes around a request cost more than reading a webhook does.
    """

    def __init__(self, *, direct: tuple[str, ASGIApp] | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        self._prefix, self._endpoint = direct or (_NOWHERE, super().__call__)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Be an ASGI application."""
        if scope["type"] == "http" and self._is_direct(scope["path"]):
            await self._endpoint(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def _is_direct(self, path: str) -> bool:
        return path.startswith(self._prefix) and path.find("/", len(self._prefix), -1) < 0
