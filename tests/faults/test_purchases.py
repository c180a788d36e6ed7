"""A replica that is killed in the middle of a purchase: another one soon asks the carrier what became of it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bridge.model import ShipmentId
from tests.faults.books import Books
from tests.support.bridge import BridgeProcess, until
from tests.support.carrier import CARRIER_TOKEN, Asked, SlowCarrier
from tests.support.delays import Delays
from tests.support.replicas import Replicas

pytestmark = pytest.mark.timeout(120)
FIRST_READ_S = 10.0
SUCCEEDED = "events WHERE type = 'shipment.purchase_succeeded'"


def replicas_beside(carrier: SlowCarrier, folder: Path, postgres_url: str) -> Replicas:
    """Two that buy, and of whom nobody asks about shipments for any other reason."""
    settings = {
        "BRIDGE_ROLES": "receiver,worker",
        "BRIDGE_SHIPX__BASE_URL": carrier.url,
        "BRIDGE_SHIPX__TOKEN": CARRIER_TOKEN,
    }
    return Replicas(folder, postgres_url, None, 2, **settings)


def holder(books: Books) -> str:
    [(name,)] = books.rows("SELECT holder FROM purchases")
    return str(name)


def buyer(replicas: Replicas, books: Books) -> BridgeProcess:
    """Find who has the one purchase in hand, by the process id in its name."""
    [found] = [one for one in replicas.all if one.pid == int(holder(books).split("-")[-2])]
    return found


def first_read(carrier: SlowCarrier, shipment: ShipmentId, after: float) -> Asked | None:
    reads = (one for one in carrier.asked if (one.method, one.path) == ("GET", f"/v1/shipments/{shipment}"))
    return next((one for one in reads if one.at > after), None)


async def test_a_purchase_in_doubt_is_read_by_another_within_ten_seconds_of_its_buyers_end(
    tmp_path: Path, postgres_url: str, another_postgres_url: str, amqp_url: str
) -> None:
    """The carrier has been paid and its answer never came: nothing but the lease tells the other replica of it."""
    books = Books(postgres_url)
    async with (
        SlowCarrier(delays={"purchase": 1.0}).open() as carrier,
        replicas_beside(carrier, tmp_path, postgres_url) as replicas,
        Delays(another_postgres_url, amqp_url) as delays,
    ):
        carrier.announce_to(replicas.webhook_urls[0])
        carrier.hold("/buy", is_done=True)
        shipment = await carrier.create()
        await until(lambda: carrier.waiting == 1, 30)
        carrier.announce_to(None)
        dead, victim, delayed = holder(books), buyer(replicas, books), delays.seconds

        killed = time.monotonic()
        victim.kill()
        read = await until(lambda: first_read(carrier, shipment, killed), 3 * FIRST_READ_S)
        delayed = delays.seconds - delayed
        carrier.let_go()

        await until(lambda: books.count(SUCCEEDED) == 1, 30)
        assert holder(books) != dead
        assert carrier.charges() == [shipment]
        assert [one.path for one in carrier.asked if one.method == "POST"] == [f"/v1/shipments/{shipment}/buy"]
    print(f"read {read.at - killed:.1f} s after the end of its buyer, {delayed:.1f} s of it delays")
    assert read.at - killed <= FIRST_READ_S + delayed
