"""What the carrier refuses of a new shipment, attribute by attribute."""

from __future__ import annotations

from typing import Any

import pytest

from .stage import DRAFT, POSTPAID, PREPAID, Json, Stage, as_object, error_of, scenario

PATH = f"/v1/organizations/{PREPAID}/shipments"
LOCKER, COURIER = "inpost_locker_standard", "inpost_courier_standard"
ADDRESS = DRAFT["receiver"]["address"]
SMALL = {"template": "small"}
MEASURED = {"dimensions": {"length": 10, "width": 10, "height": 10, "unit": "cm"}, "weight": {"amount": 3}}


async def refused(stage: Stage, **changes: Any) -> object:
    """Give the details of a refused create."""
    answer = await stage.client.post(PATH, json={**DRAFT, **changes})
    assert error_of(answer) == (400, "validation_failed")
    return as_object(answer)["details"]


def locker(**changes: Any) -> Json:
    return {"service": LOCKER, **changes}


def courier(**changes: Any) -> Json:
    return {"service": COURIER, **changes}


@pytest.mark.parametrize(
    ("changes", "details", "_remark"),
    [
        (locker(receiver={}), {"receiver": [{"phone": ["required"], "email": ["required"]}]}, "a locker tells a code"),
        (locker(receiver={"phone": "888000000"}), {"receiver": [{"email": ["required"]}]}, "by phone and by e-mail"),
        (locker(custom_attributes={}), {"custom_attributes": [{"target_point": ["required"]}]}, "where to"),
        (
            courier(receiver={"first_name": "Anna", "address": ADDRESS}),
            {"receiver": [{"last_name": ["required"]}]},
            "half a name is none",
        ),
        (courier(receiver={"company_name": "X"}), {"receiver": [{"address": ["required"]}]}, "a courier goes there"),
        (
            courier(receiver={"company_name": "X", "address": {"city": "Kraków", "post_code": "30-624"}}),
            {"receiver": [{"address": [{"street": ["required"], "building_number": ["required"]}]}]},
            "a city is no address",
        ),
        (
            {"sender": {"address": {**ADDRESS, "building_number": ""}}},
            {"sender": [{"address": [{"building_number": ["required"]}]}]},
            "the sender's neither",
        ),
        (
            {"receiver": {"company_name": "X", "address": {**ADDRESS, "post_code": "30624"}}},
            {"receiver": [{"address": [{"post_code": ["invalid_format"]}]}]},
            "NN-NNN",
        ),
    ],
)
async def test_receiver_and_sender(stage: Stage, changes: Json, details: Json, _remark: str) -> None:
    assert await refused(stage, **changes) == details


async def test_without_a_sender_it_is_the_organization(stage: Stage) -> None:
    sender = (await stage.create(sender=None))["sender"]
    organization = as_object(await stage.client.get(f"/v1/organizations/{PREPAID}"))
    assert sender["company_name"] == organization["name"]
    assert {key: sender["address"][key] for key in organization["address"]} == organization["address"]


async def test_one_line_still_counts_as_an_address(stage: Stage) -> None:
    receiver = {"company_name": "X", "address": {"line1": "Malborska 130", "city": "Kraków", "post_code": "30-624"}}
    assert (await stage.create(receiver=receiver, **courier()))["receiver"]["address"]["line1"] == "Malborska 130"


async def test_a_return_needs_no_receiver(stage: Stage) -> None:
    shipment = await stage.create(is_return=True, receiver=None)
    assert (shipment["sender"]["name"], shipment["receiver"]["first_name"]) == ("Sklep", "Jan")


@pytest.mark.parametrize(
    ("parcels", "details"),
    [
        ([{"dimensions": MEASURED["dimensions"]}], {"parcels": ["required"]}),
        ([{"weight": {"amount": 3}}], {"parcels": ["required"]}),
        ([{**SMALL, "is_non_standard": "perhaps"}], {"parcels": [{"is_non_standard": ["invalid"]}]}),
        ([{**MEASURED, "weight": {"amount": 0}}], {"parcels": [{"weight": [{"amount": ["too_small"]}]}]}),
        ([SMALL, SMALL], {"parcels": [{"id": ["required"]}]}),
        ([{**SMALL, "id": "1"}, {**SMALL, "id": "1"}], {"parcels": [{"id": ["invalid"]}]}),
        ([{**SMALL, "id": str(number)} for number in range(1001)], {"parcels": ["too_long"]}),
    ],
)
async def test_parcels(stage: Stage, parcels: list[Json], details: Json) -> None:
    assert await refused(stage, parcels=parcels) == details


async def test_several_parcels_go_by_courier_and_never_to_a_locker(stage: Stage) -> None:
    several = [{**SMALL, "id": "1"}, {**MEASURED, "id": "2"}]
    assert await refused(stage, parcels=several, **locker()) == {"parcels": ["too_long"]}
    shipment = await stage.create(parcels=several, **courier())
    assert [parcel["id"] for parcel in shipment["parcels"]] == ["1", "2"]


async def test_one_parcel_may_stand_alone(stage: Stage) -> None:
    """Observed: an object instead of a list of one."""
    assert [parcel["template"] for parcel in (await stage.create(parcels=SMALL))["parcels"]] == ["small"]


