"""The embedded feed over HTTP: pages by cursor, and a stream of server-sent events that resumes where it stopped.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Final, Protocol

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bridge.errors import CursorOfAnotherPast, StoreError, Unreadable
from bridge.events.catalogue import is_known, versioned
from bridge.events.schemas import ENVELOPE
from bridge.lifecycle import Stop
from bridge.model import Event
from bridge.store.feed import Filter, Page, after_event
from bridge.web import endpoint
from bridge.web.access import Access, Client
from bridge.web.endpoint import JSON, Answer, guarded
from bridge.web.kinds import TOO_MANY_STREAMS
from bridge.web.parameters import Parameter, Query, cursor, limit, text
from bridge.web.problems import Problem, bad_field

_DEFAULT: Final = 100
_LIMIT: Final = limit(usual=_DEFAULT, most=1000)
_AFTER: Final = cursor(str)


def _type(text: str) -> str:
    """Read a type, as it is published or without the version. Raises a Problem: nobody waits for what never comes."""
    if not is_known(text):
        raise bad_field("type", "unknown_value", "is not a type of events: /asyncapi.json lists them")
    return text


_TYPE: Final[Query[str | None]] = Query(
    "type", "Only events of this type: `bridge.shipment.confirmed.v1`.", {"type": "string"}, parse=_type, usual=None
)
_SUBJECT: Final = text("subject", "Only events about this: `shipment/3900000017`.")
_LAST_EVENT_ID: Final = Parameter(
    "Last-Event-ID", "Go on after this cursor, whatever `after` says.", {"type": "string"}, "header", is_required=False
)
_SSE: Final = "text/event-stream"
MOST_STREAMS: Final = 100
"""Open at once in one process: each asks the database again and again for as long as it is open."""
_HEARTBEAT_S: Final = 15.0
_POLL_S: Final = 1.0


PAGE: Final[Mapping[str, object]] = {
    "type": "object",
    "properties": {
        "items": {
            "type": "array",
            "items": ENVELOPE,
            "description": "May be fewer than `limit`, or none, although there are more: a page looks at so many",
        },
        "next": {
            "type": ["string", "null"],
            "description": "The cursor to go on from, also after a page without items; null where there is no more",
        },
        "cursor": {"type": "string", "description": "The cursor to ask again with, also where there is no more"},
        "pruned": {
            "const": True,
            "description": "Events after `after` were deleted for their age before anybody asked",
        },
    },
    "required": ["items", "next", "cursor"],
    "additionalProperties": False,
}
"""A page of events; they lie in the store as the bytes that they are answered with."""


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
        return endpoint.routes(self, self._access)

    def wake(self) -> None:
        """Let every stream look for new events."""
        for listener in self._listeners:
            listener.bell.ring()

    @guarded(
        "GET",
        "/v1/events",
        "events",
        takes=(_TYPE, _SUBJECT, _AFTER, _LIMIT),
        answers={200: Answer("A page, and the cursor to go on from, also where it is the last.", PAGE)},
    )
    async def list(self, request: Request, client: Client) -> Response:
        """Answer one page: events as published, the cursor to go on from, and whether some were deleted before them."""
        wanted, most = _filter(request, client), _LIMIT.read(request)
        page = await self._page("after", _AFTER.read(request), most, wanted)
        items = b",".join(event.body for event in page.events)
        body = b'{"items":[%b],"next":%b,"cursor":%b%b}' % (
            items,
            to_json(None if page.is_last else page.cursor),
            to_json(page.cursor),
            b',"pruned":true' if page.has_gap else b"",
        )
        return Response(body, media_type=JSON)

    @guarded(
        "GET",
        "/v1/events/stream",
        "events",
        takes=(_TYPE, _SUBJECT, _AFTER, _LAST_EVENT_ID),
        answers={200: Answer("Server-sent events: `id` is the cursor, `data` the event.", {"type": "string"}, _SSE)},
        problems=(TOO_MANY_STREAMS,),
    )
    async def stream(self, request: Request, client: Client) -> Response:
        """Stream events from `Last-Event-ID` or `after` on; without either, those that come from now on."""
        wanted = _filter(request, client)
        field, start = "last-event-id", request.headers.get("last-event-id")
        if not start:
            field, start = "after", _AFTER.read(request) or await self._feed.end()
        first = await self._page(field, start, _DEFAULT, wanted)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        if request.method == "HEAD":  # there is no body, and a stream would not end
            return Response(headers=headers, media_type=_SSE)
        if len(self._listeners) >= MOST_STREAMS:
            detail = f"{MOST_STREAMS} streams are open already."
            raise Problem(TOO_MANY_STREAMS, detail, headers={"retry-after": "5"})
        listener = _Listener(self._stop)
        self._listeners.add(listener)
        return _Stream(self._follow(listener, first, wanted), headers, partial(self._leave, listener))

    async def _page(self, field: str, after: str | None, most: int, wanted: Filter) -> Page:
        try:
            return await self._feed.page(after, most, wanted)
        except CursorOfAnotherPast as error:
            raise bad_field(field, error.reason, str(error)) from error
        except Unreadable as error:
            raise bad_field(field, error.reason, "is not a cursor of this feed") from error

    async def _follow(self, listener: _Listener, page: Page, wanted: Filter) -> AsyncIterator[bytes]:
        silent = 0.0
        yield b": connected\n\n"
        while not self._stop:
            for event in page.events:
                yield _sse(event)
            if page.is_last:
                await listener.bell.wait(_POLL_S)
            silent = 0.0 if page.events else silent + _POLL_S  # a page without any counts as a second, waited or not
            if silent >= _HEARTBEAT_S:
                silent = 0.0
                yield _still_here(page.cursor)
            try:
                page = await self._feed.page(page.cursor, _DEFAULT, wanted)
            except (CursorOfAnotherPast, StoreError):  # it is away, or an older one: who comes again is told so
                return

    def _leave(self, listener: _Listener) -> None:
        self._listeners.discard(listener)
        self._stop.forget(listener.bell)


class _Stream(StreamingResponse):
    """A response that says when it is over, also where its reader was gone before it began."""

    def __init__(self, content: AsyncIterator[bytes], headers: Mapping[str, str], on_end: Callable[[], None]) -> None:
        super().__init__(content, headers=headers, media_type=_SSE)
        self._on_end = on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._on_end()


class _Listener:
    """One open stream."""

    def __init__(self, stop: Stop) -> None:
        self.bell = stop.bell()


def _sse(event: Event) -> bytes:
    """Write one event; its bytes hold no line break, because JSON escapes them."""
    head = f"id: {after_event(event)}\nevent: {versioned(event.type)}\ndata: "
    return head.encode() + event.body + b"\n\n"


def _still_here(place: str) -> bytes:
    """Say how far was looked: an id without data is no event, and yet what a reader comes back with."""
    return b"id: %b\n: still here\n\n" % place.encode()


def _filter(request: Request, client: Client) -> Filter:
    return Filter(_TYPE.read(request), _SUBJECT.read(request), tuple(sorted(client.organizations)) or None)
