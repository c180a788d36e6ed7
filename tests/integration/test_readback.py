"""A real bridge that believes no webhook of what weighs much until the carrier shows it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge.model import ShipmentId
from tests.support.bridge import ORGANIZATION, BridgeProcess, until
from tests.support.carrier import CARRIER_TOKEN, SlowCarrier
from tests.support.http import NO_TLS
from tests.support.verbs import verb

SETTINGS = {
    "BRIDGE_SHIPX__TOKEN": CARRIER_TOKEN,
    "BRIDGE_SHIPX__READ_BACK": "terminal",
    "BRIDGE_SHIPX__REQUESTS_PER_MINUTE": "6000",
    "BRIDGE_PURCHASING__MODE": "dry_run",
    "BRIDGE_RECONCILE__OPEN_S": "3600",
    "BRIDGE_RECONCILE__TRACKING_S": "3600",
}
FORGED = ShipmentId(77)


@pytest.fixture
async def carrier() -> AsyncIterator[SlowCarrier]:
    """A carrier that has no address to send webhooks to: those of the tests are all there are."""
    async with SlowCarrier(takes_s=0).open() as opened:
        yield opened


async def says(bridge: BridgeProcess, shipment: ShipmentId, status: str) -> str:
    """Send a webhook; gives the delivery's id."""
    document = {
        "event_ts": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} +0000",
        "event": "shipment_status_changed",
        "organization_id": ORGANIZATION,
        "payload": {"shipment_id": shipment, "status": status, "tracking_number": None},
    }
    async with httpx.AsyncClient(trust_env=False, verify=NO_TLS) as http:
        answer = await http.post(bridge.webhook_url, json=document)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "accepted")
    return str(answer.json()["delivery_id"])


async def events(bridge: BridgeProcess, shipment: ShipmentId) -> list[dict[str, Any]]:
    async with httpx.AsyncClient(trust_env=False, verify=NO_TLS, headers=bridge.headers) as http:
        found: list[dict[str, Any]] = (await http.get(f"{bridge.url}/v1/events")).json()["items"]
    return [one for one in found if one["subject"] == f"shipment/{shipment}"]


async def verdict(bridge: BridgeProcess, delivery: str) -> str | None:
    async with httpx.AsyncClient(trust_env=False, verify=NO_TLS, headers=bridge.headers) as http:
        found: str | None = (await http.get(f"{bridge.url}/v1/deliveries/{delivery}")).json()["verdict"]
    return found


async def test_what_is_true_is_told_soon_and_what_is_not_never(tmp_path: Path, carrier: SlowCarrier) -> None:
    async with BridgeProcess(tmp_path, **SETTINGS, BRIDGE_SHIPX__BASE_URL=carrier.url) as bridge:
        shipment = await carrier.create()
        true, forged = await says(bridge, shipment, "offers_prepared"), await says(bridge, FORGED, "delivered")
        told = await until(lambda: events(bridge, shipment))
        assert told[0]["data"]["evidence"] == "carrier"

        async def taken_up() -> bool:
            return await verdict(bridge, true) not in (None, "waits_for_read", "was_read")

        await until(taken_up)
        assert (await verdict(bridge, forged), await events(bridge, FORGED)) == ("waits_for_read", [])
        shown = await verb(bridge.environ, "deliveries", "show", forged)
        assert "waits_for_read" in shown.out

        async def asked_in_vain() -> str | None:
            why = await verb(bridge.environ, "why", f"shipment/{FORGED}")
            return why.out if "; the carrier did not know it " in why.out else None

        why = await until(asked_in_vain)
        assert "what 1 of its deliveries said is told once a read of the carrier shows it" in why
        assert await bridge.terminate() == 0
