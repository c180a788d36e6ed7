"""A client of the carrier, what the carrier answers it, and what comes of that."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from bridge.carriers.shipx.client import ShipxClient
from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.model import OfferId, OrganizationId, ShipmentId
from bridge.observability import Metrics
from bridge.purchasing.shipment import Choice
from tests.support.metrics import METRICS
from tests.support.permits import FreePermits
from tests.unit.carriers.shipx.families import ShipxShipping

SAMPLES = Path(__file__).parents[3] / "samples" / "shipx"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.the-secret-part"
CARRIER = "https://carrier.test"
LIST_BY_ID = f"{CARRIER}/v1/organizations/4821/shipments?id="
OURS = datetime(2026, 10, 10, 9, 30, tzinfo=UTC)
UNTOLD = OURS - timedelta(seconds=3)
THEIRS = datetime(2026, 3, 18, 11, 32, 0, tzinfo=UTC)
DATE = {"date": "Wed, 18 Mar 2026 11:32:00 GMT"}
SHIPMENT = ShipmentId(3900000018)
OTHER = ShipmentId(3900000019)
OFFER = OfferId(1700000003)
MANY = (Choice(SHIPMENT, OFFER), Choice(OTHER, OfferId(1700000004)))
PAGE = "<html><head><title>Just a moment...</title></head><body>Ray ID</body></html>"


def client_on(
    http: httpx.AsyncClient,
    base_url: str = CARRIER,
    metrics: Metrics | None = None,
    clock: Callable[[], datetime] = lambda: OURS,
    permits: FreePermits | None = None,
) -> ShipxClient:
    return ShipxClient(
        http,
        base_url=base_url,
        organization=OrganizationId(4821),
        token=SecretStr(TOKEN),
        permits=permits or FreePermits(),
        metrics=metrics or METRICS,
        clock=clock,
        version="0.1.0",
    )


def shipping_on(http: httpx.AsyncClient, permits: FreePermits | None = None) -> ShipxShipping:
    client = client_on(http, permits=permits)
    return ShipxShipping.of(client.asker, client.organization)


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def page(items: list[Any], **changes: Any) -> Any:
    """A list as it is answered where the filter by id was honoured."""
    return {"href": f"{LIST_BY_ID}1&per_page=100", "count": len(items), "page": 1, "per_page": 100, "items": items} | (
        changes
    )


async def buy(client: ShipxClient, *choices: Choice) -> None:
    async with client.turn_to_buy() as turn:
        await turn.buy(choices or [Choice(SHIPMENT, OFFER)])


async def unavailable(call: Awaitable[object]) -> CarrierUnavailable:
    with pytest.raises(CarrierUnavailable) as caught:
        await call
    return caught.value


async def refused(call: Awaitable[object]) -> CarrierRefused:
    with pytest.raises(CarrierRefused) as caught:
        await call
    return caught.value
