"""What the receiver read is not read again by the worker of its process, and nothing depends on that."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bridge.carriers.shipx import webhook
from bridge.ingress.readings import MOST, MOST_BYTES, Readings
from bridge.model import Delivery, micros
from bridge.store.sealed import Vault
from tests.unit.ingress.stage import Stage, told, wire

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
KEY = b"k" * 32


def body(shipment: int = 1, word: str = "delivered", **more: object) -> bytes:
    return wire(told(word, shipment=shipment) | more)


def test_what_was_read_is_given_once_and_says_what_the_body_says() -> None:
    readings = Readings()
    found = readings.keeping(webhook.read)(body(), NOW)
    kept = readings.take(found.id, micros(NOW))
    assert kept == webhook.notification(Delivery(found.id, found.organization, found.event, NOW, body()))
    assert readings.take(found.id, micros(NOW)) is None


def test_the_delivery_of_another_moment_is_to_be_read() -> None:
    """The same webhook came twice: the inbox keeps the first one's body and moment."""
    readings = Readings()
    read = readings.keeping(webhook.read)
    found = read(body(), NOW)
    assert read(body(), NOW + timedelta(seconds=1)).id == found.id
    assert readings.take(found.id, micros(NOW)) is None


def test_only_so_many_are_kept_and_no_large_ones() -> None:
    readings = Readings()
    read = readings.keeping(webhook.read)
    ids = [read(body(number), NOW).id for number in range(1, MOST + 2)]
    large = read(body(10_000, more="x" * MOST_BYTES), NOW).id
    assert [readings.take(one, micros(NOW)) is None for one in (ids[0], ids[1], ids[-1], large)] == [
        *(True, False, False, True)
    ]


async def test_the_worker_opens_no_body_that_was_just_read(tmp_path: Path) -> None:
    """Shown by a body that nobody can open any more: the first round knows it, a later process fails at it."""
    readings = Readings()
    async with Stage(tmp_path, vault=Vault.with_keys([KEY]), readings=readings) as stage:
        for shipment in (1, 2):
            await stage.post(told("delivered", shipment=shipment))
        stage.change("UPDATE sealed SET data = x'00'")
        readings.take(stage.rows("SELECT id FROM deliveries WHERE shipment = 2")[0], micros(stage.now))
        await stage.project()
        assert stage.rows("SELECT shipment, verdict FROM deliveries ORDER BY shipment") == [
            (1, "projected"),
            (2, "key_missing"),
        ]
        events = stage.rows("SELECT body FROM events WHERE type = 'shipment.status_changed'")
    assert [json.loads(one)["data"]["shipment_id"] for one in events] == [1]
