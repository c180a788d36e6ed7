"""What the policy would choose, as a command: the same document as over HTTP, and no secrets of other sorts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.app.bus import ON_THE_BUS
from bridge.approvals.evaluating import EvaluateOffers, Evaluating
from bridge.carriers.shipx import shipment as shipments
from bridge.commands.reading import Asked, NotUnderstood, read
from bridge.model import ClaimedCommand, CommandState, Outcome, Progress
from bridge.purchasing.evaluation import Evaluator
from bridge.purchasing.policy import Policy
from bridge.store.evaluable import SqlEvaluable
from bridge.store.sqlite import SqliteDatabase
from tests.support.hand import Told
from tests.support.migrated import migrated
from tests.unit.purchasing.policy.making import COURIER, policy, rule

SAMPLE = Path(__file__).parents[2] / "samples" / "shipx" / "shipment_offers_prepared.json"
SHIPMENT: dict[str, Any] = json.loads(SAMPLE.read_text(encoding="utf-8"))
AT = datetime(2026, 3, 18, 11, 32, tzinfo=UTC)
BUYS_COURIERS = policy(rule(COURIER))


@dataclass
class Desk:
    """What carries it out, on a database."""

    database: SqliteDatabase
    evaluating: Evaluating


async def present(_organization: object) -> Policy:
    return BUYS_COURIERS


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    database = SqliteDatabase(migrated(tmp_path / "bridge.db"))
    await database.open()
    evaluator = Evaluator(
        SqlEvaluable(database), policy=present, read=shipments.read, faults=shipments.faults, clock=lambda: AT
    )
    yield Desk(database, Evaluating(evaluator))
    await database.close()


async def carried_out(desk: Desk, document: dict[str, Any]) -> Outcome:
    """Have a message of the bus carried out."""
    data = json.dumps({"command_id": "one", **document}).encode()
    asked = read("policy.evaluate", data, ON_THE_BUS, lambda _: True)
    assert isinstance(asked, Asked)
    claimed = ClaimedCommand("policy.evaluate", "one", "amqp", asked.body.canonical, 1, Progress())
    return await desk.evaluating(claimed, Told(desk.database))


async def test_the_decision_is_told_with_its_reasons(desk: Desk) -> None:
    outcome = await carried_out(desk, {"organization_id": 4821, "shipment": SHIPMENT, "at": AT.isoformat()})
    result: dict[str, Any] = dict(outcome.result or {})
    assert (outcome.state, result["decision"], result["price"]) == (
        CommandState.done,
        "buy",
        {"amount": "13.50", "currency": "PLN"},
    )
    assert (result["policy_sha256"], [one["reason"] for one in result["rejected"]]) == (
        BUYS_COURIERS.sha256,
        ["unavailable"],
    )
    json.dumps(result)


@pytest.mark.parametrize(
    ("document", "kind", "field"),
    [
        ({"shipment_id": 17}, "not-found", None),
        ({"shipment": SHIPMENT}, "unprocessable", "organization_id"),
        ({}, "unprocessable", "shipment"),
        ({"organization_id": 4821, "shipment": {"id": 1}}, "unprocessable", "shipment.status"),
    ],
)
async def test_what_cannot_be_decided_is_refused_as_over_http(
    desk: Desk, document: dict[str, Any], kind: str, field: str | None
) -> None:
    outcome = await carried_out(desk, document)
    result: dict[str, Any] = dict(outcome.result or {})
    state = CommandState.withdrawn if kind == "unprocessable" else CommandState.rejected
    assert (outcome.state, result["problem"]) == (state, kind)
    assert field is None or field in [one["field"] for one in result["errors"]]


def test_an_unknown_key_is_refused_before_anything_is_stored() -> None:
    data = json.dumps({"command_id": "one", "shipment_id": 17, "mood": "good"}).encode()
    found = read("policy.evaluate", data, ON_THE_BUS, lambda _: True)
    assert isinstance(found, NotUnderstood)
    assert [one.field for one in found.errors] == ["mood"]
    assert EvaluateOffers.operation == "policy.evaluate"
