"""What lies between a client and its provider: the stand-in, unless something else is to come of what is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx
from starlette.types import ASGIApp

Instead = Callable[[httpx.Request], httpx.Response]


class Wire(httpx.AsyncBaseTransport):
    """Carries requests to the stand-in. Where a token comes from is never disturbed, so that the call itself is."""

    def __init__(self, app: ASGIApp) -> None:
        self._provider = httpx.ASGITransport(app)
        self.instead: Instead | None = None
        """What is answered, without asking the provider."""
        self.requests: list[httpx.Request] = []
        self.bodies: list[bytes] = []
        """What the provider answered, but for tokens."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path.endswith("/token"):
            return await self._provider.handle_async_request(request)
        if self.instead is not None:
            return self.instead(request)
        answer = await self._provider.handle_async_request(request)
        self.bodies.append(await answer.aread())
        return answer


class Drip(httpx.AsyncByteStream):
    """A body that comes in pieces, and knows how many were taken."""

    def __init__(self, piece: bytes, times: int) -> None:
        self._piece = piece
        self._times = times
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.taken < self._times:
            self.taken += 1
            yield self._piece
