"""Read this first: the way of one webhook, from the carrier's POST to a message in another team's queue.

Everything is real here: the process (`bridge serve`), the broker, the queue, and the webhook, which is typed from the
carrier's documentation.
"""

from __future__ import annotations

from pathlib import Path

from aio_pika import DeliveryMode

from tests.journey import carrier, event, feed, post, status, webhook
from tests.support.bridge import BridgeProcess
from tests.support.consumer import Consumer

STATUS_CHANGES = "shipx.shipment.status_changed.#"


async def test_a_webhook_becomes_a_message(amqp_url: str, tmp_path: Path) -> None:
    # A bridge runs, and the warehouse's program has a queue for what happens to parcels.
    async with (
        BridgeProcess(tmp_path, amqp_url=amqp_url) as bridge,
        Consumer(amqp_url, STATUS_CHANGES) as warehouse,
        carrier() as http,
    ):
        # The carrier posts a webhook. 200 is said only when it is on disk.
        answer = await post(http, bridge.webhook_url, webhook())
        assert answer["outcome"] == "accepted"

        # A message arrives in the warehouse's queue: a CloudEvent, kept by the broker over a restart.
        message = await warehouse.next()
        assert message.routing_key == "shipx.shipment.status_changed.available_for_pickup"
        assert message.content_type == "application/cloudevents+json"
        assert message.delivery_mode is DeliveryMode.PERSISTENT
        assert message.headers["organization"] == "4821"
        assert message.headers["environment"] == "demo"

        # It says what happened in words that are the same for every carrier, beside the carrier's own.
        told = event(message)
        assert told["data"] == {
            "shipment_id": 3900000017,
            "organization_id": 4821,
            "evidence": "webhook",
            "current": True,
            "first_seen": True,
            "tracking_status": "available_for_pickup",
            "carrier_status": "ready_to_pickup",
            "previous_tracking_status": None,
            "previous_carrier_status": None,
            "last_known_status": None,
            "reason": "locker",
            "terminal": False,
            "attention": False,
            "tracking_number": "620000000000000000000017",
            "return_tracking_number": None,
        }

        # Around it stand who, when (in UTC), in which order, and which webhook was the cause.
        envelope = {key: told[key] for key in ("specversion", "type", "source", "subject", "time", "environment")}
        assert envelope == {
            "specversion": "1.0",
            "type": "bridge.shipment.status_changed.v1",
            "source": "/shipx/4821",
            "subject": "shipment/3900000017",
            "time": "2026-03-22T08:41:10Z",
            "environment": "demo",
        }
        assert told["sequence"] == "0000000002", "the first event told the tracking number"
        assert told["partitionkey"] == told["subject"]
        assert told["correlationid"] == answer["delivery_id"]
        assert (message.message_id, message.type) == (told["id"], told["type"])

        # The feed of the bridge holds the very same bytes, for those who have no broker.
        assert message.body in await feed(http, bridge)


async def test_the_same_webhook_again_changes_nothing(amqp_url: str, tmp_path: Path) -> None:
    async with (
        BridgeProcess(tmp_path, amqp_url=amqp_url) as bridge,
        Consumer(amqp_url, STATUS_CHANGES) as warehouse,
        carrier() as http,
    ):
        first = await post(http, bridge.webhook_url, webhook())
        again = await post(http, bridge.webhook_url, webhook())
        assert again == {"outcome": "duplicate", "delivery_id": first["delivery_id"]}

        # Then something new happens: the warehouse hears of the one and of the other, and of nothing in between.
        await post(http, bridge.webhook_url, webhook(status="delivered", at="2026-03-22 17:05:00 +0100"))
        assert [status(await warehouse.next()) for _ in range(2)] == ["ready_to_pickup", "delivered"]


async def test_whoever_does_not_know_the_secret_finds_nothing(tmp_path: Path) -> None:
    async with BridgeProcess(tmp_path) as bridge, carrier() as http:
        wrong = bridge.webhook_url[:-1] + "6"
        assert (await http.get(bridge.webhook_url)).status_code == 200
        assert (await http.get(wrong)).status_code == 404
        assert (await http.post(wrong, content=webhook())).status_code == 404
        assert b'"items":[]' in await feed(http, bridge)


async def test_a_crash_loses_nothing_that_was_acknowledged(amqp_url: str, tmp_path: Path) -> None:
    statuses = ["dispatched_by_sender", "adopted_at_source_branch", "sent_from_source_branch", "ready_to_pickup"]
    bridge = BridgeProcess(tmp_path, amqp_url=amqp_url)
    async with bridge, Consumer(amqp_url, STATUS_CHANGES) as warehouse, carrier() as http:
        # Some were acknowledged, and the process is killed before it can have told the broker of all of them.
        for day, name in enumerate(statuses, start=1):
            answer = await post(http, bridge.webhook_url, webhook(status=name, at=f"2026-03-{day:02} 12:00:00 +0100"))
            assert answer["outcome"] == "accepted"
        bridge.kill()

        # Another start goes on where the last one ended, and knows what it was told before.
        await bridge.start()
        last = await post(http, bridge.webhook_url, webhook(status="delivered", at="2026-03-22 17:05:00 +0100"))
        assert last["outcome"] == "accepted"

        # At least once, with a stable id: whoever drops repeats by id has each change once, and in order.
        received: dict[str, str] = {}
        while "delivered" not in received.values():
            message = await warehouse.next()
            received[str(message.message_id)] = status(message)
        assert list(received.values()) == [*statuses, "delivered"]
        assert await bridge.terminate() == 0
