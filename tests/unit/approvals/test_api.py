"""Purchases over HTTP: whoever may sees them, and what is ordered under one key has one effect."""

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

from bridge.approvals.approving import Approving
from bridge.commands.execute import Executor, Operation
from bridge.commands.models import ApprovePurchase, HoldPurchase, RetryPurchase
from bridge.lifecycle import Stop
from bridge.model import OrganizationId, micros
from bridge.web.access import EVERY_SCOPE
from tests.unit.ingress.stage import NOW, OPERATOR, ORGANIZATION, OTHER, SHIPMENT, Stage, client_of

PURCHASES = "/v1/purchases"
ONE = f"{PURCHASES}/{SHIPMENT}"
CLIENTS = [
    client_of("reader", ["read"]),
    client_of("buyer-of-4822", ["read", "purchases:write"], [OTHER]),
    client_of("no-buyer", EVERY_SCOPE - {"purchases:write"}),
    client_of("no-reader", EVERY_SCOPE - {"read"}),
]


@asynccontextmanager
async def desk(folder: Path, *, seconds: float = 10, works: bool = True) -> AsyncIterator[Stage]:
    """Open a stage on which orders about purchases are carried out."""
    async with Stage(folder, command_seconds=seconds, clients=CLIENTS) as stage:
        approving = Approving(
            stage.approvals,
            known=[OrganizationId(ORGANIZATION)],
            clock=lambda: stage.now,
            on_changed=lambda: None,
        )
        stop = Stop()
        orders = {
            ApprovePurchase.operation: Operation(approving.approve),
            HoldPurchase.operation: Operation(approving.hold),
            RetryPurchase.operation: Operation(approving.retry),
        }
        executor = Executor(stage.commands, orders if works else {}, stop)
        running = asyncio.create_task(executor.run())
        try:
            yield stage
        finally:
            stop.announce()
            await running


def put(stage: Stage, state: str, *, organization: int = ORGANIZATION, shipment: int = SHIPMENT) -> None:
    """Have a purchase in this state, with an offer that was chosen."""
    times = micros(NOW + timedelta(seconds=90)), micros(NOW)
    stage.change(
        "INSERT INTO purchases (organization, shipment, state, deadline, due_at, updated_at, cause, intent_id,"
        f" offer_id, service_id, reason) VALUES ({organization}, {shipment}, '{state}', {times[0]}, {times[1]},"
        f" {times[1]}, 'a-delivery', 'an-intent', 553001, 'inpost_locker_standard', 'approval_required')"
    )


async def order(
    stage: Stage,
    name: str,
    *,
    key: str | None = "k-1",
    token: str | None = OPERATOR,
    asked: object = None,
    one: str = ONE,
) -> httpx.Response:
    headers = [("idempotency-key", key)] if key is not None else []
    content = b"" if asked is None else json.dumps(asked).encode()
    return await stage.ask("POST", f"{one}/{name}", token=token, content=content, headers=headers)


HELD: dict[str, Any] = {
    "shipment_id": SHIPMENT,
    "organization_id": ORGANIZATION,
    "state": "held",
    "reason": "approval_required",
    "intent_id": "an-intent",
    "offer_id": 553001,
    "service_id": "inpost_locker_standard",
    "price": None,
    "deadline": "2026-11-20T12:01:30Z",
    "seconds_left": 90.0,
    "held_by": None,
    "approved": None,
    "in_hand": None,
    "cause": "a-delivery",
    "updated_at": "2026-11-20T12:00:00Z",
    "last_note": None,
}


async def test_a_purchase_is_shown_as_it_stands_and_listed(tmp_path: Path) -> None:
    async with desk(tmp_path) as stage:
        put(stage, "held")
        shown = await stage.ask("GET", ONE, token="reader")
        assert (shown.status_code, shown.json()) == (200, HELD)
        listed = await stage.ask("GET", f"{PURCHASES}?state=held", token="reader")
        assert listed.json() == {"items": [HELD], "next": None}
        assert (await stage.ask("GET", f"{PURCHASES}?state=wanted", token="reader")).json()["items"] == []