@pytest.mark.parametrize(
    ("custom_attributes", "details"),
    [
        ({"target_point": "KRA010", "sending_method": "parcel_locker"}, {"dropoff_point": ["required"]}),
        ({"target_point": "KRA010", "sending_method": "pok"}, {"dropoff_point": ["required"]}),
        ({"target_point": "KRA010", "sending_method": "by_balloon"}, {"sending_method": ["invalid"]}),
        ({"target_point": "NOWHERE"}, {"target_point": ["does_not_exist"]}),
        ({"target_point": "KRA010", "dropoff_point": "NOWHERE"}, {"dropoff_point": ["does_not_exist"]}),
    ],
)
async def test_points_and_ways_of_sending(custom_attributes: Json, details: Json) -> None:
    async with Stage(scenario(creates={"points": ["KRA010", "POP-WAW364"]})) as stage:
        assert await refused(stage, custom_attributes=custom_attributes) == {"custom_attributes": [details]}


async def test_a_parcel_point_as_target_changes_the_service_in_the_answer(stage: Stage) -> None:
    shipment = await stage.create(custom_attributes={"target_point": "POP-WAW364"}, **locker())
    assert shipment["service"] == "inpost_locker_customer_service_point"


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        (courier(cod={"amount": 20}), {"insurance": ["required"]}),
        (courier(cod={"amount": 20}, insurance={"amount": 19}), {"insurance": [{"amount": ["too_small"]}]}),
        ({"insurance": {"amount": 0.5}}, {"insurance": [{"amount": ["too_small"]}]}),
        ({"insurance": {"amount": 10_000_000}}, {"insurance": [{"amount": ["too_big"]}]}),
        ({"cod": {"amount": 5, "currency": "EUR"}}, {"cod": [{"currency": ["invalid"]}]}),
        ({"mpk": "x" * 256}, {"mpk": ["too_long"]}),
        ({"mpk": "unheard of"}, {"mpk": ["does_not_exist"]}),
        ({"comments": "ab"}, {"comments": ["too_short"]}),
        ({"comments": "a" * 101}, {"comments": ["too_long"]}),
        ({"is_return": "sometimes"}, {"is_return": ["invalid"]}),
    ],
)
async def test_money_and_texts(stage: Stage, changes: Json, details: Json) -> None:
    assert await refused(stage, **changes) == details


@pytest.mark.parametrize("empty", ["reference", "comments", "mpk", "is_return"])
async def test_what_may_be_empty(stage: Stage, empty: str) -> None:
    nothing: Json = {empty: ""}
    assert (await stage.create(**nothing))["status"] == "created"


async def test_money_is_collected_from_a_locker_without_insurance(stage: Stage) -> None:
    assert (await stage.create(cod={"amount": 20}, **locker()))["cod"] == {"amount": 20.0, "currency": "PLN"}


async def test_additional_services_have_to_fit(stage: Stage) -> None:
    assert await refused(stage, additional_services=["sms"], **locker()) == {"additional_services": ["invalid"]}
    assert await refused(stage, additional_services=["balloon"], **courier()) == {"additional_services": ["invalid"]}
    shipment = await stage.create(additional_services=["saturday"], **courier())
    assert (shipment["additional_services"], shipment["end_of_week_collection"]) == (["saturday"], True)


async def test_additional_services_without_a_service_may_be_refused() -> None:
    """The page says so; its own sample does it all the same."""
    async with Stage(scenario(creates={"stray_services": "refuse"})) as stage:
        assert await refused(stage, additional_services=["sms"]) == {"additional_services": ["invalid"]}


LOCKER_ONLY = {"services": [{"id": LOCKER, "rate": "12.99"}]}


async def test_the_locker_carrier_s_couriers_have_no_additional_services() -> None:
    async with Stage() as stage, stage.client_of("postpaid") as stage.client:
        wish = {**DRAFT, "service": "inpost_courier_c2c", "additional_services": ["sms"]}
        answer = await stage.client.post(f"/v1/organizations/{POSTPAID}/shipments", json=wish)
        assert as_object(answer)["details"] == {"additional_services": ["invalid"]}


@pytest.mark.parametrize(
    ("organization", "service", "error"),
    [
        (LOCKER_ONLY, COURIER, "missing_trucker_id"),
        (LOCKER_ONLY, "inpost_courier_express_1000", "missing_trucker_id"),
        (LOCKER_ONLY, "inpost_courier_c2c", "carrier_unavailable"),
        ({}, "inpost_courier_express_1000", "carrier_unavailable"),
        ({"services": []}, COURIER, "no_carriers"),
        ({"services": []}, None, "no_carriers"),
    ],
)
async def test_a_service_without_its_contract(organization: Json, service: str | None, error: str) -> None:
    async with Stage(scenario(organization=organization)) as stage:
        answer = await stage.client.post(PATH, json={**DRAFT, "service": service})
        assert (error_of(answer), as_object(answer)["details"]) == ((400, error), None)


async def test_every_refusal_leaves_nothing_behind(stage: Stage) -> None:
    await refused(stage, parcels=[])
    assert (await stage.control("state"))["shipments"] == []
    assert (await stage.control("deeds"))["counts"] == {}


async def test_collecting_money_without_company_data_is_found_out_at_the_payment() -> None:
    async with Stage(scenario(organization={"company_data": False})) as stage:
        shipment = await stage.bought(cod={"amount": 20}, insurance={"amount": 20})
        [transaction] = shipment["transactions"]
        assert (shipment["status"], transaction["status"]) == ("offer_selected", "failure")
        assert transaction["details"]["error"] == "company_data_missing"
        assert transaction["details"]["message"] == "customer_lack_of_address_data"
        assert "owner@example.com" in str(transaction["details"]["details"])  # as the carrier does
        assert (await stage.bought())["status"] == "confirmed"


async def test_postpaid_accounts_have_the_courier_s_services() -> None:
    async with Stage() as stage, stage.client_of("postpaid") as stage.client:
        shipment = await stage.create(POSTPAID, service="inpost_courier_express_1000")
        assert shipment["service"] == "inpost_courier_express_1000"
