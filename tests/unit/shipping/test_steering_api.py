"""What is done with a shipment that is there, over HTTP: who may, for whom, and what is wrong with a body, by field."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge.app.serving import application
from bridge.commands.giving import Giving
from bridge.shipping.steering_api import SteeringApi
from bridge.store.commands import SqlCommands
from bridge.store.sealed import Vault
from bridge.store.sqlite import SqliteDatabase
from bridge.web.access import EVERY_SCOPE, Access
from tests.support.migrated import migrated
from tests.unit.ingress.stage import ORGANIZATION, OTHER, SHIPMENT, client_of

CLIENTS = [
    client_of("operator", EVERY_SCOPE),
    client_of("shipper", ["shipments:write"]),
    client_of("buyer", ["purchases:write"]),
    client_of("of-4822", EVERY_SCOPE, [OTHER]),
    client_of("of-both", EVERY_SCOPE, [ORGANIZATION, OTHER]),
]
OPERATIONS = {
    "select": "shipment.select_offer",
    "buy": "shipment.buy",
    "refresh-offers": "shipment.refresh_offers",
    "cancel": "shipment.cancel",
}
OFFER = {"offer_id": 553001}


@dataclass
class Desk:
    """The application around these routes; nobody carries anything out."""

    database: SqliteDatabase
    commands: SqlCommands

    async def ask(
        self, name: str, body: object, *, token: str = "operator", key: str | None = "k-1", shipment: object = SHIPMENT
    ) -> httpx.Response:
        api = SteeringApi(Giving(self.commands, lambda: None, wait_s=0), Access(CLIENTS))
        transport = httpx.ASGITransport(application(api.routes()))
        headers = {"authorization": f"Bearer {token}"} | ({} if key is None else {"idempotency-key": key})
        async with httpx.AsyncClient(transport=transport, base_url="http://bridge") as client:
            content = json.dumps(body).encode()
            return await client.post(f"/v1/shipments/{shipment}/{name}", content=content, headers=headers)

    async def given(self) -> dict[str, Any]:
        """Give what is to be carried out."""
        [claimed] = await self.commands.claim(dict.fromkeys(OPERATIONS.values(), 1))
        found: dict[str, Any] = json.loads(claimed.body)
        return {"operation": claimed.operation, "by": claimed.given_by, **found}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    database = SqliteDatabase(migrated(tmp_path / "bridge.db"))
    await database.open()
    yield Desk(database, SqlCommands(database, Vault(), "stage"))
    await database.close()


@pytest.mark.parametrize(
    ("name", "body", "told"),
    [
        ("select", OFFER, OFFER),
        ("buy", {}, {"offer_id": None}),
        ("buy", OFFER, OFFER),
        ("refresh-offers", {}, {}),
        ("cancel", {"organization_id": ORGANIZATION}, {"organization_id": ORGANIZATION}),
    ],
)
async def test_what_is_asked_for_is_a_command_that_can_be_looked_at(
    desk: Desk, name: str, body: dict[str, Any], told: dict[str, Any]
) -> None:
    answer = await desk.ask(name, body)
    assert (answer.status_code, answer.headers["location"]) == (202, f"/v1/commands/{OPERATIONS[name]}/k-1")
    about = {"operation": OPERATIONS[name], "by": "operator", "shipment_id": SHIPMENT, "organization_id": None}
    assert await desk.given() == about | told


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("select", {}, "offer_id"),
        ("select", {"offer_id": "553001"}, "offer_id"),
        ("select", {"offer_id": True}, "offer_id"),
        ("buy", {"offer_id": 0}, "offer_id"),
        ("refresh-offers", OFFER, "offer_id"),
        ("cancel", {"organization_id": -1}, "organization_id"),
        ("cancel", {"shipment_id": 1}, "shipment_id"),
    ],
)
async def test_what_is_wrong_is_told_by_its_field(desk: Desk, name: str, body: dict[str, Any], field: str) -> None:
    answer = await desk.ask(name, body)
    assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, [field])


@pytest.mark.parametrize("shipment", ["0", "x", "-1", "1" * 19])
async def test_what_no_shipment_is_called_is_not_found(desk: Desk, shipment: str) -> None:
    assert (await desk.ask("cancel", {}, shipment=shipment)).status_code == 404


@pytest.mark.parametrize("name", OPERATIONS)
async def test_no_key_is_needed_where_nothing_is_made(desk: Desk, name: str) -> None:
    answers = [await desk.ask(name, OFFER if name == "select" else {}, key=None) for _ in range(2)]
    assert [one.status_code for one in answers] == [202, 202]
    assert len({one.headers["location"] for one in answers}) == 2, "each is a command of its own, and can be looked at"


async def test_a_key_that_can_be_none_is_refused(desk: Desk) -> None:
    assert (await desk.ask("cancel", {}, key="two words")).status_code == 400


@pytest.mark.parametrize(
    ("name", "token", "status"),
    [
        ("select", "shipper", 202),
        ("select", "buyer", 403),
        ("buy", "buyer", 202),
        ("buy", "shipper", 403),
        ("refresh-offers", "shipper", 202),
        ("cancel", "shipper", 202),
        ("cancel", "buyer", 403),
        ("cancel", "nobody", 401),
    ],
)
async def test_who_spends_money_needs_another_scope_than_who_steers(
    desk: Desk, name: str, token: str, status: int
) -> None:
    body = OFFER if name == "select" else {}
    assert (await desk.ask(name, body, token=token)).status_code == status


async def test_a_token_of_one_organization_acts_for_that_one_alone(desk: Desk) -> None:
    assert (await desk.ask("cancel", {"organization_id": ORGANIZATION}, token="of-4822")).status_code == 403
    assert (await desk.ask("cancel", {}, token="of-both")).status_code == 422
    assert (await desk.ask("cancel", {}, token="of-4822")).status_code == 202
    assert (await desk.given())["organization_id"] == OTHER


async def test_the_same_key_is_the_same_command_and_no_other(desk: Desk) -> None:
    assert [(await desk.ask("select", OFFER)).status_code for _ in range(2)] == [202, 202]
    assert (await desk.ask("select", {"offer_id": 553002})).status_code == 409
