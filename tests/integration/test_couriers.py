"""A courier from the order to the end, by the command line beside a running bridge and a carrier on a port."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.bridge import ORGANIZATION, BridgeProcess, until
from tests.support.carrier import CARRIER_TOKEN, DRAFT, SlowCarrier
from tests.support.http import NO_TLS
from tests.support.verbs import verb

ADDRESS = {"street": "Lwowska", "building_number": "10", "city": "Kraków", "post_code": "30-300"}


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    """Settings for one of the databases; those of the process for SQLite."""
    if request.param == "sqlite":
        return {}
    return {"BRIDGE_DATABASE_URL": request.getfixturevalue("migrated_postgres_url")}


@asynccontextmanager
async def beside_a_carrier(folder: Path, **settings: str) -> AsyncIterator[tuple[SlowCarrier, BridgeProcess]]:
    async with SlowCarrier(takes_s=0.0).open() as carrier:
        more = {"BRIDGE_SHIPX__TOKEN": CARRIER_TOKEN, "BRIDGE_RECONCILE__OPEN_S": "1"} | settings
        async with BridgeProcess(folder, BRIDGE_SHIPX__BASE_URL=carrier.url, **more) as bridge:
            yield carrier, bridge


async def bought(carrier: SlowCarrier) -> int:
    """Have a shipment that the carrier bought by itself."""
    headers = {"authorization": f"Bearer {CARRIER_TOKEN}"}
    async with httpx.AsyncClient(base_url=carrier.url, headers=headers, trust_env=False, verify=NO_TLS) as http:
        draft = DRAFT | {"service": "inpost_locker_standard"}
        made = await http.post(f"/v1/organizations/{ORGANIZATION}/shipments", json=draft)

        async def is_confirmed() -> bool:
            found = await http.get(f"/v1/shipments/{made.json()['id']}")
            return bool(found.json()["status"] == "confirmed")

        await until(is_confirmed)
    number = made.json()["id"]
    assert isinstance(number, int)
    return number


async def events(bridge: BridgeProcess, order: int) -> list[tuple[str, str, Any]]:
    async with httpx.AsyncClient(trust_env=False, verify=NO_TLS, headers=bridge.headers) as http:
        found = await http.get(f"{bridge.url}/v1/events", params={"subject": f"dispatch_order/{order}"})
    return [(one["type"], one["sequence"], one["data"].get("carrier_status")) for one in found.json()["items"]]


async def test_a_courier_is_ordered_followed_printed_and_called_off(tmp_path: Path, database: dict[str, str]) -> None:
    async with beside_a_carrier(tmp_path, **database) as (carrier, bridge):
        shipment = await bought(carrier)
        (tmp_path / "order.json").write_text(json.dumps({"shipments": [shipment], "address": ADDRESS}))
        created = await verb(bridge.environ, "dispatch", "create", "--file", f"{tmp_path}/order.json", "--json")
        assert created.code == 0, created.err
        order = created.json["result"]["dispatch_order_id"]

        async def is_sent() -> bool:
            async with httpx.AsyncClient(trust_env=False, verify=NO_TLS, headers=bridge.headers) as http:
                shown = await http.get(f"{bridge.url}/v1/dispatch-orders/{order}")
            return bool(shown.json()["carrier_status"] == "sent")

        await until(is_sent, 20)
        shown = await verb(bridge.environ, "dispatch", "show", str(order))
        assert [line.split()[0] for line in shown.out.splitlines()[-3:]] == ["status", "new", "sent"]
        printed = await verb(bridge.environ, "dispatch", "printout", str(order), "--output", f"{tmp_path}/list.pdf")
        assert (printed.code, "application/pdf" in printed.out) == (0, True), printed.err
        assert (tmp_path / "list.pdf").read_bytes().startswith(b"%PDF-")
        cancelled = await verb(bridge.environ, "dispatch", "cancel", str(order))
        assert (cancelled.code, "cancelled" in cancelled.out) == (0, True), cancelled.err
        assert await events(bridge, order) == [
            ("bridge.dispatch_order.created.v1", "0000000001", "new"),
            ("bridge.dispatch_order.status_changed.v1", "0000000002", "sent"),
            ("bridge.dispatch_order.status_changed.v1", "0000000003", "canceled"),
        ]
        told = await verb(bridge.environ, "why", f"dispatch_order/{order}")
        assert "nothing: it is cancelled, and the carrier is not asked about it any more" in told.out
        of_shipment = await verb(bridge.environ, "why", f"shipment/{shipment}", "--json")
        assert [one["dispatch_order_id"] for one in of_shipment.json["dispatch_orders"]] == [order]
        assert [one.status for one in carrier.simulator.world.dispatch_orders] == ["canceled"]
        assert (await verb(bridge.environ, "audit")).code == 0


async def test_what_the_carrier_refuses_is_said_and_so_is_what_is_not_here(tmp_path: Path) -> None:
    async with beside_a_carrier(tmp_path) as (_, bridge):
        place = ("--street", "Lwowska", "--building", "10", "--city", "Kraków", "--post-code", "30-300")
        refused = await verb(bridge.environ, "dispatch", "create", "--shipment", "77", *place)
        assert (refused.code, "the carrier refused it: validation_failed" in refused.err) == (1, True)
        unknown = await verb(bridge.environ, "dispatch", "show", "77")
        assert (unknown.code, unknown.err.strip()) == (1, "bridge: no order 77 was made here")
        gone = await verb(bridge.environ, "dispatch", "cancel", "77")
        assert (gone.code, "the carrier knows none of this number" in gone.err) == (1, True)
        nowhere = await verb(bridge.environ, "dispatch", "printout", "77", "--output", "none.pdf", "--json")
        assert (nowhere.code, nowhere.json["result"]) == (1, None)
        none = await verb(bridge.environ, "dispatch", "printout", "77", "--output", f"{tmp_path}/none.pdf")
        assert (none.code, (tmp_path / "none.pdf").exists()) == (1, False)
        assert "Lwowska" not in bridge.log
