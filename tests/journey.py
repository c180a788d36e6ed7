"""The words in which tests/test_journey.py tells its story."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from aio_pika.abc import AbstractIncomingMessage

from tests.support.bridge import BridgeProcess
from tests.support.http import NO_TLS

SAMPLE: Final = Path(__file__).parent / "samples" / "shipx" / "webhook_shipment_status_changed.json"
"""What the carrier's documentation says it sends: "the parcel waits in its locker"."""

Json = dict[str, Any]


@asynccontextmanager
async def carrier() -> AsyncIterator[httpx.AsyncClient]:
    """Be the carrier: somebody who can post to a URL."""
    async with httpx.AsyncClient(timeout=10, trust_env=False, verify=NO_TLS) as http:
        yield http


def webhook(*, status: str = "ready_to_pickup", at: str = "2026-03-22 09:41:10 +0100") -> bytes:
    """Give the sample, word for word unless something else is asked for."""
    return SAMPLE.read_text().replace("ready_to_pickup", status).replace("2026-03-22 09:41:10 +0100", at).encode()


async def post(http: httpx.AsyncClient, url: str, body: bytes) -> Json:
    """Post a webhook that must be taken, and give the answer."""
    answer = await http.post(url, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200, answer.text
    answered: Json = answer.json()
    return answered


async def feed(http: httpx.AsyncClient, bridge: BridgeProcess) -> bytes:
    """Read the feed's first page, as bytes."""
    answer = await http.get(f"{bridge.url}/v1/events", headers=bridge.headers)
    assert answer.status_code == 200, answer.text
    return answer.content


def event(message: AbstractIncomingMessage) -> Json:
    """Read a message's body."""
    read: Json = json.loads(message.body)
    return read


def status(message: AbstractIncomingMessage) -> str:
    """Say which status of the carrier a message is about."""
    return str(event(message)["data"]["carrier_status"])
