"""Without a service the carrier offers what it has, and waits."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from .stage import POSTPAID, Stage, offer_id, scenario


async def test_from_create_to_confirmed(stage: Stage) -> None:
    shipment = await stage.create()
    assert (shipment["status"], shipment["offers"]) == ("created", [])

    await stage.advance(1)
    shipment = await stage.read(shipment["id"])
    assert (shipment["status"], shipment["selected_offer"]) == ("offers_prepared", None)

    answer = await stage.buy(shipment)
    assert (answer.status_code, answer.json()) == (200, shipment)  # accepted, and nothing to see yet

    await stage.advance(1)
    shipment = await stage.read(shipment["id"])
    assert (shipment["status"], shipment["service"]) == ("confirmed", "inpost_courier_standard")
    assert len(shipment["tracking_number"]) == 24
    assert shipment["parcels"][0]["tracking_number"] == shipment["tracking_number"]
    assert [offer["status"] for offer in shipment["offers"]] == ["bought"]
    assert stage.events() == ["offers_prepared", "shipment_confirmed"]
    assert await stage.charges() == [(shipment["id"], "13.50")]


async def test_offers_last_exactly_five_minutes_from_their_preparation(stage: Stage) -> None:
    await stage.create()
    before = stage.clock.now()
    await stage.advance(1)
    expiries = {offer["expires_at"] for offer in stage.received[0]["payload"]["offers"]}
    assert [datetime.fromisoformat(text) for text in expiries if text] == [before + timedelta(seconds=0.2, minutes=5)]


async def test_a_postpaid_account_sees_no_price_but_a_currency() -> None:
    async with Stage() as stage, stage.client_of("postpaid") as stage.client:
        shipment = await stage.create(POSTPAID)
        await stage.advance(1)
        offers = (await stage.read(shipment["id"]))["offers"]
        assert {(o["status"], o["rate"], o["currency"]) for o in offers} == {("available", None, "PLN")}


@pytest.mark.parametrize(
    ("changes", "services"),
    [
        ({}, {"inpost_locker_standard", "inpost_locker_allegro", "inpost_courier_standard"}),
        (
            {"receiver": {"phone": "888000000", "email": "a@example.com"}},
            {"inpost_locker_standard", "inpost_locker_allegro"},
        ),
        ({"custom_attributes": {}}, {"inpost_courier_standard"}),  # a locker needs a target point
    ],
)
async def test_the_given_data_decide_which_services_are_presented(
    stage: Stage, changes: dict[str, Any], services: set[str]
) -> None:
    offers = (await stage.prepared(**changes))["offers"]
    assert {offer["service"]["id"] for offer in offers} == services


@pytest.mark.parametrize(
    ("changes", "service", "reason"),
    [
        ({"additional_services": ["sms"]}, "inpost_locker_standard", "additional_service_sms_unavailable"),
        (
            {"parcels": [{"template": "small", "id": "1"}, {"template": "small", "id": "2"}]},
            "inpost_locker_standard",
            "parcels_size_invalid",
        ),
        ({}, "inpost_locker_allegro", "allegro_email_invalid"),
    ],
)
async def test_an_unavailable_offer_says_why(stage: Stage, changes: dict[str, Any], service: str, reason: str) -> None:
    offers = (await stage.prepared(**changes))["offers"]
    refused = next(offer for offer in offers if offer["service"]["id"] == service)
    assert [one["key"] for one in refused["unavailability_reasons"]] == [reason]
    assert (refused["status"], refused["expires_at"], refused["rate"], refused["currency"]) == (
        "unavailable",
        None,
        None,
        None,
    )


async def test_selecting_keeps_one_offer_and_buys_nothing(stage: Stage) -> None:
    shipment = await stage.prepared()
    chosen = offer_id(shipment, "inpost_locker_standard")
    answer = await stage.client.post(f"/v1/shipments/{shipment['id']}/select_offer", json={"offer_id": chosen})
    selected = answer.json()
    assert (answer.status_code, selected["status"]) == (200, "offer_selected")
    assert [(offer["id"], offer["status"]) for offer in selected["offers"]] == [(chosen, "selected")]
    await stage.advance(60)
    assert await stage.charges() == []


async def test_a_parcel_point_as_target_changes_the_service(stage: Stage) -> None:
    shipment = await stage.prepared(custom_attributes={"target_point": "POP-WAW364"})
    chosen = offer_id(shipment, "inpost_locker_standard")
    answer = await stage.client.post(f"/v1/shipments/{shipment['id']}/select_offer", json={"offer_id": chosen})
    assert answer.json()["service"] == "inpost_locker_customer_service_point"


async def test_a_return_swaps_sender_and_receiver(stage: Stage) -> None:
    shipment = await stage.create(is_return=True)
    assert (shipment["sender"]["first_name"], shipment["receiver"]["first_name"]) == ("Anna", "Jan")


async def test_jitter_moves_the_moments_but_the_seed_fixes_them() -> None:
    async def moments(seed: int) -> list[str]:
        async with Stage(scenario(delays={"offers": 10, "purchase": 10, "jitter": 0.5}), seed=seed) as stage:
            await stage.create()
            await stage.advance(20)
            return [notice["event_ts"] for notice in stage.received]

    assert await moments(1) == await moments(1) != await moments(2)
