"""A label from the purchase to the printer: fetched unasked by a real bridge, told of, answered, written to files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge.model import ShipmentId
from tests.support.bridge import BridgeProcess, until
from tests.support.carrier import CARRIER_TOKEN, SlowCarrier
from tests.support.http import NO_TLS
from tests.support.verbs import verb

READY = "bridge.shipment.label_ready.v1"


@pytest.fixture
async def carrier() -> AsyncIterator[SlowCarrier]:
    async with SlowCarrier(takes_s=0.01, delays={"labels": 1.0}).open() as found:
        yield found


@pytest.fixture(params=["sqlite", "postgres"])
async def bridge(request: pytest.FixtureRequest, tmp_path: Path, carrier: SlowCarrier) -> AsyncIterator[BridgeProcess]:
    """A bridge that keeps labels: of PostgreSQL in a folder."""
    extra = {}
    if request.param == "postgres":
        extra = {
            "BRIDGE_DATABASE_URL": request.getfixturevalue("migrated_postgres_url"),
            "BRIDGE_LABELS__FOLDER": str(tmp_path / "labels"),
        }
    asked = {
        "BRIDGE_SHIPX__BASE_URL": carrier.url,
        "BRIDGE_SHIPX__TOKEN": CARRIER_TOKEN,
        "BRIDGE_SHIPX__REQUESTS_PER_MINUTE": "6000",
        "BRIDGE_SHIPX__LABELS": "pdf",
        "BRIDGE_PERSONAL_DATA__KEYS": "a2" * 21 + "A=",
    }
    async with BridgeProcess(tmp_path, **asked, **extra) as found:
        carrier.announce_to(found.webhook_url)
        yield found


async def ready(http: httpx.AsyncClient, shipment: ShipmentId) -> dict[str, Any]:
    """Wait for the event about a shipment's label."""

    async def look() -> dict[str, Any] | None:
        answer = await http.get("/v1/events", params={"type": READY, "subject": f"shipment/{shipment}"})
        found: list[dict[str, Any]] = answer.json()["items"]
        return found[0] if found else None

    return await until(look, 30)


def fetched(carrier: SlowCarrier) -> int:
    return sum("label" in one.path for one in carrier.asked)


async def test_a_label_is_kept_when_a_shipment_is_bought_and_given_to_whoever_prints_it(
    bridge: BridgeProcess, carrier: SlowCarrier, tmp_path: Path
) -> None:
    async with httpx.AsyncClient(base_url=bridge.url, headers=bridge.headers, trust_env=False, verify=NO_TLS) as http:
        shipments = [await carrier.create() for _ in range(3)]
        events = [await ready(http, one) for one in shipments]
        asked = fetched(carrier)
        for shipment, event in zip(shipments, events, strict=True):
            label = await http.get(event["data"]["path"])
            assert (label.status_code, label.content[:5]) == (200, b"%PDF-")
            assert sha256(label.content).hexdigest() == event["data"]["sha256"]
            [told] = (await http.get(f"/v1/shipments/{shipment}")).json()["labels"]
            assert (told["state"], told["sha256"]) == ("kept", event["data"]["sha256"])
        ran = await verb(bridge.environ, "shipments", "label", *map(str, shipments), "--output", f"{tmp_path}/out/")
        assert (ran.code, ran.err) == (0, "")
        for shipment, event in zip(shipments, events, strict=True):
            file = tmp_path / "out" / f"label-{shipment}.pdf"
            assert sha256(file.read_bytes()).hexdigest() == event["data"]["sha256"]
            assert file.stat().st_mode & 0o077 == 0
        assert fetched(carrier) == asked, "what is kept is not asked for again"
    assert "%PDF" not in bridge.log


async def test_the_verb_has_a_label_fetched_and_says_of_which_there_is_none(
    bridge: BridgeProcess, carrier: SlowCarrier, tmp_path: Path
) -> None:
    async with httpx.AsyncClient(base_url=bridge.url, headers=bridge.headers, trust_env=False, verify=NO_TLS) as http:
        shipment = await carrier.create()
        await ready(http, shipment)
        file = tmp_path / "one.zpl"
        asked = ("shipments", "label", str(shipment), "--format", "zpl", "--type", "dpi300")
        ran = await verb(bridge.environ, *asked, "-o", str(file))
        assert (ran.code, ran.out, ran.err) == (0, f"{file}\n", "")
        assert file.read_bytes().startswith(b"^XA")
        ran = await verb(bridge.environ, "shipments", "label", str(shipment), "7", "-o", f"{tmp_path}/", "--json")
        assert ran.code == 1
        one, other = ran.json["items"]
        assert (one["outcome"], one["file"]) == ("done", f"{tmp_path}/label-{shipment}.pdf")
        assert (other["shipment_id"], other["outcome"], other["file"]) == (7, "rejected", None)
        ran = await verb(bridge.environ, "shipments", "label", str(shipment), "--type", "dpi300", "-o", str(file))
        assert (ran.code, "--type" in ran.err) == (2, True)
