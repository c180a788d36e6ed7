"""The simulator's own API."""

from __future__ import annotations

import pytest

from .stage import HOOK, PREPAID, Stage, error_of


async def test_state_shows_everything_at_a_glance(stage: Stage) -> None:
    shipment = await stage.bought()
    assert await stage.control("state") == {
        "now": "2026-03-18T11:32:00.279000+00:00",
        "organizations": [
            {"id": 4821, "account": "prepaid", "funds": "86.50", "webhook_url": HOOK},
            {"id": 4822, "account": "postpaid", "funds": None, "webhook_url": HOOK},
        ],
        "shipments": [
            {
                "id": shipment["id"],
                "organization_id": 4821,
                "status": "confirmed",
                "tracking_number": shipment["tracking_number"],
                "return_tracking_number": None,
                "statuses": ["confirmed"],
            }
        ],
        "charges": 1,
        "webhooks": {"attempts": 2, "acknowledged": 2, "repeats": 0, "in_flight": 0},
    }


async def test_charges_are_listed_with_their_moment(stage: Stage) -> None:
    shipment = await stage.bought()
    assert (await stage.control("charges"))["items"] == [
        {
            "shipment_id": shipment["id"],
            "offer_id": shipment["offers"][0]["id"],
            "amount": "13.50",
            "at": "2026-03-18T11:31:59.879000+00:00",
        }
    ]


async def test_idle_means_that_nothing_is_planned_or_under_way(stage: Stage) -> None:
    assert await stage.control("idle") == {"idle": True, "scheduled": 0, "in_flight": 0}
    await stage.create()
    assert await stage.control("idle") == {"idle": False, "scheduled": 1, "in_flight": 0}
    await stage.advance(1)
    assert (await stage.control("idle"))["idle"] is True


async def test_a_url_can_be_changed_while_running(stage: Stage) -> None:
    url = "http://127.0.0.1:7777/other"
    answer = await stage.client.put(f"/_control/organizations/{PREPAID}/webhook", json={"url": url})
    assert answer.json()["webhook_url"] == url
    await stage.prepared()
    assert (await stage.control("webhooks"))["items"][0]["url"] == url


@pytest.mark.parametrize("amount", ["-1", "much", "0.001", None])
async def test_wrong_funds_are_refused(stage: Stage, amount: str | None) -> None:
    answer = await stage.client.post(f"/_control/organizations/{PREPAID}/funds", json={"amount": amount})
    assert error_of(answer) == (400, "validation_failed")


@pytest.mark.parametrize("path", ["organizations/1/funds", "shipments/1/statuses"])
async def test_what_is_not_there_is_not_found(stage: Stage, path: str) -> None:
    assert error_of(await stage.client.post(f"/_control/{path}", json={})) == (404, "resource_not_found")


async def test_a_wrong_position_is_refused(stage: Stage) -> None:
    assert error_of(await stage.client.get("/_control/webhooks?after=x")) == (400, "validation_failed")


async def test_deeds_are_counted_and_listed_with_the_merchant_s_reference(stage: Stage) -> None:
    shipment = await stage.bought(reference="Order 7")
    created, accepted = (await stage.control("deeds"))["items"]
    assert created == {
        "id": 1,
        "act": "shipment_created",
        "organization_id": PREPAID,
        "subject": shipment["id"],
        "reference": "Order 7",
        "at": "2026-03-18T11:31:58.279000+00:00",
    }
    assert (accepted["act"], accepted["subject"]) == ("purchase_accepted", shipment["id"])
    assert await stage.control("deeds?after=1") == {
        "items": [accepted],
        "counts": {"shipment_created": 1, "purchase_accepted": 1},
    }


async def test_a_selection_is_a_deed_of_whoever_asked_and_not_of_the_carrier_itself(stage: Stage) -> None:
    await stage.create(service="inpost_courier_standard")
    await stage.advance(2)
    asked = await stage.prepared()
    body = {"offer_id": asked["offers"][0]["id"]}
    await stage.client.post(f"/v1/shipments/{asked['id']}/select_offer", json=body)
    deeds = (await stage.control("deeds"))["items"]
    assert [deed["subject"] for deed in deeds if deed["act"] == "offer_selected"] == [asked["id"]]


async def test_an_order_that_is_not_there_is_not_moved(stage: Stage) -> None:
    answer = await stage.client.post("/_control/dispatch_orders/1/statuses", json={"status": "done"})
    assert error_of(answer) == (404, "resource_not_found")
