"""A shipment is made, looked at and steered by hand: over HTTP and by verbs, beside a carrier and a real process."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge.model import ShipmentId
from tests.integration.test_commanding import sender
from tests.support.bridge import ORGANIZATION, BridgeProcess, until
from tests.support.carrier import CARRIER_TOKEN, DRAFT, SlowCarrier
from tests.support.consumer import Consumer
from tests.support.http import NO_TLS
from tests.support.verbs import verb

ASKED = {**DRAFT, "reference": "ORDER-1"}


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    """Settings for one of the databases; those of the process for SQLite."""
    if request.param == "sqlite":
        return {}
    return {"BRIDGE_DATABASE_URL": request.getfixturevalue("migrated_postgres_url")}


class Shop:
    """A bridge with its carrier, as a program of the merchant sees both."""

    def __init__(self, bridge: BridgeProcess, carrier: SlowCarrier, http: httpx.AsyncClient) -> None:
        self.bridge = bridge
        self.carrier = carrier
        self._http = http
        self._keys = 0

    async def post(self, path: str, body: object, *, key: str | None = None) -> httpx.Response:
        self._keys += 1
        headers = {"idempotency-key": key or f"key-{self._keys}"}
        return await self._http.post(path, content=json.dumps(body).encode(), headers=headers)

    async def get(self, path: str) -> httpx.Response:
        return await self._http.get(path)

    async def make(self) -> ShipmentId:
        """Have a shipment made."""
        answer = await self.post("/v1/shipments", ASKED)
        assert answer.status_code == 201, answer.text
        return ShipmentId(answer.json()["shipment_id"])

    async def purchase(self, shipment: ShipmentId, *states: str) -> Mapping[str, Any]:
        """Wait until its purchase stands like this."""

        async def look() -> Mapping[str, Any] | None:
            answer = await self.get(f"/v1/purchases/{shipment}")
            return answer.json() if answer.status_code == 200 and answer.json()["state"] in states else None

        return await until(look, 30)

    async def told(self, shipment: ShipmentId) -> list[str]:
        """List the types of the events about it."""
        page = (await self.get(f"/v1/events?subject=shipment/{shipment}&limit=100")).json()
        return [event["type"].removeprefix("bridge.shipment.").removesuffix(".v1") for event in page["items"]]


@asynccontextmanager
async def shop(folder: Path, *, amqp_url: str | None = None, **settings: str) -> AsyncIterator[Shop]:
    async with SlowCarrier(takes_s=0.01).open() as carrier:
        environ = {
            "BRIDGE_SHIPX__BASE_URL": carrier.url,
            "BRIDGE_SHIPX__TOKEN": CARRIER_TOKEN,
            "BRIDGE_SHIPX__REQUESTS_PER_MINUTE": "3000",
            **settings,
        }
        async with BridgeProcess(folder, amqp_url=amqp_url, **environ) as bridge:
            carrier.announce_to(bridge.webhook_url)
            async with httpx.AsyncClient(
                base_url=bridge.url, headers=bridge.headers, trust_env=False, verify=NO_TLS, timeout=30
            ) as http:
                yield Shop(bridge, carrier, http)


async def test_a_shipment_is_made_selected_bought_tracked_and_cannot_be_cancelled_then(
    tmp_path: Path, database: dict[str, str]
) -> None:
    async with shop(tmp_path, BRIDGE_PURCHASING__MODE="approve", **database) as it:
        shipment = await it.make()
        offer = (await it.purchase(shipment, "held"))["offer_id"]
        wrong = await it.post(f"/v1/shipments/{shipment}/select", {"offer_id": 17})
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "offer_id")
        chosen = await it.post(f"/v1/shipments/{shipment}/select", {"offer_id": offer}, key="select")
        assert (chosen.status_code, chosen.json()["result"]["offer_id"]) == (200, offer)
        again = await it.post(f"/v1/shipments/{shipment}/select", {"offer_id": offer}, key="select")
        assert again.json() == chosen.json()
        assert (await it.purchase(shipment, "held"))["reason"] == "approval_required"
        bought = await it.post(f"/v1/shipments/{shipment}/buy", {"offer_id": offer})
        assert bought.status_code == 200
        await it.purchase(shipment, "succeeded")
        assert it.carrier.charges() == [shipment]

        shown = (await it.get(f"/v1/shipments/{shipment}")).json()
        number = shown["tracking"]["tracking_number"]
        trail = await it.get(f"/v1/tracking/{number}")
        assert (trail.status_code, trail.json()["tracking_number"]) == (200, number)
        assert (await it.get("/v1/tracking/620000000000000000009999")).status_code == 404

        late = await it.post(f"/v1/shipments/{shipment}/cancel", {})
        assert (late.status_code, "Manager" in late.json()["detail"]) == (409, True)
        assert "cancelled" not in await it.told(shipment)


async def test_offers_are_made_anew_and_a_shipment_is_cancelled_once(tmp_path: Path, database: dict[str, str]) -> None:
    async with shop(tmp_path, BRIDGE_PURCHASING__MODE="approve", **database) as it:
        shipment = await it.make()
        old = (await it.purchase(shipment, "held"))["offer_id"]
        assert (await it.post(f"/v1/shipments/{shipment}/refresh-offers", {})).status_code == 200

        async def other() -> bool:
            return bool((await it.purchase(shipment, "held"))["offer_id"] != old)

        await until(other, 30)
        for key in ("one", "one", "two"):
            answer = await it.post(f"/v1/shipments/{shipment}/cancel", {}, key=key)
            assert (answer.status_code, answer.json()["result"]["state"]) == (200, "cancelled")
        assert (await it.told(shipment)).count("cancelled") == 1
        ended = await it.purchase(shipment, "not_ours")
        assert (ended["reason"], it.carrier.charges()) == ("cancelled", [])


async def test_verbs_make_show_and_steer_shipments(tmp_path: Path) -> None:
    async with shop(tmp_path, BRIDGE_PURCHASING__MODE="approve") as it:
        environ = it.bridge.environ
        draft = tmp_path / "draft.json"
        draft.write_text(json.dumps(ASKED))
        made = await verb(environ, "shipments", "create", "--file", str(draft), "--json")
        assert made.code == 0, made.err
        shipment = ShipmentId(made.json["result"]["shipment_id"])
        offer = (await it.purchase(shipment, "held"))["offer_id"]
        shown = await verb(environ, "shipments", "show", str(shipment))
        assert (shown.code, "purchase state" in shown.out, str(offer) in shown.out) == (0, True, True)
        refused = await verb(environ, "shipments", "select", str(shipment), "17")
        assert (refused.code, "offer_id: is not among" in refused.err) == (1, True)
        chosen = await verb(environ, "shipments", "select", str(shipment), str(offer))
        assert (chosen.code, chosen.out.strip()) == (0, f"Offer {offer} of shipment {shipment} is selected.")
        assert (await verb(environ, "shipments", "refresh", str(shipment))).code == 0
        await it.purchase(shipment, "held")
        cancelled = await verb(environ, "shipments", "cancel", str(shipment))
        assert (cancelled.code, cancelled.out.strip()) == (0, f"Shipment {shipment} is cancelled."), cancelled.err
        other = await it.make()
        price = (await it.purchase(other, "held"))["offer_id"]
        assert (await verb(environ, "shipments", "buy", str(other), "--offer", str(price))).code == 0
        await it.purchase(other, "succeeded")
        unknown = await verb(environ, "shipments", "show", "17")
        assert (unknown.code, "nothing is known" in unknown.err) == (1, True)


async def test_of_shipments_made_here_purchases_are_made_unasked_and_of_others_held(
    tmp_path: Path, database: dict[str, str]
) -> None:
    async with shop(tmp_path, BRIDGE_PURCHASING__SCOPE="created_by_bridge", **database) as it:
        mine, other = await it.make(), await it.carrier.create()
        await it.purchase(mine, "succeeded")
        assert (await it.purchase(other, "held"))["reason"] == "not_created_by_bridge"
        assert it.carrier.charges() == [mine]


async def test_the_carriers_words_are_compared_and_evaluations_are_told(tmp_path: Path) -> None:
    async with shop(tmp_path, BRIDGE_PURCHASING__MODE="approve") as it:

        async def compared() -> bool:
            return "status_words.compared" in it.bridge.log

        await until(compared, 30)
        assert "bridge_status_words_unknown 0.0" in (await it.get("/metrics")).text
        shipment = await it.make()
        await it.purchase(shipment, "held")
        told = (await it.post("/v1/offers/evaluate", {"shipment_id": shipment})).json()
        assert told["decision"] == "buy"


async def test_the_bus_selects_buys_evaluates_and_cancels(tmp_path: Path, amqp_url: str) -> None:
    async with (
        shop(tmp_path, amqp_url=amqp_url, BRIDGE_PURCHASING__MODE="approve") as it,
        Consumer(amqp_url, "shipx.shipment.cancelled") as events,
        sender(amqp_url) as program,
    ):
        await until(lambda: "commands.consuming" in it.bridge.log)
        shipment, other = await it.make(), await it.make()
        offer = (await it.purchase(shipment, "held"))["offer_id"]
        about = {"shipment_id": shipment, "offer_id": offer, "organization_id": ORGANIZATION}
        wrong = await program.ask("shipment.select_offer", about | {"command_id": "wrong", "offer_id": 17})
        assert (wrong["outcome"], wrong["errors"][0]["field"]) == ("rejected", "offer_id")
        chosen = await program.ask("shipment.select_offer", about | {"command_id": "select"})
        assert (chosen["outcome"], chosen["result"]["offer_id"]) == ("done", offer)
        asked = await program.ask("policy.evaluate", {"command_id": "what", "shipment_id": shipment})
        assert (asked["outcome"], asked["result"]["decision"]) == ("done", "buy")
        bought = await program.ask("shipment.buy", about | {"command_id": "buy"})
        assert bought["outcome"] == "done"
        await it.purchase(shipment, "succeeded")
        await program.ask("shipment.cancel", {"command_id": "cancel", "shipment_id": other})
        event = json.loads((await events.next()).body)
        assert (event["subject"], event["causationid"]) == (f"shipment/{other}", "cancel")
        assert it.carrier.charges() == [shipment]
