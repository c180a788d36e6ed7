"""What a webhook is answered: one of a few responses, written so that sending one costs next to nothing."""

from __future__ import annotations

from typing import Final, NamedTuple

from bridge.model import DeliveryId, Receipt

Header = tuple[bytes, bytes]


class Answer(NamedTuple):
    """A whole response."""

    status: int
    headers: list[Header]
    body: bytes = b""


_EMPTY: Final[Header] = (b"content-length", b"0")
_JSON: Final[Header] = (b"content-type", b"application/json")
_CLOSE: Final[Header] = (b"connection", b"close")
_LATER: Final[Header] = (b"retry-after", b"5")
FOUND: Final = Answer(200, [_EMPTY])
NOT_FOUND: Final = Answer(404, [_EMPTY])


def told(receipt: Receipt, delivery: DeliveryId, *, close: bool) -> Answer:
    """Say what became of a delivery."""
    body = b'{"outcome":"%b","delivery_id":"%b"}' % (receipt.value.encode(), delivery.encode())
    length = (b"content-length", b"%d" % len(body))
    return Answer(200, [length, _JSON, _CLOSE] if close else [length, _JSON], body)


def unavailable(*, close: bool) -> Answer:
    """Ask the sender to come again. `close` where some of what was sent is not read."""
    return Answer(503, [_EMPTY, _LATER, _CLOSE] if close else [_EMPTY, _LATER])
