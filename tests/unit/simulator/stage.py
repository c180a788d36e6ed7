"""A carrier on a stage: virtual time, a receiver that keeps what it is sent, and a client with a token."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import httpx

from bridge.simulator import Scenario, Simulator, VirtualClock, create_app

Json = dict[str, Any]
Answer = Callable[[httpx.Request], httpx.Response]

HOOK = "http://127.0.0.1:9999/webhooks/shipx/abc"

PREPAID, POSTPAID = 4821, 4822

SCENARIO: Json = {
    "organizations": [
        {
            "id": PREPAID,
            "name": "Sklep",
            "token": "prepaid",
            "account": "prepaid",
            "funds": "100.00",
            "webhook_url": HOOK,
            "cost_centres": ["sklep"],
            "services": [
                {"id": "inpost_locker_standard", "rate": "12.99"},
                {"id": "inpost_locker_allegro", "rate": "10.99"},
                {"id": "inpost_courier_standard", "rate": "13.5"},
            ],
        },
        {
            "id": POSTPAID,
            "name": "Hurtownia",
            "token": "postpaid",
            "account": "postpaid",
            "webhook_url": HOOK,
            "services": [
                {"id": "inpost_locker_standard"},
                {"id": "inpost_courier_c2c"},
                {"id": "inpost_courier_standard"},
                {"id": "inpost_courier_express_1000"},
            ],
        },
    ],
}

DRAFT: Json = {
    "receiver": {
        "first_name": "Anna",
        "last_name": "Kowalska",
        "email": "anna@example.com",
        "phone": "888000000",
        "address": {"street": "Malborska", "building_number": "130", "city": "Kraków", "post_code": "30-624"},
    },
    "sender": {
        "name": "Sklep",
        "company_name": "Sklep Testowy",
        "first_name": "Jan",
        "last_name": "Nowak",
        "email": "sklep@example.com",
        "phone": "500100200",
        "address": {"street": "Lwowska", "building_number": "10", "city": "Kraków", "post_code": "30-300"},
    },
    "parcels": [{"template": "small"}],
    "custom_attributes": {"target_point": "KRA010", "sending_method": "dispatch_order"},
    "reference": "Order No. 12345",
}


def scenario(*, organization: Json | None = None, **changes: Any) -> Scenario:
    """Give the plain scenario with other top-level keys, and other terms for the prepaid organization."""
    document = copy.deepcopy(SCENARIO)
    document["organizations"][0].update(organization or {})
    return Scenario.model_validate({**document, **changes})


class Stage:
    """The simulator with everything a test needs around it."""

    def __init__(self, play: Scenario | None = None, answer: Answer | None = None, seed: int = 1) -> None:
        self.received: list[Json] = []
        self._answer = answer or (lambda _: httpx.Response(200, json={"outcome": "accepted", "delivery_id": 7}))
        transport = httpx.MockTransport(self._receive)
        self.clock = VirtualClock()
        self.app = create_app(play or scenario(), clock=self.clock, seed=seed, transport=transport)
        self.simulator: Simulator = self.app.state.simulator
        self.client = self.client_of("prepaid")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        await self.client.aclose()
        await self.simulator.aclose()

    def client_of(self, token: str) -> httpx.AsyncClient:
        """Give a client with this organization's token."""
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://carrier", headers=headers)

    async def advance(self, seconds: float) -> None:
        await self.simulator.advance(seconds)

    async def create(self, organization: int = PREPAID, **changes: Any) -> Json:
        """Create a shipment, which the carrier answers in `created`."""
        answer = await self.client.post(f"/v1/organizations/{organization}/shipments", json={**DRAFT, **changes})
        assert answer.status_code == 201, answer.text
        return as_object(answer)

    async def prepared(self, **changes: Any) -> Json:
        """Create a shipment and wait for its offers."""
        shipment = await self.create(**changes)
        await self.advance(1)
        return await self.read(shipment["id"])

    async def bought(self, offer: str = "inpost_courier_standard", **changes: Any) -> Json:
        """Create a shipment, buy this service's offer, and wait for the effect."""
        shipment = await self.prepared(**changes)
        assert (await self.buy(shipment, offer)).status_code == 200
        await self.advance(1)
        return await self.read(shipment["id"])

    async def read(self, shipment_id: int) -> Json:
        return as_object(await self.client.get(f"/v1/shipments/{shipment_id}"))

    async def buy(self, shipment: Json, service: str = "inpost_courier_standard") -> httpx.Response:
        return await self.client.post(
            f"/v1/shipments/{shipment['id']}/buy", json={"offer_id": offer_id(shipment, service)}
        )

    async def control(self, path: str) -> Json:
        return as_object(await self.client.get(f"/_control/{path}"))

    async def charges(self) -> list[tuple[int, str | None]]:
        """List every charge as shipment and amount."""
        return [(one["shipment_id"], one["amount"]) for one in (await self.control("charges"))["items"]]

    def events(self) -> list[str]:
        """Name what was received, statuses by their own name."""
        return [one["payload"].get("status", one["event"]) for one in self.received]

    def _receive(self, request: httpx.Request) -> httpx.Response:
        self.received.append(json.loads(request.content))
        return self._answer(request)


def as_object(answer: httpx.Response) -> Json:
    """Give the answer's JSON object."""
    value = answer.json()
    assert isinstance(value, dict)
    return value


def offer_id(shipment: Json, service: str) -> int:
    """Find the offer of a service."""
    found = next(offer for offer in shipment["offers"] if offer["service"]["id"] == service)
    assert isinstance(found["id"], int)
    return found["id"]


def error_of(answer: httpx.Response) -> tuple[int, str]:
    """Give the status and the key of an error, after checking that the envelope agrees with itself."""
    body = as_object(answer)
    assert body["status"] == answer.status_code
    return answer.status_code, body["error"]
