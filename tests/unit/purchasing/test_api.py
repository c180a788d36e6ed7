"""What the policy would choose, asked over HTTP: by a shipment as the carrier writes it, or by what was decided."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge.app.serving import application
from bridge.carriers.shipx import shipment as shipments
from bridge.errors import SettingsError
from bridge.model import OrganizationId, ShipmentId
from bridge.purchasing.api import EvaluationApi
from bridge.purchasing.evaluation import Evaluator
from bridge.purchasing.policy import Policy, decide
from bridge.purchasing.policy.document import document
from bridge.store import decisions
from bridge.store.decisions import Decided
from bridge.store.evaluable import SqlEvaluable
from bridge.store.sqlite import SqliteDatabase
from bridge.web.access import Access
from tests.support.migrated import migrated
from tests.unit.ingress.stage import client_of
from tests.unit.purchasing.policy.making import ALLEGRO, COURIER, LOCKER, policy, rule

SAMPLES = Path(__file__).parents[2] / "samples" / "shipx"
SHIPMENT: dict[str, Any] = json.loads((SAMPLES / "shipment_offers_prepared.json").read_text(encoding="utf-8"))
ID, OFFER, OTHER_OFFER = 3900000018, 1700000003, 1700000004
AT = datetime(2026, 3, 18, 11, 32, tzinfo=UTC)
ORGANIZATION, OTHER = OrganizationId(4821), OrganizationId(4822)
CLIENTS = [
    client_of("reader", ["read"]),
    client_of("reader-of-4822", ["read"], [OTHER]),
    client_of("no-reader", ["events", "purchases:write"]),
]
BUYS_COURIERS = policy(rule(COURIER))
BOUGHT = {
    "decision": "buy",
    "rule_id": "a",
    "offer_id": OFFER,
    "reason": None,
    "price": {"amount": "13.50", "currency": "PLN"},
    "seconds_left": 298.279,
    "rejected": [{"offer_id": OTHER_OFFER, "reason": "unavailable"}],
    "policy_sha256": BUYS_COURIERS.sha256,
}


@dataclass
class Stage:
    """The application around the one route, with a policy that can be exchanged."""

    database: SqliteDatabase
    policy: Policy = field(default_factory=lambda: BUYS_COURIERS)
    refusal: SettingsError | None = None

    async def read_policy(self, _organization: object) -> Policy:
        if self.refusal:
            raise self.refusal
        return self.policy

    async def ask(self, body: object, token: str = "reader") -> httpx.Response:
        evaluator = Evaluator(
            SqlEvaluable(self.database),
            policy=self.read_policy,
            read=shipments.read,
            faults=shipments.faults,
            clock=lambda: AT,
        )
        api = EvaluationApi(evaluator, Access(CLIENTS))
        transport = httpx.ASGITransport(application(api.routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://bridge") as client:
            headers = {"authorization": f"Bearer {token}"}
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            return await client.post("/v1/offers/evaluate", content=content, headers=headers)

    async def decided(self, *organizations: OrganizationId, policy: Policy = BUYS_COURIERS, at: datetime = AT) -> None:
        """Decide about the sample, and keep that."""
        found = shipments.read(json.dumps(SHIPMENT).encode(), at)
        for organization in organizations:
            body = document(found, decide(found, policy, organization)).model_dump_json()
            kept = Decided(organization, ShipmentId(ID), at, None, policy.sha256, body)
            await self.database.write(lambda transaction, kept=kept: decisions.write(transaction, kept))  # type: ignore[misc] # bound


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    database = SqliteDatabase(migrated(tmp_path / "bridge.db"))
    await database.open()
    yield Stage(database)
    await database.close()


def given(**changes: object) -> dict[str, object]:
    return {"organization_id": ORGANIZATION, "shipment": SHIPMENT, "at": AT.isoformat()} | changes


async def test_a_shipment_as_the_carrier_writes_it_is_decided_about(stage: Stage) -> None:
    answer = await stage.ask(given())
    assert (answer.status_code, answer.json()) == (200, BOUGHT)
    without_time = await stage.ask({"organization_id": ORGANIZATION, "shipment": SHIPMENT})
    assert without_time.json() == BOUGHT


@pytest.mark.parametrize(
    ("changes", "decision", "reason"),
    [
        pytest.param({"status": "created", "offers": []}, "wait", None, id="no offers yet"),
        pytest.param({"status": "canceled"}, "not_ours", "not_for_sale", id="cancelled"),
        pytest.param({"service": COURIER}, "not_ours", "carrier_owned_purchase", id="the carrier's"),
        pytest.param({"status": "delivered"}, "not_ours", "already_bought", id="bought long ago"),
        pytest.param({"offers": []}, "decline", "none_available", id="nothing on offer"),
    ],
)
async def test_what_it_decides_has_its_word(
    stage: Stage, changes: dict[str, object], decision: str, reason: str | None
) -> None:
    found = (await stage.ask(given(shipment=SHIPMENT | changes))).json()
    assert (found["decision"], found["reason"], found["offer_id"]) == (decision, reason, None)


async def test_what_expired_by_the_time_given_is_declined_as_such(stage: Stage) -> None:
    found = (await stage.ask(given(at="2026-03-18T13:00:00+01:00"))).json()
    assert (found["decision"], found["reason"]) == ("decline", "offers_expired")
    assert found["rejected"] == [
        {"offer_id": OFFER, "reason": "expired"},
        {"offer_id": OTHER_OFFER, "reason": "unavailable"},
    ]


async def test_a_rule_may_go_by_what_is_not_kept_where_the_shipment_is_given(stage: Stage) -> None:
    stage.policy = policy(rule(COURIER, more='when = { reference_prefix = "Order No." }\non_missing_rate = "hold"'))
    assert (await stage.ask(given())).json()["decision"] == "buy"


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        pytest.param(b"{", 400, None, id="no JSON"),
        pytest.param({}, 422, ["shipment"], id="neither a shipment nor a number"),
        pytest.param(given(shipment={}), 422, ["shipment"], id="an empty shipment is none"),
        pytest.param(given(shipment_id=1), 422, ["shipment"], id="both"),
        pytest.param({"shipment": SHIPMENT}, 422, ["organization_id"], id="nobody's shipment"),
        pytest.param({"shipment_id": ID, "at": AT.isoformat()}, 422, ["at"], id="a decision has its own time"),
        pytest.param(given(at="2026-03-18T12:00:00"), 422, ["at"], id="a time without an offset"),
        pytest.param(given(at="0001-01-01T00:00:00+10:00"), 422, ["at"], id="a time before all times"),
        pytest.param(given(at="9999-12-31T23:59:59-10:00"), 422, ["at"], id="and after"),
        pytest.param(given(spend=True), 422, ["spend"], id="an unknown key"),
        pytest.param({"shipment_id": 0}, 422, ["shipment_id"], id="no number of a shipment"),
        pytest.param({"shipment_id": 10**18}, 422, ["shipment_id"], id="nor this"),
        pytest.param(
            given(shipment={"id": 1, "status": "SECRET SECRET", "offers": [{"id": 1, "status": "available"}]}),
            422,
            ["shipment.status", "shipment.offers.0.service"],
            id="no shipment: by field, and without its values",
        ),
    ],
)
async def test_what_cannot_be_evaluated_is_said_by_field(
    stage: Stage, body: object, status: int, fields: list[str] | None
) -> None:
    answer = await stage.ask(body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert [one["field"] for one in answer.json().get("errors", [])] == (fields or [])
    assert "SECRET" not in answer.text


async def test_it_is_for_those_who_may_read_and_their_organizations(stage: Stage) -> None:
    await stage.decided(ORGANIZATION)
    for body in (given(), {"shipment_id": ID}):
        assert (await stage.ask(body, token="no-reader")).status_code == 403
        assert (await stage.ask(body, token="nobody")).status_code == 401
    assert (await stage.ask(given(), token="reader-of-4822")).status_code == 403
    assert (await stage.ask(given(organization_id=OTHER), token="reader-of-4822")).status_code == 200
    assert (await stage.ask({"shipment_id": ID}, token="reader-of-4822")).status_code == 404


async def test_what_was_decided_is_given_as_of_its_time(stage: Stage) -> None:
    await stage.decided(ORGANIZATION, at=AT - timedelta(seconds=1))
    await stage.decided(ORGANIZATION)
    answer = await stage.ask({"shipment_id": ID})
    assert (answer.status_code, answer.json()) == (200, BOUGHT)


async def test_another_policy_is_tried_on_the_offers_of_the_decision(stage: Stage) -> None:
    await stage.decided(ORGANIZATION)
    stage.policy = policy(rule(LOCKER, ALLEGRO))
    found = (await stage.ask({"shipment_id": ID})).json()
    assert (found["decision"], found["reason"], found["policy_sha256"]) == (
        "decline",
        "no_rule_match",
        stage.policy.sha256,
    )


async def test_a_policy_that_goes_by_what_is_not_kept_needs_the_shipment(stage: Stage) -> None:
    await stage.decided(ORGANIZATION)
    stage.policy = policy(rule(COURIER, more='when.reference_prefix = "B2B-"'))
    answer = await stage.ask({"shipment_id": ID})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-kept")


async def test_a_number_that_several_organizations_have_needs_one_of_them(stage: Stage) -> None:
    await stage.decided(ORGANIZATION, OTHER)
    answer = await stage.ask({"shipment_id": ID})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "organization_id")
    assert (await stage.ask({"shipment_id": ID, "organization_id": OTHER})).json() == BOUGHT
    assert (await stage.ask({"shipment_id": ID}, token="reader-of-4822")).json() == BOUGHT


async def test_nothing_was_decided_about_a_stranger(stage: Stage) -> None:
    assert (await stage.ask({"shipment_id": 17})).status_code == 404


async def test_a_policy_file_that_cannot_be_followed_is_named(stage: Stage) -> None:
    stage.refusal = SettingsError([("BRIDGE_POLICY line 3 colour", "there is no such key")])
    answer = await stage.ask(given())
    assert (answer.status_code, answer.json()["detail"]) == (503, "BRIDGE_POLICY line 3 colour: there is no such key")
