"""The embedded feed over HTTP: pages by cursor, and a stream of server-sent events that resumes where it stopped.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, Protocol

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from bridge.events.catalogue import versioned
from bridge.lifecycle import Stop
from bridge.model import Event
from bridge.store.feed import Filter, Page, encode
from bridge.web.access import Access, Client
from bridge.web.paging import limit

_MOST: Final = 1000
_DEFAULT: Final = 100
_HEARTBEAT_S: Final = 15.0
_POLL_S: Final = 1.0


class Feed(Protocol):
    """Where the events are read from."""

    async def page(self, after: str | None, limit: int, wanted: Filter | None = None) -> Page: ...

    async def end(self) -> str: ...


class FeedApi:
    """`/v1/events` and `/v1/events/stream`. Call `wake` when there are new events."""

    def __init__(self, feed: Feed, access: Access, stop: Stop) -> None:
        self._feed = feed
        self._access = access
        self._stop = stop
        self._listeners: set[_Listener] = set()

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [Route("/v1/events", self.list), Route("/v1/events/stream", self.stream)]

    def wake(self) -> None:
        """Let every stream look for new events."""
        for listener in self._listeners:
            listener.bell.ring()

    async def list(self, request: Request) -> Response:
        """Answer one page: events as published, and the cursor to go on from."""
        wanted = _filter(request, self._access.require(request, "events"))
        most = limit(request, usual=_DEFAULT, most=_MOST)
        page = await self._feed.page(request.query_params.get("after") or None, most, wanted)
        items = b",".join(event.body for event in page.events)
        body = b'{"items":[%b],"next":%b,"cursor":%b}' % (
            items,
            to_json(None if page.is_last else page.cursor),
            to_json(page.cursor),
        )
        return Response(body, media_type="application/json")

    async def stream(self, request: Request) -> Response:
        """Stream events from `Last-Event-ID` or `after` on; without either, those that come from now on."""
        wanted = _filter(request, self._access.require(request, "events"))
        start = request.headers.get("last-event-id") or request.query_params.get("after") or await self._feed.end()
        first = await self._feed.page(start, _DEFAULT, wanted)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        if request.method == "HEAD":  # there is no body, and a stream would not end
            return Response(headers=headers, media_type="text/event-stream")
        return StreamingResponse(self._follow(first, wanted), media_type="text/event-stream", headers=headers)

    async def _follow(self, page: Page, wanted: Filter) -> AsyncIterator[bytes]:
        listener = _Listener(self._stop)
        self._listeners.add(listener)
        silent = 0.0
        try:
            yield b": connected\n\n"
            while not self._stop:
                for event in page.events:
                    yield _sse(event)
                if page.is_last:
                    await listener.bell.wait(_POLL_S)
                silent = 0.0 if page.events else silent + _POLL_S
                if silent >= _HEARTBEAT_S:
                    silent = 0.0
                    yield b": still here\n\n"
                page = await self._feed.page(page.cursor, _DEFAULT, wanted)
        finally:
            self._listeners.discard(listener)
            self._stop.forget(listener.bell)


class _Listener:
    """One open stream."""

    def __init__(self, stop: Stop) -> None:
        self.bell = stop.bell()


def _sse(event: Event) -> bytes:
    """Write one event; its bytes hold no line break, because JSON escapes them."""
    head = f"id: {encode(event.position)}\nevent: {versioned(event.type)}\ndata: "
    return head.encode() + event.body + b"\n\n"


def _filter(request: Request, client: Client) -> Filter:
    sources = tuple(f"/shipx/{number}" for number in sorted(client.organizations)) or None
    return Filter(request.query_params.get("type"), request.query_params.get("subject"), sources)
