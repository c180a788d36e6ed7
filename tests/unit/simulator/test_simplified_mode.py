"""With a service the carrier selects and buys by itself; parked it stops before the payment."""

from __future__ import annotations

import pytest

from .stage import POSTPAID, PREPAID, Stage, error_of, scenario


async def test_the_carrier_buys_by_itself(stage: Stage) -> None:
    shipment = await stage.create(service="inpost_courier_standard")
    await stage.advance(0.3)
    waiting = await stage.read(shipment["id"])
    assert (waiting["status"], waiting["transactions"]) == ("offer_selected", [])
    await stage.advance(1)
    assert (await stage.read(shipment["id"]))["status"] == "confirmed"
    assert await stage.charges() == [(shipment["id"], "13.50")]


async def test_a_purchase_of_ours_is_refused_while_the_carrier_buys(stage: Stage) -> None:
    shipment = await stage.create(service="inpost_courier_standard")
    await stage.advance(0.3)
    assert error_of(await stage.buy(await stage.read(shipment["id"]))) == (400, "offer_unavailable")
    await stage.advance(1)
    assert len(await stage.charges()) == 1


async def test_a_parked_shipment_waits_for_its_payment(stage: Stage) -> None:
    shipment = await stage.prepared(service="inpost_courier_standard", only_choice_of_offer=True)
    await stage.advance(60)
    assert (shipment["status"], await stage.charges()) == ("offer_selected", [])
    assert (await stage.buy(shipment)).status_code == 200
    await stage.advance(1)
    assert (await stage.read(shipment["id"]))["status"] == "confirmed"


async def test_a_parked_shipment_expires_like_any_other(stage: Stage) -> None:
    shipment = await stage.prepared(service="inpost_courier_standard", only_choice_of_offer=True)
    await stage.advance(300)
    assert error_of(await stage.buy(shipment)) == (400, "offer_expired")


@pytest.mark.parametrize(
    ("service", "organization", "error"),
    [
        ("inpost_courier_palette", {}, "carrier_unavailable"),
        ("inpost_courier_standard", {"services": []}, "no_carriers"),
        ("pigeon", {}, "validation_failed"),
    ],
)
async def test_a_service_without_a_contract_is_refused_at_once(
    service: str, organization: dict[str, object], error: str
) -> None:
    async with Stage(scenario(organization=organization)) as stage:
        answer = await stage.client.post(
            f"/v1/organizations/{PREPAID}/shipments",
            json={"receiver": RECEIVER, "parcels": [{"template": "small"}], "service": service},
        )
        assert error_of(answer) == (400, error)


async def test_an_unavailable_service_stays_at_its_offers() -> None:
    """Only the courier's own wish is missing here (sending_method), which the create call does not check."""
    async with Stage() as stage, stage.client_of("postpaid") as stage.client:
        shipment = await stage.create(POSTPAID, service="inpost_courier_c2c", custom_attributes={})
        await stage.advance(60)
        assert (await stage.read(shipment["id"]))["status"] == "offers_prepared"


RECEIVER = {
    "company_name": "Odbiorca",
    "address": {"street": "Malborska", "building_number": "130", "city": "Kraków", "post_code": "30-624"},
}
