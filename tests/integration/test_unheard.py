"""A real bridge that no webhook reaches: what happens at the carrier is found, held and told all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge.model import ShipmentId
from tests.support.bridge import BridgeProcess, until
from tests.support.carrier import CARRIER_TOKEN, SlowCarrier
from tests.support.http import NO_TLS
from tests.support.verbs import verb

SETTINGS = {
    "BRIDGE_SHIPX__TOKEN": CARRIER_TOKEN,
    "BRIDGE_SHIPX__REQUESTS_PER_MINUTE": "6000",
    "BRIDGE_PURCHASING__MODE": "dry_run",
    "BRIDGE_RECONCILE__OPEN_S": "0.3",
    "BRIDGE_RECONCILE__TRACKING_S": "2",
}


@pytest.fixture
async def carrier() -> AsyncIterator[SlowCarrier]:
    """A carrier that has no address to send webhooks to."""
    async with SlowCarrier(takes_s=0, delays={"list_lag": 0.5}).open() as opened:
        yield opened


async def types(bridge: BridgeProcess, shipment: ShipmentId) -> set[str]:
    async with httpx.AsyncClient(trust_env=False, verify=NO_TLS, headers=bridge.headers) as http:
        found: list[dict[str, Any]] = (await http.get(f"{bridge.url}/v1/events")).json()["items"]
    return {one["type"] for one in found if one["subject"] == f"shipment/{shipment}"}


async def bought(carrier: SlowCarrier, shipment: ShipmentId) -> None:
    """Buy as somebody does in the carrier's panel."""
    headers = {"authorization": f"Bearer {CARRIER_TOKEN}"}
    async with httpx.AsyncClient(base_url=carrier.url, headers=headers, trust_env=False, verify=NO_TLS) as http:
        offers = (await http.get(f"/v1/shipments/{shipment}")).json()["offers"]
        answer = await http.post(f"/v1/shipments/{shipment}/buy", json={"offer_id": offers[0]["id"]})
    assert answer.status_code == 200


async def moved(carrier: SlowCarrier, shipment: ShipmentId, status: str) -> None:
    async with httpx.AsyncClient(base_url=carrier.url, trust_env=False, verify=NO_TLS) as http:
        answer = await http.post(f"/_control/shipments/{shipment}/statuses", json={"status": status})
    assert answer.status_code == 200


async def test_a_parcel_is_followed_from_its_offers_to_its_end(tmp_path: Path, carrier: SlowCarrier) -> None:
    async with BridgeProcess(tmp_path, **SETTINGS, BRIDGE_SHIPX__BASE_URL=carrier.url) as bridge:
        shipment = await carrier.create()

        async def held() -> bool:
            return {"bridge.shipment.offers_prepared.v1", "bridge.shipment.purchase_held.v1"} <= await types(
                bridge, shipment
            )

        await until(held, 20)
        await bought(carrier, shipment)

        async def confirmed() -> bool:
            return {
                "bridge.shipment.confirmed.v1",
                "bridge.shipment.tracking_number_assigned.v1",
                "bridge.shipment.status_changed.v1",
            } <= await types(bridge, shipment)

        await until(confirmed, 20)
        await moved(carrier, shipment, "delivered")

        async def delivered() -> bool:
            return '"carrier_status":"delivered"' in await feed(bridge)

        await until(delivered, 20)
        async with httpx.AsyncClient(trust_env=False, verify=NO_TLS) as http:
            metrics = (await http.get(f"{bridge.url}/metrics")).text
        assert 'bridge_found_by_poll_total{fact="shipment.offers_prepared"} 1.0' in metrics
        assert await bridge.terminate() == 0


async def test_every_parcel_is_bought_once_in_its_window(tmp_path: Path, carrier: SlowCarrier) -> None:
    auto = {**SETTINGS, "BRIDGE_PURCHASING__MODE": "auto", "BRIDGE_PURCHASING__SETTLE_S": "2"}
    async with BridgeProcess(tmp_path, **auto, BRIDGE_SHIPX__BASE_URL=carrier.url) as bridge:
        shipments = [await carrier.create() for _ in range(12)]

        async def all_bought() -> bool:
            told = [await types(bridge, one) for one in shipments]
            return all("bridge.shipment.purchase_succeeded.v1" in one for one in told)

        await until(all_bought, 40)
        assert carrier.charges() == sorted(shipments)


async def feed(bridge: BridgeProcess) -> str:
    async with httpx.AsyncClient(trust_env=False, verify=NO_TLS, headers=bridge.headers) as http:
        return (await http.get(f"{bridge.url}/v1/events")).text.replace(": ", ":")


async def test_backfill_is_a_verb(tmp_path: Path, carrier: SlowCarrier) -> None:
    shipment = await carrier.create()
    never = {"BRIDGE_RECONCILE__OPEN_S": "3600", "BRIDGE_ROLES": "receiver,worker,commands"}
    async with BridgeProcess(tmp_path, **{**SETTINGS, **never}, BRIDGE_SHIPX__BASE_URL=carrier.url) as bridge:

        async def listed() -> bool:
            ran = await verb(bridge.environ, "backfill", "--since", "1h", "--json")
            assert ran.code == 0, ran.err
            return bool(ran.json["result"]["shipments"] == 1)

        await until(listed, 30)
        assert "bridge.shipment.offers_prepared.v1" in await types(bridge, shipment)
        told = await verb(bridge.environ, "backfill", "--since", "2026-11-01")
        assert told.out.strip() == "asked about 1 shipments: nothing new"


async def test_backfill_wants_to_know_since_when(tmp_path: Path) -> None:
    ran = await verb({}, "backfill")
    assert ran.code == 2
    assert "--since" in ran.err
