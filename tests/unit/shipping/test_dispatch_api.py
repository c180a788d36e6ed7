"""Couriers over HTTP: one key, one courier; what is kept here is shown from here, and the rest by the carrier."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from bridge.app.answering import internal_routes
from bridge.app.serving import application
from bridge.carriers.shipx.client import ShipxClient
from bridge.carriers.shipx.dispatching import ShipxDispatcher
from bridge.commands.api import CommandsApi
from bridge.commands.execute import Executor, Operation
from bridge.commands.giving import Giving
from bridge.dispatch.asked import AddDispatchComment, CancelDispatchOrder, ChangeDispatchComment, CreateDispatchOrder
from bridge.dispatch.keeping import Keeping
from bridge.dispatch.pace import Pace
from bridge.events.cloudevents import Envelope
from bridge.lifecycle import Stop
from bridge.model import OrganizationId
from bridge.shipping.called_off import CalledOff
from bridge.shipping.courier import Courier
from bridge.shipping.dispatch_api import DispatchApi
from bridge.shipping.remarks import Remarks
from bridge.store.commands import SqlCommands
from bridge.store.facts import Recorder
from bridge.store.sealed import Vault
from bridge.store.sqlite import SqliteDatabase
from bridge.web.access import EVERY_SCOPE, Access
from tests.support.bridge import until
from tests.support.metrics import METRICS
from tests.support.migrated import migrated
from tests.support.permits import FreePermits
from tests.unit.ingress.stage import client_of
from tests.unit.simulator.stage import PREPAID
from tests.unit.simulator.stage import Stage as Carrier

ORDERS = "/v1/dispatch-orders"
ADDRESS = {"street": "Lwowska", "building_number": "10", "city": "Kraków", "post_code": "30-300"}
OTHER = 9999
CLIENTS = [
    client_of("all", EVERY_SCOPE),
    client_of("reader", ["read"]),
    client_of("writer", ["shipments:write"]),
    client_of("ours", EVERY_SCOPE, [PREPAID]),
    client_of("others", EVERY_SCOPE, [OTHER]),
    client_of("several", EVERY_SCOPE, [OTHER, OTHER + 1]),
]


class Desk:
    """The routes, over a database of their own and the stand-in carrier."""

    def __init__(self, carrier: Carrier, app: Any) -> None:
        self.carrier = carrier
        self._app = app

    async def ask(
        self, method: str, path: str, asked: object = None, *, token: str = "all", key: str | None = None, **query: Any
    ) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} | ({} if key is None else {"idempotency-key": key})
        content = None if asked is None else json.dumps(asked).encode()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://bridge") as http:
            return await http.request(method, path, headers=headers, content=content, params=query)

    async def bought(self, number: int = 1) -> list[int]:
        return [(await self.carrier.bought())["id"] for _ in range(number)]

    async def ordered(self, number: int = 1) -> dict[str, Any]:
        """Order a courier, and give what was answered."""
        asked = {"shipments": await self.bought(number), "address": ADDRESS}
        answer = await self.ask("POST", ORDERS, asked, key=f"for {asked['shipments']}".replace(" ", ""))
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[Desk]:
    database, stop = SqliteDatabase(migrated(folder / "bridge.db")), Stop()
    await database.open()
    async with Carrier() as carrier, httpx.AsyncClient(transport=httpx.ASGITransport(carrier.app), timeout=5) as http:
        dispatchers = {OrganizationId(PREPAID): _dispatcher(carrier, http)}
        pace = Pace(timedelta(seconds=15), timedelta(seconds=1800))
        keeping = Keeping(database, Recorder(Envelope("test")), pace, carrier.clock.now, lambda: None)
        commands, remarks = SqlCommands(database, Vault(), "desk"), Remarks(dispatchers, carrier.clock.now)
        operations = {
            CreateDispatchOrder.operation: Operation(Courier(dispatchers, keeping, carrier.clock.now)),
            CancelDispatchOrder.operation: Operation(CalledOff(dispatchers, keeping, carrier.clock.now)),
            AddDispatchComment.operation: Operation(remarks.add),
            ChangeDispatchComment.operation: Operation(remarks.change),
        }
        executor, access = Executor(commands, operations, stop), Access(CLIENTS)
        giving = Giving(commands, executor.bell.ring, wait_s=1)
        couriers = DispatchApi(dispatchers, database, giving, access)
        routes = internal_routes([couriers, CommandsApi(commands, giving, access)])
        running = asyncio.create_task(executor.run())
        try:
            yield Desk(carrier, application(routes))
        finally:
            stop.announce()
            await running
    await database.close()


def _dispatcher(carrier: Carrier, http: httpx.AsyncClient) -> ShipxDispatcher:
    client = ShipxClient(
        http,
        base_url="http://carrier",
        organization=OrganizationId(PREPAID),
        token=SecretStr("prepaid"),
        permits=FreePermits(),
        metrics=METRICS,
        clock=carrier.clock.now,
        version="0",
    )
    return ShipxDispatcher(client.asker, OrganizationId(PREPAID))


async def test_a_courier_is_ordered_once_under_one_key(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        asked = {"shipments": await at.bought(2), "address": ADDRESS, "comment": "rampa nr 3"}
        first = await at.ask("POST", ORDERS, asked, key="k-1")
        again = await at.ask("POST", ORDERS, asked, key="k-1")
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        assert first.json().keys() == {
            *("dispatch_order_id", "organization_id", "state", "carrier_status", "shipments", "created_at")
        }
        assert (await at.ask("POST", ORDERS, asked | {"comment": "other"}, key="k-1")).status_code == 409
        assert (await at.ask("POST", ORDERS, asked)).status_code == 400
        assert len((await at.carrier.control("dispatch_orders"))["items"]) == 1


async def test_what_cannot_be_ordered_is_told_by_field_and_asks_nobody(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        answer = await at.ask("POST", ORDERS, {"shipments": [1, 1], "phone": "x", "when": 1}, key="k-1")
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/unprocessable")
        assert {one["field"] for one in answer.json()["errors"]} == {"phone", "when"}
        refused = await at.ask("POST", ORDERS, {"shipments": [77], "address": ADDRESS}, key="k-2")
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/carrier-refused")
        assert [(one["field"], one["code"]) for one in refused.json()["errors"]] == [("shipments.0", "does_not_exist")]
        again = await at.ask("POST", ORDERS, {"shipments": [77], "address": ADDRESS}, key="k-2")
        assert again.json() == refused.json()


async def test_what_takes_longer_is_looked_at_later(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        [shipment] = await at.bought()
        await at.carrier.client.post("/_control/faults", json={"kind": "hung_up", "method": "POST"})
        answer = await at.ask("POST", ORDERS, {"shipments": [shipment], "address": ADDRESS}, key="k-1")
        assert (answer.status_code, answer.headers["location"]) == (202, "/v1/commands/dispatch_order.create/k-1")

        async def over() -> dict[str, Any] | None:
            shown: dict[str, Any] = (await at.ask("GET", answer.headers["location"])).json()
            return None if shown["outcome"] == "accepted" else shown

        shown = await until(over)
        assert (shown["outcome"], shown["result"]["shipments"]) == ("done", [shipment])


async def test_what_is_kept_is_shown_and_listed_without_asking_the_carrier(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        first, second = await at.ordered(), await at.ordered(2)
        asked_before = len((await at.carrier.control("calls"))["items"])
        shown = await at.ask("GET", f"{ORDERS}/{first['dispatch_order_id']}", token="reader")
        assert shown.status_code == 200
        assert shown.json().items() >= first.items()
        assert [one["carrier_status"] for one in shown.json()["statuses"]] == ["new"]
        assert shown.json()["next_read_at"] is not None
        listed = (await at.ask("GET", ORDERS, limit=1)).json()
        rest = (await at.ask("GET", ORDERS, after=listed["next"])).json()
        numbers = [one["dispatch_order_id"] for one in (*listed["items"], *rest["items"])]
        assert numbers == [second["dispatch_order_id"], first["dispatch_order_id"]]
        assert rest["next"] is None
        by_shipment = (await at.ask("GET", ORDERS, shipment_id=first["shipments"][0], state="open")).json()
        assert [one["dispatch_order_id"] for one in by_shipment["items"]] == [first["dispatch_order_id"]]
        assert len((await at.carrier.control("calls"))["items"]) == asked_before


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"state": "lost"}, "state"),
        ({"after": "4821"}, "after"),
        ({"limit": "0"}, "limit"),
        ({"shipment_id": "x"}, "shipment_id"),
        ({"organization_id": "x"}, "organization_id"),
    ],
)
async def test_a_list_that_cannot_be_says_why(query: dict[str, str], field: str, tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        answer = await at.ask("GET", ORDERS, **query)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


async def test_an_order_that_was_not_made_here_is_shown_by_the_carrier(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        [shipment] = await at.bought()
        made = await at.carrier.client.post(
            f"/v1/organizations/{PREPAID}/dispatch_orders", json={"shipments": [shipment], "address": ADDRESS}
        )
        shown = await at.ask("GET", f"{ORDERS}/{made.json()['id']}")
        assert (shown.status_code, shown.json()["shipments"], shown.json()["command_id"]) == (200, [shipment], None)
        assert (await at.ask("GET", f"{ORDERS}/424242")).status_code == 404
        assert (await at.ask("GET", f"{ORDERS}/x")).status_code == 404


async def test_a_courier_is_called_off(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        number = (await at.ordered())["dispatch_order_id"]
        answer = await at.ask("DELETE", f"{ORDERS}/{number}")
        assert (answer.status_code, answer.json()["result"]["state"]) == (200, "cancelled")
        assert (await at.ask("GET", f"{ORDERS}/{number}")).json()["next_read_at"] is None
        keyed = [await at.ask("DELETE", f"{ORDERS}/{number}", key="k-1") for _ in range(2)]
        assert keyed[0].json() == keyed[1].json()
        assert (await at.ask("DELETE", f"{ORDERS}/424242")).status_code == 404


async def test_comments_are_added_and_changed(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        comments = f"{ORDERS}/{(await at.ordered())['dispatch_order_id']}/comments"
        added = [await at.ask("POST", comments, {"comment": "rampa nr 3"}, key="k-1") for _ in range(2)]
        assert [one.status_code for one in added] == [201, 200]
        change = {"comment_id": added[0].json()["comment_id"], "comment": "rampa nr 4"}
        changed = await at.ask("PUT", comments, change)
        assert (changed.status_code, changed.json()["outcome"]) == (200, "done")
        assert (await at.ask("PUT", comments, change | {"comment_id": 1})).status_code == 404
        assert (await at.ask("POST", comments, {"comment": "rampa nr 3"})).status_code == 400
        assert (await at.ask("POST", comments, {"comment": "a\x00b"}, key="k-2")).status_code == 422
        assert (await at.ask("PUT", comments, {"comment": "x"})).json()["errors"][0]["field"] == "comment_id"


async def test_the_carrier_says_what_it_would_cost(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        [shipment] = await at.bought()
        answer = await at.ask("POST", f"{ORDERS}/calculate", {"shipments": [shipment, 77]}, token="reader")
        told = answer.json()
        assert (answer.status_code, told["priced"], told["refused"]) == (200, 1, 1)
        assert told["total"]["currency"] == "PLN"
        assert [one["shipments"] for one in told["parts"]] == [[shipment]]
        unknown = await at.ask("POST", f"{ORDERS}/calculate", {"shipments": [shipment], "dispatch_point_id": 5})
        assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "dispatch_point_id")


async def test_lists_to_sign_come_as_files(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        made = await at.ordered()
        one = await at.ask("GET", f"{ORDERS}/{made['dispatch_order_id']}/printout")
        assert (one.status_code, one.headers["content-type"]) == (200, "application/pdf")
        assert one.content.startswith(b"%PDF-")
        assert one.headers["cache-control"] == "no-store"
        many = await at.ask("GET", "/v1/dispatch-printouts", shipment_id=made["shipments"])
        assert many.content.startswith(b"%PDF-")
        assert (await at.ask("GET", "/v1/dispatch-printouts")).status_code == 400
        assert (await at.ask("GET", "/v1/dispatch-printouts", shipment_id=list(range(1, 102)))).status_code == 400
        assert (await at.ask("GET", f"{ORDERS}/424242/printout")).status_code == 404


async def test_while_the_carrier_is_away_it_says_when_to_come_again(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        made = await at.ordered()
        await at.carrier.client.post("/_control/faults", json={"kind": "page", "path": "*printout"})
        answer = await at.ask("GET", f"{ORDERS}/{made['dispatch_order_id']}/printout")
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/carrier-unavailable")
        assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize(
    ("token", "method", "path"),
    [
        ("reader", "POST", ORDERS),
        ("reader", "DELETE", f"{ORDERS}/1"),
        ("reader", "GET", f"{ORDERS}/1/printout"),
        ("writer", "GET", ORDERS),
        ("writer", "POST", f"{ORDERS}/calculate"),
    ],
)
async def test_a_token_does_only_what_it_is_for(token: str, method: str, path: str, tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        assert (await at.ask(method, path, token=token, key="k-1")).status_code == 403


async def test_a_token_for_some_organizations_sees_and_does_nothing_for_others(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        made = await at.ordered()
        one = f"{ORDERS}/{made['dispatch_order_id']}"
        asked = {"shipments": made["shipments"], "address": ADDRESS}
        assert (await at.ask("GET", ORDERS, token="others")).json()["items"] == []
        assert (await at.ask("GET", ORDERS, token="others", organization_id=PREPAID)).status_code == 403
        assert (await at.ask("GET", one, token="ours")).status_code == 200
        assert (await at.ask("GET", one, token="others")).status_code == 422
        assert (await at.ask("GET", one, token="others", organization_id=PREPAID)).status_code == 404
        elsewhere = await at.ask("POST", ORDERS, asked | {"organization_id": PREPAID}, token="others", key="k-1")
        assert elsewhere.status_code == 403
        unsaid = await at.ask("POST", ORDERS, asked, token="several", key="k-2")
        assert (unsaid.status_code, unsaid.json()["errors"][0]["field"]) == (422, "organization_id")
        assert (await at.ask("DELETE", one, token="others")).status_code == 422