async def test_an_approval_is_carried_out_once_for_its_key(tmp_path: Path) -> None:
    async with desk(tmp_path) as stage:
        put(stage, "held")
        answer = await order(stage, "approve")
        assert (answer.status_code, answer.json()["outcome"]) == (200, "done")
        result = answer.json()["result"]
        assert (result["state"], result["approved"]) == (
            "wanted",
            {"by": "operator", "service_id": "inpost_locker_standard", "amount": None},
        )
        assert result["last_note"]["result"] == "approved"
        assert (await order(stage, "approve")).json() == answer.json()
        other = await order(stage, "approve", key="k-2")
        assert (other.status_code, other.json()["type"]) == (422, "/problems/rejected")
        assert other.json()["detail"].startswith("the purchase is wanted")


async def test_an_approval_that_names_another_intent_than_is_held_is_refused(tmp_path: Path) -> None:
    async with desk(tmp_path) as stage:
        put(stage, "held")
        other = await order(stage, "approve", asked={"intent_id": "what-was-looked-at"})
        assert (other.status_code, other.json()["type"]) == (422, "/problems/rejected")
        assert other.json()["detail"].endswith("under the intent an-intent")
        answer = await order(stage, "approve", key="k-2", asked={"intent_id": "an-intent"})
        assert (answer.status_code, answer.json()["result"]["state"]) == (200, "wanted")
        hold = await order(stage, "hold", key="k-3", asked={"intent_id": "an-intent"})
        assert hold.status_code == 422


async def test_a_hold_and_a_retry_go_the_same_way(tmp_path: Path) -> None:
    async with desk(tmp_path) as stage:
        put(stage, "wanted")
        held = await order(stage, "hold")
        assert (held.json()["result"]["state"], held.json()["result"]["held_by"]) == ("held", "operator")
        retried = await order(stage, "retry")
        assert (retried.json()["result"]["state"], retried.json()["result"]["held_by"]) == ("wanted", None)
        assert stage.rows("SELECT count(*) FROM events") == [1]


async def test_one_key_for_two_shipments_is_a_conflict(tmp_path: Path) -> None:
    async with desk(tmp_path) as stage:
        put(stage, "held")
        put(stage, "held", shipment=1)
        await order(stage, "approve")
        answer = await order(stage, "approve", one=f"{PURCHASES}/1")
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/key-used")


async def test_without_a_key_each_order_is_one_of_its_own(tmp_path: Path) -> None:
    async with desk(tmp_path) as stage:
        put(stage, "held")
        assert (await order(stage, "approve", key=None)).json()["result"]["state"] == "wanted"
        again = await order(stage, "approve", key=None)
        assert (again.status_code, again.json()["type"]) == (422, "/problems/rejected")
        assert [(await order(stage, name, key=None)).status_code for name in ("hold", "retry")] == [200, 200]
        assert stage.rows("SELECT count(*) FROM commands") == [4]


async def test_a_key_that_can_be_none_is_refused(tmp_path: Path) -> None:
    async with desk(tmp_path) as stage:
        put(stage, "held")
        answer = await order(stage, "approve", key="two words")
        assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (400, ["Idempotency-Key"])
        assert stage.rows("SELECT count(*) FROM commands") == [0]


async def test_what_takes_longer_is_accepted_and_can_be_looked_at(tmp_path: Path) -> None:
    async with desk(tmp_path, seconds=0, works=False) as stage:
        put(stage, "held")
        answer = await order(stage, "approve", key="a/b")
        assert (answer.status_code, answer.headers["location"]) == (202, "/v1/commands/shipment.approve/a%2Fb")
        shown = await stage.ask("GET", answer.headers["location"], token=OPERATOR)
        assert (shown.status_code, shown.json()["outcome"]) == (200, "accepted")


