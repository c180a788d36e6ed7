"""What is sent: webhooks of 400 bytes, each about a shipment of its own, so that each makes one event."""

from __future__ import annotations

from typing import Final

SECRET: Final = "b" * 40
ORGANIZATION: Final = 4821
PATH: Final = f"/webhooks/shipx/{SECRET}"
SIZE: Final = 400
ASIDE: Final = 10**9
"""Shipments from this number on are for warming up; nobody measures them."""
_BODY: Final = (
    b'{"event_ts":"2026-03-22 09:41:10 +0100","event":"shipment_status_changed","organization_id":%d,'
    b'"payload":{"shipment_id":%d,"status":"ready_to_pickup","tracking_number":null},"filler":"'
)


def body(shipment: int, size: int = SIZE) -> bytes:
    """Make a webhook of this many bytes."""
    start = _BODY % (ORGANIZATION, shipment)
    return start + b"x" * (size - len(start) - 2) + b'"}'


def head(size: int = SIZE) -> bytes:
    """Write what stands before a body of this size."""
    lines = (f"POST {PATH} HTTP/1.1", "host: bench", "content-type: application/json", f"content-length: {size}")
    return "\r\n".join([*lines, "", ""]).encode()


def request(shipment: int) -> bytes:
    """Write a whole request."""
    return _HEAD + body(shipment)


_HEAD: Final = head()
