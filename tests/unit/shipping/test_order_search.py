"""Where an order is looked for whose answer was lost, also where the carrier lists more than was asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge.carriers.shipx.dispatching import ShipxDispatcher
from bridge.dispatch.keeping import Keeping
from bridge.dispatch.pace import Pace
from bridge.errors import CarrierUnavailable
from bridge.events.cloudevents import Envelope
from bridge.model import DispatchOrderId
from bridge.shipping.order_search import OrderSearch
from bridge.store.facts import Recorder
from bridge.store.sqlite import SqliteDatabase
from tests.support.migrated import migrated
from tests.unit.carriers.shipx.stage import client_on
from tests.unit.dispatch.making import OURS, SHIPMENTS, T0, after, found

Answer = Callable[[httpx.Request], Any]


def listed(number: int, at: datetime, shipments: Sequence[int] = SHIPMENTS) -> dict[str, Any]:
    return {
        "id": number,
        "status": "new",
        "shipments": [{"id": one} for one in shipments],
        "created_at": at.isoformat(),
    }


def page(items: Sequence[dict[str, Any]], href: str, count: int | None = None) -> dict[str, Any]:
    return {"href": href, "count": len(items) if count is None else count, "page": 1, "per_page": 100, "items": items}


@asynccontextmanager
async def search(folder: Path, answer: Answer, joined: str | None = None) -> AsyncIterator[OrderSearch]:
    """Look where this is answered; `joined` is a command that has the order of the tests already."""
    database = SqliteDatabase(migrated(folder / "bridge.db"))
    await database.open()
    pace = Pace(timedelta(seconds=15), timedelta(seconds=1800))
    keeping = Keeping(database, Recorder(Envelope("test")), pace, lambda: T0, lambda: None)
    if joined is not None:
        await database.write(lambda it: keeping.join(it, OURS, found("new"), joined, SHIPMENTS))
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=answer(request)))
    async with httpx.AsyncClient(transport=transport) as http:
        yield OrderSearch(ShipxDispatcher(client_on(http).asker, OURS), keeping, OURS, frozenset(SHIPMENTS))
    await database.close()


async def number(one: OrderSearch) -> int | None:
    order = await one.look(T0)
    return None if order is None else order.id


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([listed(7, after(1))], 7),
        ([listed(7, T0)], 7),
        ([listed(7, after(-1))], None),
        ([listed(7, after(1), SHIPMENTS[:1])], None),
        ([listed(7, after(1), [*SHIPMENTS, 5])], None),
        ([], None),
        ([listed(9, after(2), [5]), listed(7, after(1))], 7),
    ],
    ids=["it", "of that moment", "older", "of fewer", "of more", "nothing", "behind another"],
)
async def test_it_is_known_by_its_shipments_and_its_age(
    items: list[dict[str, Any]], expected: int | None, tmp_path: Path
) -> None:
    async with search(tmp_path, lambda request: page(items, str(request.url))) as one:
        assert await number(one) == expected


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ({"id": "?"}, None),
        (listed(9, after(2)) | {"shipments": "?"}, None),
        (listed(9, after(2)) | {"shipments": [{"id": SHIPMENTS[0]}, {"id": "?"}]}, None),
        (listed(9, after(2)) | {"shipments": [*({"id": one} for one in SHIPMENTS), {"id": "?"}]}, None),
        ({"id": "?"}, 7),
    ],
    ids=["an order", "its shipments", "one of them", "one more", "beside it"],
)
async def test_what_cannot_be_read_may_be_it(entry: dict[str, Any], found: int | None, tmp_path: Path) -> None:
    items = [entry] if found is None else [entry, listed(found, after(1))]
    async with search(tmp_path, lambda request: page(items, str(request.url))) as one:
        if found is not None:
            assert await number(one) == found
            return
        with pytest.raises(CarrierUnavailable, match="unreadable_entries"):
            await one.look(T0)


async def test_an_older_order_that_cannot_be_read_is_not_it(tmp_path: Path) -> None:
    items = [listed(9, after(-1)) | {"shipments": "?"}]
    async with search(tmp_path, lambda request: page(items, str(request.url))) as one:
        assert await number(one) is None


async def test_what_another_command_has_is_not_it(tmp_path: Path) -> None:
    items = [listed(int(found("new").id), after(1))]
    async with search(tmp_path, lambda request: page(items, str(request.url)), joined="another") as one:
        assert await number(one) is None


async def test_where_the_filter_is_dropped_all_orders_since_then_are_looked_through(tmp_path: Path) -> None:
    asked = []

    def answer(request: httpx.Request) -> dict[str, Any]:
        asked.append(dict(request.url.params))
        which = int(request.url.params["page"])
        items = [listed(DispatchOrderId(1000 - which), after(10 - 20 * (which - 1)), [which])]
        return page(items, f"{request.url.path}?page={which}", count=100_000)

    async with search(tmp_path, answer) as one:
        assert await number(one) is None
    assert [("shipment_id" in one, one["page"]) for one in asked] == [(True, "1"), (False, "1"), (False, "2")]


async def test_a_list_without_an_end_is_no_proof_of_absence(tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> dict[str, Any]:
        return page([listed(7, after(1), [5])], str(request.url), count=100_000)

    async with search(tmp_path, answer) as one:
        with pytest.raises(CarrierUnavailable, match="too_many_orders"):
            await one.look(T0)
