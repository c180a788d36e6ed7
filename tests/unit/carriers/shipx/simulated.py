"""The client in front of the stand-in carrier."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from pydantic import SecretStr

from bridge.carriers.shipx.client import ShipxClient
from bridge.model import OfferId, OrganizationId, ShipmentId
from bridge.purchasing.shipment import Choice, Shipment
from tests.support.metrics import METRICS
from tests.support.permits import FreePermits
from tests.unit.simulator.stage import PREPAID, Stage, scenario

COURIER = "inpost_courier_standard"


@asynccontextmanager
async def meeting(**changes: Any) -> AsyncIterator[tuple[Stage, ShipxClient]]:
    """Put the client in front of a carrier with this scenario."""
    async with Stage(scenario(**changes)) as stage:
        transport = httpx.ASGITransport(stage.app)
        async with httpx.AsyncClient(transport=transport, timeout=10) as http:
            yield (
                stage,
                ShipxClient(
                    http,
                    base_url="http://carrier",
                    organization=OrganizationId(PREPAID),
                    token=SecretStr("prepaid"),
                    permits=FreePermits(),
                    metrics=METRICS,
                    clock=stage.clock.now,
                    version="0",
                ),
            )


async def prepared(stage: Stage, number: int = 1, **changes: Any) -> list[ShipmentId]:
    """Create shipments, and let their offers be prepared."""
    created = [await stage.create(**changes) for _ in range(number)]
    await stage.advance(1)
    return [ShipmentId(one["id"]) for one in created]


def courier(shipment: Shipment) -> Choice:
    offer = next(one for one in shipment.offers if one.service_id == COURIER)
    return Choice(shipment.id, OfferId(offer.offer_id))