async def test_where_several_organizations_have_it_somebody_has_to_say_which(tmp_path: Path) -> None:
    async with desk(tmp_path) as stage:
        put(stage, "held")
        put(stage, "held", organization=OTHER)
        assert (await stage.ask("GET", ONE, token=OPERATOR)).json()["type"] == "/problems/several"
        assert (await order(stage, "approve")).status_code == 409
        shown = await stage.ask("GET", f"{ONE}?organization_id={OTHER}", token=OPERATOR)
        assert shown.json()["organization_id"] == OTHER
        answer = await order(stage, "approve", asked={"organization_id": OTHER})
        assert answer.json()["result"]["organization_id"] == OTHER


# -- who may -----------------------------------------------------------------------------------------------------------


async def test_a_client_of_one_organization_sees_and_steers_its_own(tmp_path: Path) -> None:
    async with desk(tmp_path) as stage:
        put(stage, "held")
        token = "buyer-of-4822"
        assert (await stage.ask("GET", PURCHASES, token=token)).json()["items"] == []
        assert (await stage.ask("GET", ONE, token=token)).status_code == 404
        assert (await stage.ask("GET", f"{PURCHASES}?organization_id=4821", token=token)).status_code == 403
        assert (await order(stage, "approve", token=token)).status_code == 404
        assert (await order(stage, "approve", token=token, asked={"organization_id": 4821})).status_code == 404
        put(stage, "held", organization=OTHER)
        assert (await order(stage, "approve", token=token)).json()["result"]["organization_id"] == OTHER
        assert stage.rows("SELECT approved_by FROM purchases ORDER BY organization") == [None, token]


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("wrong", 401), ("no-reader", 403), ("reader", 200)])
async def test_purchases_are_for_readers(tmp_path: Path, token: str | None, status: int) -> None:
    async with desk(tmp_path) as stage:
        put(stage, "held")
        for path in (PURCHASES, ONE):
            assert (await stage.ask("GET", path, token=token)).status_code == status


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("no-buyer", 403), ("reader", 403)])
@pytest.mark.parametrize("name", ["approve", "hold", "retry"])
async def test_orders_are_for_those_who_may_spend(tmp_path: Path, name: str, token: str | None, status: int) -> None:
    async with desk(tmp_path) as stage:
        put(stage, "held")
        assert (await order(stage, name, token=token)).status_code == status
        assert stage.rows("SELECT count(*) FROM commands") == [0]


# -- what makes no sense -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query", ["state=sold", "organization_id=x", "organization_id=-1", "after=1", "after=1.x", "limit=0"]
)
async def test_a_list_that_cannot_be_asked_for_is_refused(tmp_path: Path, query: str) -> None:
    async with desk(tmp_path) as stage:
        assert (await stage.ask("GET", f"{PURCHASES}?{query}", token=OPERATOR)).status_code == 400


async def test_a_list_goes_on_after_its_last_one(tmp_path: Path) -> None:
    async with desk(tmp_path) as stage:
        for shipment in (1, 2, 3):
            put(stage, "held", shipment=shipment)
        first = (await stage.ask("GET", f"{PURCHASES}?limit=2", token=OPERATOR)).json()
        second = (await stage.ask("GET", f"{PURCHASES}?limit=2&after={first['next']}", token=OPERATOR)).json()
        assert [[one["shipment_id"] for one in page["items"]] for page in (first, second)] == [[3, 2], [1]]
        assert second["next"] is None


@pytest.mark.parametrize("number", ["0", "9" * 18 + "0", "9" * 40, "x", "-1"])
async def test_a_number_that_no_shipment_has_is_not_found(tmp_path: Path, number: str) -> None:
    async with desk(tmp_path) as stage:
        assert (await stage.ask("GET", f"{PURCHASES}/{number}", token=OPERATOR)).status_code == 404


async def test_a_body_with_a_key_that_nobody_knows_is_refused_and_uses_no_key_up(tmp_path: Path) -> None:
    async with desk(tmp_path) as stage:
        put(stage, "held")
        answer = await order(stage, "approve", asked={"offer_id": 1})
        assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, ["offer_id"])
        assert (await order(stage, "approve")).status_code == 200
