"""httpx's way onto the wire, where every failure of a connection is an error of httpx's."""

from __future__ import annotations

import httpx


class Transport(httpx.AsyncHTTPTransport):
    """Makes connections, and says in httpx's words that one was reset while it was made."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and give the answer. Raises httpx.TransportError."""
        try:
            return await super().handle_async_request(request)
        except AttributeError:
            # anyio asks for the peer of a socket that uvloop has closed already (anyio 4.16 with uvloop 0.23, seen
            # 2026-11 where a server resets at once): it is no bug of ours, and no reason to end the process.
            raise httpx.NetworkError("the connection was reset while it was made", request=request) from None
