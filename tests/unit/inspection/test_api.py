"""A shipment's story over HTTP: whoever may sees it, of their own organizations, and nobody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.model import micros
from bridge.web.access import EVERY_SCOPE
from tests.unit.ingress.stage import NOW, NUMBER, OPERATOR, ORGANIZATION, OTHER, SHIPMENT, Stage, client_of, told

ONE = f"/v1/shipments/{SHIPMENT}"
CLIENTS = [
    client_of("reader", ["read"]),
    client_of("reader-of-4822", ["read"], [OTHER]),
    client_of("no-reader", EVERY_SCOPE - {"read"}),
]
RECEIVER = {"first_name": "Anna", "phone": "888000000", "email": "anna@example.com"}


def stage_of(folder: Path) -> Stage:
    return Stage(folder, clients=CLIENTS)


async def known(stage: Stage) -> None:
    """Hear of the shipment, with what no webhook should say of a person."""
    document = told("taken_by_courier")
    document["payload"]["receiver"] = RECEIVER
    assert (await stage.post(document)).status_code == 200
    await stage.project()


def put(stage: Stage, organization: int) -> None:
    """Have a purchase that is held."""
    at = micros(NOW)
    stage.change(
        "INSERT INTO purchases (organization, shipment, state, deadline, due_at, updated_at, intent_id, offer_id,"
        f" service_id, reason) VALUES ({organization}, {SHIPMENT}, 'held', {at}, {at}, {at}, 'an-intent', 553001,"
        " 'inpost_locker_standard', 'approval_required')"
    )


async def test_a_shipment_is_told_with_state_purchase_tracking_timeline_and_outlook(tmp_path: Path) -> None:
    async with stage_of(tmp_path) as stage:
        await known(stage)
        put(stage, ORGANIZATION)
        answer = await stage.ask("GET", ONE, token="reader")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        body = answer.json()
        assert list(body) == [
            *("shipment_id", "organization_id", "state", "purchase", "tracking", "labels", "timeline"),
            *("dispatch_orders", "deleted_events", "outlook"),
        ]
        assert (body["shipment_id"], body["organization_id"], body["state"]) == (SHIPMENT, ORGANIZATION, "created")
        purchase = (await stage.ask("GET", f"/v1/purchases/{SHIPMENT}", token="reader")).json()
        assert body["purchase"] | purchase == body["purchase"], "as it is listed, and more"
        seen = "2026-11-20T11:00:00Z"
        assert body["tracking"] == {
            "tracking_status": "picked_up",
            "carrier_status": "taken_by_courier",
            "tracking_number": NUMBER,
            "return_tracking_number": None,
            "statuses": [
                {
                    "tracking_status": "picked_up",
                    "carrier_status": "taken_by_courier",
                    "first_at": seen,
                    "last_at": seen,
                }
            ],
        }
        assert body["labels"] == []
        assert [one["kind"] for one in body["timeline"]] == ["delivery", "event", "event"]
        assert body["outlook"][0] == "it waits for a person: approval_required"
        assert not [word for word in RECEIVER.values() if word in answer.text]


async def test_of_several_organizations_somebody_has_to_say_which(tmp_path: Path) -> None:
    async with stage_of(tmp_path) as stage:
        await known(stage)
        put(stage, OTHER)
        several = await stage.ask("GET", ONE, token=OPERATOR)
        assert (several.status_code, several.json()["type"]) == (409, "/problems/several")
        for organization, state in ((ORGANIZATION, "created"), (OTHER, "unknown")):
            one = (await stage.ask("GET", f"{ONE}?organization_id={organization}", token=OPERATOR)).json()
            assert (one["organization_id"], one["state"]) == (organization, state)
        wrong = await stage.ask("GET", f"{ONE}?organization_id=x", token=OPERATOR)
        assert (wrong.status_code, [one["field"] for one in wrong.json()["errors"]]) == (400, ["organization_id"])


async def test_a_client_of_one_organization_sees_its_own_alone(tmp_path: Path) -> None:
    async with stage_of(tmp_path) as stage:
        await known(stage)
        token = "reader-of-4822"
        for path in (ONE, f"{ONE}?organization_id={ORGANIZATION}", f"{ONE}?organization_id={OTHER}"):
            answer = await stage.ask("GET", path, token=token)
            assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
        put(stage, OTHER)
        assert (await stage.ask("GET", ONE, token=token)).json()["organization_id"] == OTHER


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("wrong", 401), ("no-reader", 403), ("reader", 200)])
async def test_shipments_are_for_readers(tmp_path: Path, token: str | None, status: int) -> None:
    async with stage_of(tmp_path) as stage:
        await known(stage)
        assert (await stage.ask("GET", ONE, token=token)).status_code == status


@pytest.mark.parametrize("number", ["1", "0", "9" * 19, "x", "-1", "٣"])
async def test_a_shipment_that_nobody_told_of_is_not_found(tmp_path: Path, number: str) -> None:
    async with stage_of(tmp_path) as stage:
        await known(stage)
        answer = await stage.ask("GET", f"/v1/shipments/{number}", token=OPERATOR)
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
