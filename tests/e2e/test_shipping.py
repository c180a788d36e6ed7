"""A parcel's whole way, as another team drives it: made, bought, labelled, collected, tracked, delivered.

Once over HTTP, and once over RabbitMQ alone: then the program has no address of the bridge and no token.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import aio_pika
import httpx
import pytest
from aio_pika.abc import AbstractIncomingMessage

from bridge.broker.topology import COMMANDS
from tests.support.bridge import BridgeProcess, until
from tests.support.carrier import CARRIER_TOKEN, SlowCarrier
from tests.support.consumer import Consumer
from tests.support.http import NO_TLS

Json = dict[str, Any]

ASKED: Json = {
    "receiver": {"first_name": "Anna", "last_name": "Nowak", "phone": "500100200", "email": "anna@example.com"},
    "parcels": [{"template": "small"}],
    "custom_attributes": {"target_point": "KRA010", "sending_method": "dispatch_order"},
    "reference": "ORDER-17",
}
PICKUP: Json = {
    "name": "Magazyn",
    "phone": "500100201",
    "email": "magazyn@example.com",
    "address": {"street": "Lwowska", "building_number": "10", "city": "Kraków", "post_code": "30-300"},
}
WAY = ["collected_from_sender", "adopted_at_source_branch", "out_for_delivery", "ready_to_pickup", "delivered"]
TOLD = [
    "shipment.status_changed",
    "shipment.offers_prepared",
    "shipment.offer_selected",
    "shipment.purchase_requested",
    "shipment.purchase_succeeded",
    "shipment.confirmed",
    "shipment.tracking_number_assigned",
    "shipment.label_ready",
]
"""What a queue hears of a shipment until its label is there; between purchase and confirmation, in any order."""


@pytest.fixture
async def carrier() -> AsyncIterator[SlowCarrier]:
    async with SlowCarrier(takes_s=0.01).open() as found:
        yield found


@asynccontextmanager
async def running(folder: Path, amqp_url: str, carrier: SlowCarrier) -> AsyncIterator[BridgeProcess]:
    """A bridge that buys by the shipped policy and keeps every label."""
    asked = {
        "BRIDGE_SHIPX__BASE_URL": carrier.url,
        "BRIDGE_SHIPX__TOKEN": CARRIER_TOKEN,
        "BRIDGE_SHIPX__REQUESTS_PER_MINUTE": "6000",
        "BRIDGE_SHIPX__LABELS": "pdf",
        "BRIDGE_RECONCILE__OPEN_S": "1",
        "BRIDGE_PERSONAL_DATA__KEYS": "a2" * 21 + "A=",
    }
    async with BridgeProcess(folder, amqp_url=amqp_url, **asked) as bridge:
        carrier.announce_to(bridge.webhook_url)
        yield bridge


def deliver(carrier: SlowCarrier, shipment: int) -> None:
    """Let the parcel go its way."""
    parcel = carrier.simulator.world.shipments.get(shipment)
    assert parcel is not None
    for status in WAY:
        carrier.simulator.journeys.move(parcel, status, None)


class Heard:
    """What arrived in a queue, without repeats, by subject."""

    def __init__(self, queue: Consumer) -> None:
        self._queue = queue
        self.events: dict[str, Json] = {}

    async def until(self, subject: str, kind: str, **data: Any) -> Json:
        """Take messages until an event like this one was among them."""
        while True:
            for event in self.of(subject):
                if event["type"] == f"bridge.{kind}.v1" and data.items() <= event["data"].items():
                    return event
            event = json.loads((await self._queue.next(30)).body)
            self.events.setdefault(event["id"], event)

    def of(self, subject: str) -> list[Json]:
        return [event for event in self.events.values() if event["subject"] == subject]

    def kinds(self, subject: str) -> list[str]:
        """List what was told of a subject, whose numbers have no gap."""
        told = self.of(subject)
        assert [int(event["sequence"]) for event in told] == list(range(1, len(told) + 1))
        return [event["type"].removeprefix("bridge.").removesuffix(".v1") for event in told]


def check(heard: Heard, carrier: SlowCarrier, shipment: int, order: int) -> None:
    """See that each step was told once, in order, that money was taken once, and that one courier was ordered."""
    kinds = heard.kinds(f"shipment/{shipment}")
    assert sorted(set(TOLD)) == sorted(set(kinds))
    once = [kind for kind in kinds if kind != "shipment.status_changed"]
    assert len(once) == len(set(once))
    assert kinds.index("shipment.offer_selected") < kinds.index("shipment.purchase_requested")
    statuses = [
        one["data"]["carrier_status"] for one in heard.of(f"shipment/{shipment}") if "carrier_status" in one["data"]
    ]
    assert statuses[0] == "created"
    assert [one for one in statuses if one in WAY] == WAY
    assert carrier.charges() == [shipment]
    assert heard.kinds(f"dispatch_order/{order}")[0] == "dispatch_order.created"
    assert [one.id for one in carrier.simulator.world.shipments] == [shipment]


async def test_over_http(tmp_path: Path, amqp_url: str, carrier: SlowCarrier) -> None:
    async with (
        running(tmp_path, amqp_url, carrier) as bridge,
        Consumer(amqp_url, "shipx.#") as queue,
        httpx.AsyncClient(
            base_url=bridge.url, headers=bridge.headers, trust_env=False, verify=NO_TLS, timeout=30
        ) as http,
    ):
        heard = Heard(queue)
        made = await http.post("/v1/shipments", json=ASKED, headers={"idempotency-key": "order-17"})
        assert made.status_code == 201, made.text
        shipment = made.json()["shipment_id"]
        again = await http.post("/v1/shipments", json=ASKED, headers={"idempotency-key": "order-17"})
        assert (again.status_code, again.json()) == (200, made.json())

        bought = await _bought(http, shipment)
        assert bought["state"] == "bought"
        number = bought["tracking"]["tracking_number"]

        await heard.until(f"shipment/{shipment}", "shipment.label_ready", format="pdf")
        label = await http.get(f"/v1/shipments/{shipment}/label")
        assert (label.status_code, label.content[:5]) == (200, b"%PDF-")

        asked = PICKUP | {"shipments": [shipment]}
        ordered = await http.post("/v1/dispatch-orders", json=asked, headers={"idempotency-key": "pickup-1"})
        assert ordered.status_code == 201, ordered.text
        order = ordered.json()["dispatch_order_id"]
        printout = await http.get(f"/v1/dispatch-orders/{order}/printout")
        assert (printout.status_code, printout.content[:5]) == (200, b"%PDF-")
        manifest = await http.get("/v1/dispatch-printouts", params={"shipment_id": shipment})
        assert (manifest.status_code, manifest.content[:5]) == (200, b"%PDF-")

        deliver(carrier, shipment)
        await heard.until(f"shipment/{shipment}", "shipment.status_changed", carrier_status="delivered")
        await heard.until(f"dispatch_order/{order}", "dispatch_order.created")
        tracked = (await http.get(f"/v1/tracking/{number}")).json()
        assert tracked["tracking_status"] == "delivered"
        check(heard, carrier, shipment, order)


async def test_over_rabbitmq_alone(tmp_path: Path, amqp_url: str, carrier: SlowCarrier) -> None:
    async with (
        running(tmp_path, amqp_url, carrier),
        Consumer(amqp_url, "shipx.#") as queue,
        asking(amqp_url) as ask,
    ):
        heard = Heard(queue)
        made = await ask("shipment.create", ASKED)
        shipment = made["shipment_id"]
        subject = f"shipment/{shipment}"

        await heard.until(subject, "shipment.confirmed")
        number = await heard.until(subject, "shipment.tracking_number_assigned")
        ready = await heard.until(subject, "shipment.label_ready", format="pdf")
        fetched = await ask("label.fetch", {"shipment_id": shipment})
        assert (fetched["sha256"], fetched["format"]) == (ready["data"]["sha256"], "pdf")

        ordered = await ask("dispatch_order.create", PICKUP | {"shipments": [shipment]})
        order = ordered["dispatch_order_id"]

        deliver(carrier, shipment)
        delivered = await heard.until(subject, "shipment.status_changed", carrier_status="delivered")
        assert delivered["data"]["tracking_number"] == number["data"]["tracking_number"]
        await heard.until(f"dispatch_order/{order}", "dispatch_order.created")
        check(heard, carrier, shipment, order)


async def _bought(http: httpx.AsyncClient, shipment: int) -> Json:
    """Wait until reads have shown that it is paid for, and its number is known."""

    async def look() -> Json | None:
        found: Json = (await http.get(f"/v1/shipments/{shipment}")).json()
        is_paid = found["purchase"] is not None and found["purchase"]["state"] == "succeeded"
        return found if is_paid and found["tracking"]["tracking_number"] else None

    return await until(look, 30)


class Asking:
    """Gives commands over the bus, and waits for the answer to each."""

    def __init__(self, channel: aio_pika.abc.AbstractChannel, answers: asyncio.Queue[AbstractIncomingMessage]) -> None:
        self._channel = channel
        self._answers = answers

    async def __call__(self, name: str, body: Json) -> Json:
        """Give one that succeeds, and give its result."""
        key = str(uuid4())
        message = aio_pika.Message(
            json.dumps(body | {"command_id": key}).encode(),
            reply_to="amq.rabbitmq.reply-to",
            correlation_id=key,
            delivery_mode=2,
        )
        await until(lambda: self._took(message, name))
        answer = await asyncio.wait_for(self._answers.get(), 30)
        told: Json = json.loads(answer.body)
        assert (answer.correlation_id, told["outcome"]) == (key, "done"), told
        result: Json = told["result"]
        return result

    async def _took(self, message: aio_pika.Message, name: str) -> bool:
        """Publish; a bridge that has only just begun may not have bound its queue yet."""
        try:
            await (await self._channel.get_exchange(COMMANDS, ensure=False)).publish(message, name)
        except aio_pika.exceptions.DeliveryError:
            return False
        return True


async def _is_there(connection: aio_pika.abc.AbstractConnection) -> bool:
    """Look for the queue of commands, in a channel of its own: the broker closes one that asks for what is missing."""
    async with connection.channel() as channel:
        try:
            await channel.get_queue(COMMANDS, ensure=True)
        except aio_pika.exceptions.ChannelNotFoundEntity:
            return False
    return True


@asynccontextmanager
async def asking(url: str) -> AsyncIterator[Asking]:
    async with await aio_pika.connect(url) as connection, connection.channel(on_return_raises=True) as channel:
        await until(lambda: _is_there(connection))
        answers: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        direct = await channel.get_queue("amq.rabbitmq.reply-to", ensure=False)
        await direct.consume(answers.put, no_ack=True)
        yield Asking(channel, answers)
