"""What a stranger may cost before anybody knows who it is: bytes, time, headers, requests in a row and connections.

Uvicorn bounds none of these. Whoever passes a bound is cut off without an answer: nothing was acknowledged, so a
sender in good faith comes again, and a status would have to be a 4xx, which a webhook is never answered with.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = structlog.get_logger()

MOST_CONNECTIONS: Final = 1024
"""Open at once on one listening socket. A new one beyond takes the place of the one that has been idle for longest, and
where none is idle it is closed at once: whoever holds connections without sending keeps nobody out."""
MOST_HEAD_BYTES: Final = 32 * 1024
"""Of a request line and its headers, or of anything else that is not a body: chunk extensions and trailers too.

Whoever passes it is cut off after at most as much again: what came is fed to the parser in pieces of this size."""
MOST_HEADERS: Final = 128
"""Many short headers cost far more memory than bytes on the wire."""
MOST_PIPELINED: Final = 16
"""Requests that wait behind the one in hand."""
HEAD_S: Final = 10.0
"""From the connection, or from the first byte of a later request, until a request's headers are there."""
STALLED_S: Final = 60.0
"""How long a peer may leave a full buffer of answers unread."""
_LOG_EVERY_S: Final = 60.0
WHOLE: Final = "bridge.whole"
"""Among a request's `extensions`: its body is there to its end, so that nobody who reads it waits."""
_EXTENSIONS: Final[dict[str, dict[object, object]]] = {WHOLE: {}}


# Called for every request, where what `super()` costs can be measured.
_feed = HttpToolsProtocol.data_received
_begin = HttpToolsProtocol.on_headers_complete
_take = HttpToolsProtocol.on_body
_end = HttpToolsProtocol.on_message_complete


class _Excess(Exception):
    """Ends the parser's work on what came; the connection is gone by then."""


class Wire(HttpToolsProtocol):
    """One connection. While no request is in hand, a deadline runs: ours, or uvicorn's for an idle connection."""

    _logged = -_LOG_EVERY_S
    _loose = 0
    """Bytes since the last finished head or piece of a body."""
    _deadline: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn narrows it
        """Take a connection, if there are not too many with something in hand."""
        super().connection_made(transport)
        self.headers = []
        if len(self.connections) > MOST_CONNECTIONS:
            _log_too_many()
            idle = self._longest_idle()
            if idle is None:
                transport.abort()
                return
            idle.transport.abort()
        self._deadline = self.loop.call_later(HEAD_S, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadlines."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()  # uvicorn leaves it after an error
        self._cancel_deadline()
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        """Feed the parser in pieces small enough that no bound is passed by much within one."""
        if len(data) > MOST_HEAD_BYTES:
            for start in range(0, len(data), MOST_HEAD_BYTES):
                if not self.transport.is_closing():
                    self.data_received(data[start : start + MOST_HEAD_BYTES])
            return
        self._loose += len(data)
        _feed(self, data)
        if self._loose > MOST_HEAD_BYTES or len(self.headers) > MOST_HEADERS:
            self.transport.abort()
        elif self.cycle is not None and not self.cycle.response_complete:
            if self._deadline is not None:
                self._cancel_deadline()
        elif self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(HEAD_S, self.transport.abort)

    def on_headers_complete(self) -> None:
        """Begin a request, if it is not one too many."""
        if len(self.headers) > MOST_HEADERS or len(self.pipeline) >= MOST_PIPELINED:
            self.transport.abort()
            raise _Excess
        self._loose = 0
        _begin(self)

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body; how long one may be is the application's to say."""
        self._loose = 0
        _take(self, body)

    def on_message_complete(self) -> None:
        """Take the end of a body."""
        self.scope["extensions"] = _EXTENSIONS
        _end(self)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP; after a request was begun, only close, because the answer would seem to be its."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.abort()
        elif not self.transport.is_closing():
            super().send_400_response(msg)

    def pause_writing(self) -> None:
        """Give a peer that does not read its answers some time."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(STALLED_S, self.transport.abort)

    def resume_writing(self) -> None:
        """See that the peer reads again."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _longest_idle(self) -> Wire | None:
        """Find who has had no request in hand for longest."""
        since = {one: one._idle_since for one in self.connections if isinstance(one, Wire) and one is not self}
        idle = {one: at for one, at in since.items() if at is not None and not one.transport.is_closing()}
        return min(idle, key=lambda one: idle[one], default=None)

    @property
    def _idle_since(self) -> float | None:
        """Since when it has waited for a request, or for the rest of one's headers; None while one is in hand."""
        if self._deadline is not None:
            return self._deadline.when() - HEAD_S
        idle = self.timeout_keep_alive_task
        return None if idle is None else idle.when() - self.timeout_keep_alive

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _log_too_many() -> None:
    now = time.monotonic()
    if now - Wire._logged >= _LOG_EVERY_S:
        Wire._logged = now
        log.warning("http.too_many_connections", most=MOST_CONNECTIONS)
