"""AMQP 0-9-1 frames, as far as publishing needs them: events become bytes, and bytes become frames again.

The library's own writer builds every field of every message anew. Here it writes once what is the same for all events
of a kind, and those pieces are kept. Layout: https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf, sections 2.3.5
and 4.2; `tests/unit/broker/test_frames.py` compares every byte with what the library writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import Final

from pamqp import frame
from pamqp.commands import Basic
from pamqp.common import FieldTable

from bridge.broker.topology import EVENTS
from bridge.events.catalogue import versioned
from bridge.events.cloudevents import CONTENT_TYPE
from bridge.model import Event

Frame = tuple[int, bytes]
"""The kind of a frame, and its payload."""
METHOD: Final = 1
HEADER: Final = 2
BODY: Final = 3
HEARTBEAT: Final = 8
_KINDS: Final = frozenset({METHOD, HEADER, BODY, HEARTBEAT})
_END: Final = b"\xce"
"""The last byte of every frame."""
_AROUND: Final = 8
"""Bytes of a frame besides its payload."""
_HEAD: Final = Struct(">BHI")
"""How every frame begins: its kind, its channel, the size of its payload."""
_CONTENT: Final = Struct(">HHQ")
"""How the payload of a header frame begins: class, a weight that is always 0, the size of the body."""
_BASIC: Final = Basic.frame_id.to_bytes(2, "big")
"""How the payload of a method begins that has to do with messages."""
_TIME: Final = Struct(">Q")
_PERSISTENT: Final = 2
_MOST_KEPT: Final = 4096
"""Routing keys and organizations are few; this bounds them all the same."""
ALIVE: Final = _HEAD.pack(HEARTBEAT, 0, 0) + _END
"""A whole heartbeat."""


@dataclass(frozen=True, slots=True)
class _Same:
    """What is the same for all events of one routing key and organization, as bytes."""

    method: bytes
    before_id: bytes
    after_time: bytes


class EventFrames:
    """Writes events as frames for one channel. `frame_max` is the connection's, 0 where it sets none."""

    def __init__(self, channel: int, frame_max: int, environment: str) -> None:
        self._channel = channel
        self._most = frame_max - _AROUND if frame_max else 2**32 - 1
        self._environment = environment
        self._known = lru_cache(maxsize=_MOST_KEPT)(self._same)

    def write(self, events: Sequence[Event]) -> bytes:
        """Write events one behind the other."""
        parts: list[bytes] = []
        for event in events:
            self._add(parts, event)
        return b"".join(parts)

    def _add(self, parts: list[bytes], event: Event) -> None:
        same = self._known(event.routing_key, event.organization, event.type)
        name, size = event.id.encode(), len(event.body)
        properties = b"%b%c%b%b%b" % (
            same.before_id,
            len(name),
            name,
            _TIME.pack(int(event.recorded_at.timestamp())),
            same.after_time,
        )
        parts += (
            same.method,
            _HEAD.pack(HEADER, self._channel, _CONTENT.size + len(properties)),
            _CONTENT.pack(Basic.frame_id, 0, size),
            properties,
            _END,
        )
        if 0 < size <= self._most:
            parts += (_HEAD.pack(BODY, self._channel, size), event.body, _END)
        else:
            self._add_pieces(parts, event.body)

    def _add_pieces(self, parts: list[bytes], body: bytes) -> None:
        for start in range(0, len(body), self._most):
            piece = body[start : start + self._most]
            parts += (_HEAD.pack(BODY, self._channel, len(piece)), piece, _END)

    def _same(self, routing_key: str, organization: str, kind: str) -> _Same:
        headers: FieldTable = {"organization": organization, "environment": self._environment}
        before = Basic.Properties(content_type=CONTENT_TYPE, headers=headers, delivery_mode=_PERSISTENT)
        after = Basic.Properties(message_type=versioned(kind))
        publish = Basic.Publish(exchange=EVENTS, routing_key=routing_key, mandatory=True)
        return _Same(frame.marshal(publish, self._channel), _FLAGS + before.marshal()[2:], after.marshal()[2:])


def _flags(*names: str) -> bytes:
    """Say which properties are there, as the two bytes in front of them."""
    return sum(Basic.Properties.flags[name] for name in names).to_bytes(2, "big")


_FLAGS: Final = _flags("content_type", "headers", "delivery_mode", "message_id", "timestamp", "message_type")


class Sieve:
    """Takes the frames of messages on one channel out of what the broker sends; the rest passes as it came."""

    def __init__(self) -> None:
        self.channel = 0
        """There are no messages on channel 0, so that nothing is taken yet."""
        self._rest = b""
        self._is_clear = True

    def sift(self, data: bytes) -> tuple[bytes, list[Frame]]:
        """Give what passes, and what was taken. A frame that is not whole yet waits for its end."""
        data = self._rest + data
        passed, taken, start = bytearray(), list[Frame](), 0
        while self._is_clear and start + _HEAD.size <= len(data):
            kind, channel, size = _HEAD.unpack_from(data, start)
            payload, last = start + _HEAD.size, start + _HEAD.size + size
            if kind in _KINDS and last >= len(data):
                break
            if kind not in _KINDS or data[last] != _END[0]:
                self._is_clear = False  # no frames: let the library see it all, and end the connection
            elif channel == self.channel and (kind != METHOD or data.startswith(_BASIC, payload)):
                taken.append((kind, data[payload:last]))
                start = last + 1
            else:
                passed += data[start : last + 1]
                start = last + 1
        self._rest = data[start:] if self._is_clear else b""
        return bytes(passed if self._is_clear else passed + data[start:]), taken
