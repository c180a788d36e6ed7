"""`POST /v1/shipments`: a key is one shipment, its repeats are answered the same, and nothing is guessed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge.commands.execute import Executor, Operation
from bridge.commands.handling import Hand, Handler
from bridge.commands.models import done
from bridge.commands.refusing import nothing_sent, refused
from bridge.lifecycle import Stop
from bridge.model import ClaimedCommand, CommandState, Outcome
from bridge.shipments.asked import CreateShipments
from bridge.web.problems import FieldError
from tests.unit.ingress.stage import OPERATOR, ORGANIZATION, OTHER, Stage, client_of

SHIPMENTS = "/v1/shipments"
ASKED: dict[str, Any] = {
    "receiver": {"phone": "500100200", "email": "jan@example.com"},
    "parcels": [{"template": "small"}],
}
MADE = {
    "shipment_id": 17,
    "organization_id": ORGANIZATION,
    "state": "created",
    "tracking_number": None,
    "purchase": None,
}
CLIENTS = [client_of("reader", ["read"]), client_of("of-4822", ["shipments:write"], [OTHER])]


async def post(stage: Stage, asked: object, *, key: str | None = "k-1", token: str | None = OPERATOR) -> httpx.Response:
    headers = [("idempotency-key", key)] if key is not None else []
    return await stage.ask("POST", SHIPMENTS, token=token, content=json.dumps(asked).encode(), headers=headers)


@asynccontextmanager
async def carried_out(stage: Stage, handler: Handler) -> AsyncIterator[None]:
    stop = Stop()
    executor = Executor(stage.commands, {CreateShipments.operation: Operation(handler)}, stop)
    running = asyncio.create_task(executor.run())
    try:
        yield
    finally:
        stop.announce()
        await running


def ending(outcome: Outcome) -> Handler:
    async def end(_claimed: ClaimedCommand, _hand: Hand) -> Outcome:
        return outcome

    return end


async def test_the_first_time_it_is_made_and_the_second_it_is_told_again(tmp_path: Path) -> None:
    async with Stage(tmp_path, command_seconds=10) as stage, carried_out(stage, ending(done(**MADE))):
        first, again = await post(stage, ASKED), await post(stage, ASKED | {"reference": ""})
        assert [(one.status_code, one.json()) for one in (first, again)] == [(201, MADE), (200, MADE)]
        other = await post(stage, ASKED | {"reference": "ORDER-2"})
        assert (other.status_code, other.json()["type"]) == (409, "/problems/key-used")


async def test_what_takes_longer_is_accepted(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        answer = await post(stage, ASKED)
        assert (answer.status_code, answer.headers["location"]) == (202, "/v1/commands/shipment.create/k-1")


async def test_of_many_each_has_a_result_at_once_and_later(tmp_path: Path) -> None:
    many = {"shipments": [ASKED, {"parcels": []}]}
    made = [{"index": 0, "outcome": "done", **MADE}, {"index": 1, "outcome": "rejected"}]
    async with Stage(tmp_path) as stage:
        answer = await post(stage, many)
        assert (answer.status_code, answer.json()["outcome"]) == (202, "accepted")
        accepted, rejected = answer.json()["items"]
        assert accepted == {"index": 0, "outcome": "accepted"}
        assert (rejected["outcome"], [one["field"] for one in rejected["errors"]]) == ("rejected", ["parcels"])
    async with Stage(tmp_path, command_seconds=10) as stage, carried_out(stage, ending(done(items=made))):
        again = await post(stage, many)
        assert (again.status_code, again.json()) == (202, {"command_id": "k-1", "outcome": "done", "items": made})


ENDS = [
    (refused("carrier-refused", "validation_failed", [FieldError("mpk", "invalid", "no")]), 422, "carrier-refused"),
    (nothing_sent("the breaker is open"), 503, "nothing-sent"),
    (Outcome(CommandState.unknown, error="nobody knows"), 502, "unknown-outcome"),
]


@pytest.mark.parametrize(("outcome", "status", "kind"), ENDS, ids=[row[-1] for row in ENDS])
async def test_each_way_not_to_be_made_has_its_answer(tmp_path: Path, outcome: Outcome, status: int, kind: str) -> None:
    async with Stage(tmp_path, command_seconds=10) as stage, carried_out(stage, ending(outcome)):
        answer = await post(stage, ASKED)
        assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")


async def test_what_cannot_be_is_refused_by_field_and_uses_no_key_up(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        answer = await post(stage, ASKED | {"mpk": "x" * 256, "fragile": True})
        assert answer.status_code == 422
        assert {one["field"] for one in answer.json()["errors"]} == {"mpk", "fragile"}
        assert "jan@example.com" not in answer.text
        assert (await post(stage, ASKED, key=None)).status_code == 400
        assert (await post(stage, ASKED)).status_code == 202


async def test_who_may(tmp_path: Path) -> None:
    async with Stage(tmp_path, clients=CLIENTS) as stage:
        assert (await post(stage, ASKED, token=None)).status_code == 401
        assert (await post(stage, ASKED, token="reader")).status_code == 403
        assert (await post(stage, ASKED | {"organization_id": ORGANIZATION}, token="of-4822")).status_code == 403
        assert (await post(stage, ASKED, token="of-4822")).status_code == 202
        (claimed,) = await stage.commands.claim({CreateShipments.operation: 5})
        assert CreateShipments.read(claimed.body).organization == OTHER
