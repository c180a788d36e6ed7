"""What can go wrong between an offer and its confirmation."""

from __future__ import annotations

import httpx
import pytest

from .stage import DRAFT, POSTPAID, PREPAID, Json, Stage, as_object, error_of, offer_id, scenario


async def test_an_offer_cannot_be_bought_when_its_five_minutes_are_over(stage: Stage) -> None:
    shipment = await stage.create()
    await stage.advance(0.2)
    shipment = await stage.read(shipment["id"])
    await stage.advance(300)
    assert error_of(await stage.buy(shipment)) == (400, "offer_expired")
    assert await stage.read(shipment["id"]) == shipment  # not even the status of the offer tells


async def test_an_offer_can_be_bought_in_its_last_moment(stage: Stage) -> None:
    shipment = await stage.create()
    await stage.advance(300.1)
    assert (await stage.buy(await stage.read(shipment["id"]))).status_code == 200
    await stage.advance(1)
    assert len(await stage.charges()) == 1


async def test_an_unavailable_offer_cannot_be_bought(stage: Stage) -> None:
    answer = await stage.buy(await stage.prepared(), "inpost_locker_allegro")
    assert error_of(answer) == (400, "offer_unavailable")


async def test_a_deleted_offer_cannot_be_bought(stage: Stage) -> None:
    """Selecting one deletes the others: there is no second-best."""
    shipment = await stage.prepared()
    chosen = {"offer_id": offer_id(shipment, "inpost_locker_standard")}
    await stage.client.post(f"/v1/shipments/{shipment['id']}/select_offer", json=chosen)
    assert error_of(await stage.buy(shipment)) == (400, "offer_unavailable")


@pytest.mark.parametrize("wait", [0, 60])
async def test_buying_twice_is_one_charge(stage: Stage, wait: float) -> None:
    shipment = await stage.prepared()
    await stage.buy(shipment)
    await stage.advance(wait)
    assert error_of(await stage.buy(shipment)) == (400, "offer_unavailable")
    await stage.advance(60)
    assert await stage.charges() == [(shipment["id"], "13.50")]


@pytest.mark.parametrize(("again", "charges"), [("accept", 1), ("charge", 2)])
async def test_a_scenario_may_let_the_second_purchase_through(again: str, charges: int) -> None:
    """Nobody knows what the carrier does, so a client must do well in each case."""
    async with Stage(scenario(purchases={"again": again})) as stage:
        shipment = await stage.prepared()
        assert [(await stage.buy(shipment)).status_code for _ in range(2)] == [200, 200]
        await stage.advance(60)
        assert len(await stage.charges()) == charges
        read = await stage.read(shipment["id"])
        assert (read["status"], len(read["transactions"])) == ("confirmed", charges)
        assert stage.events() == ["offers_prepared", "shipment_confirmed"]


async def test_without_funds_the_payment_fails_and_nobody_is_told() -> None:
    async with Stage(scenario(organization={"funds": "13.49"})) as stage:
        shipment = await stage.bought()
        assert (shipment["status"], shipment["tracking_number"]) == ("offer_selected", None)
        assert shipment["selected_offer"]["status"] == "selected"
        transaction = shipment["transactions"][0]
        assert {key: transaction[key] for key in ("status", "details")} == {
            "status": "failure",
            "details": {"status": 422, "error": "debt_collection", "message": "debt_collection", "details": {}},
        }
        assert (stage.events(), await stage.charges()) == (["offers_prepared"], [])


async def test_after_topping_up_the_same_offer_is_still_payable_but_only_by_asking() -> None:
    async with Stage(scenario(organization={"funds": "0"})) as stage:
        shipment = await stage.bought()
        await stage.client.post(f"/_control/organizations/{PREPAID}/funds", json={"amount": "20"})
        await stage.advance(100)
        assert (await stage.read(shipment["id"]))["status"] == "offer_selected"
        assert (await stage.buy(shipment)).status_code == 200
        await stage.advance(1)
        shipment = await stage.read(shipment["id"])
        assert [one["status"] for one in shipment["transactions"]] == ["failure", "success"]
        assert (await stage.control("state"))["organizations"][0]["funds"] == "6.50"


async def test_a_postpaid_account_owes_an_amount_that_nobody_says() -> None:
    async with Stage() as stage, stage.client_of("postpaid") as stage.client:
        shipment = await stage.create(POSTPAID)
        await stage.advance(1)
        await stage.buy(await stage.read(shipment["id"]))
        await stage.advance(1)
        assert await stage.charges() == [(shipment["id"], None)]


async def test_a_running_purchase_overwrites_a_cancellation(stage: Stage) -> None:
    """Observed on 2026-10-10: 204, and a moment later the shipment was back."""
    shipment = await stage.prepared()
    await stage.buy(shipment)
    assert (await stage.client.delete(f"/v1/shipments/{shipment['id']}")).status_code == 204
    assert (await stage.read(shipment["id"]))["status"] == "canceled"
    await stage.advance(1)
    assert (await stage.read(shipment["id"]))["status"] == "confirmed"


async def _two(stage: Stage) -> list[Json]:
    shipments = [await stage.prepared() for _ in range(2)]
    return [
        {"id": number, "shipment_id": one["id"], "offer_id": offer_id(one, "inpost_courier_standard")}
        for number, one in enumerate(shipments, start=1)
    ]


async def test_bulk_buy_buys_each(stage: Stage) -> None:
    items = await _two(stage)
    answer = await stage.client.post(f"/v1/organizations/{PREPAID}/shipments/bulk_buy", json={"shipments": items})
    assert (answer.status_code, answer.content) == (204, b"")
    await stage.advance(1)
    assert [shipment for shipment, _ in await stage.charges()] == [item["shipment_id"] for item in items]
    assert stage.events().count("shipment_confirmed") == 2


async def _bulk(stage: Stage, items: list[Json], call: str = "bulk_buy") -> httpx.Response:
    return await stage.client.post(f"/v1/organizations/{PREPAID}/shipments/{call}", json={"shipments": items})


NAMED = {"bulk_refusals": "named"}
GONE = [{"offer_id": ["invalid"]}]


@pytest.mark.parametrize("call", ["bulk_buy", "select_offers"])
async def test_a_bulk_call_names_every_item_that_is_not_valid(stage: Stage, call: str) -> None:
    first, second = await _two(stage)
    items = [{**first, "id": 7, "offer_id": 1}, {**second, "id": 8, "offer_id": 1}, {**second, "id": 9}]
    answer = await _bulk(stage, items, call)
    missing = [{"offer_id": ["does_not_exist"]}]
    assert error_of(answer) == (400, "validation_failed")
    assert as_object(answer)["details"] == {
        "shipments": [{"7": missing, "8": missing, "9": [{"shipment_id": ["invalid"]}]}]
    }


@pytest.mark.parametrize(("refusals", "details"), [("named", {"shipments": [{"2": GONE}]}), ("unnamed", {})])
async def test_an_offer_that_is_gone_refuses_all_and_may_be_named(refusals: str, details: Json) -> None:
    async with Stage(scenario(purchases={"bulk_refusals": refusals})) as stage:
        first, second = await _two(stage)
        assert (await stage.buy(await stage.read(second["shipment_id"]), "inpost_locker_standard")).status_code == 200
        answer = await _bulk(stage, [first, second])
        assert (error_of(answer), as_object(answer)["details"]) == ((400, "offer_unavailable"), details)
        await stage.advance(60)
        assert [shipment for shipment, _ in await stage.charges()] == [second["shipment_id"]]


async def test_an_offer_whose_time_is_over_is_unavailable_to_many() -> None:
    """`offer_expired` is documented for a purchase of one alone."""
    async with Stage(scenario(purchases=NAMED)) as stage:
        items = await _two(stage)
        await stage.advance(299)
        answer = await _bulk(stage, items)
        assert (error_of(answer), as_object(answer)["details"]) == (
            (400, "offer_unavailable"),
            {"shipments": [{"1": GONE}]},
        )


@pytest.mark.parametrize(
    ("refusals", "details"),
    [("named", {"shipments": [{"1": [{"shipment_id": ["does_not_exist"]}]}]}), ("unnamed", {})],
)
async def test_a_shipment_that_is_missing_refuses_all(refusals: str, details: Json) -> None:
    async with Stage(scenario(purchases={"bulk_refusals": refusals})) as stage:
        first, second = await _two(stage)
        answer = await _bulk(stage, [{**first, "shipment_id": 17}, second])
        assert (error_of(answer), as_object(answer)["details"]) == ((404, "resource_not_found"), details)


@pytest.mark.parametrize(("again", "status", "charges"), [("refuse", 400, 1), ("accept", 204, 1), ("charge", 204, 2)])
async def test_a_purchase_that_runs_may_be_made_again_by_many_and_one_that_is_paid_never(
    again: str, status: int, charges: int
) -> None:
    async with Stage(scenario(purchases={"again": again})) as stage:
        [first, _] = await _two(stage)
        assert [(await _bulk(stage, [first])).status_code for _ in range(2)] == [204, status]
        await stage.advance(60)
        assert error_of(await _bulk(stage, [first])) == (400, "offer_unavailable")
        await stage.advance(60)
        assert len(await stage.charges()) == charges


async def test_bulk_buy_buys_all_or_none(stage: Stage) -> None:
    first, second = await _two(stage)
    items = [first, {**second, "offer_id": first["offer_id"]}]  # an offer of another shipment
    answer = await stage.client.post(f"/v1/organizations/{PREPAID}/shipments/bulk_buy", json={"shipments": items})
    assert error_of(answer) == (400, "validation_failed")
    assert as_object(answer)["details"] == {"shipments": [{"2": [{"offer_id": ["does_not_exist"]}]}]}
    await stage.advance(60)
    assert await stage.charges() == []


@pytest.mark.parametrize("wrong", [{"shipments": []}, {"shipments": [{"id": 1}]}, {}, {"shipments": "1"}])
async def test_bulk_bodies_are_checked(stage: Stage, wrong: Json) -> None:
    answer = await stage.client.post(f"/v1/organizations/{PREPAID}/shipments/bulk_buy", json=wrong)
    assert error_of(answer) == (400, "validation_failed")


async def test_bulk_refuses_the_same_shipment_twice_and_more_than_a_hundred(stage: Stage) -> None:
    first, _ = await _two(stage)
    for items in ([first, {**first, "id": 9}], [first] * 101):
        answer = await stage.client.post(f"/v1/organizations/{PREPAID}/shipments/bulk_buy", json={"shipments": items})
        assert error_of(answer) == (400, "validation_failed")


async def test_select_offers_selects_each_without_paying(stage: Stage) -> None:
    items = await _two(stage)
    answer = await stage.client.post(f"/v1/organizations/{PREPAID}/shipments/select_offers", json={"shipments": items})
    assert answer.status_code == 204
    await stage.advance(60)
    assert [(await stage.read(item["shipment_id"]))["status"] for item in items] == ["offer_selected"] * 2
    assert await stage.charges() == []


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"shipment_id": 17}, {"shipment_id": ["does_not_exist"]}),
        ({"offer_id": 17}, {"offer_id": ["does_not_exist"]}),
        ({}, {"offer_id": ["invalid"]}),  # its time is over
    ],
)
async def test_select_offers_knows_one_kind_of_error_and_names_its_reason(
    stage: Stage, changes: Json, details: Json
) -> None:
    first, _ = await _two(stage)
    await stage.advance(300)
    answer = await _bulk(stage, [{**first, **changes}], "select_offers")
    assert (error_of(answer), as_object(answer)["details"]) == (
        (400, "validation_failed"),
        {"shipments": [{"1": [details]}]},
    )


async def test_unpaid_invoices_refuse_what_costs_money_until_they_are_paid(stage: Stage) -> None:
    path, shipment = f"/v1/organizations/{PREPAID}", await stage.prepared()
    bill = f"/_control/organizations/{PREPAID}/invoices"
    await stage.client.put(bill, json={"unpaid": True})
    item = {"id": 1, "shipment_id": shipment["id"], "offer_id": offer_id(shipment, "inpost_courier_standard")}
    for answer in (
        await stage.client.post(f"{path}/shipments", json=DRAFT),
        await stage.client.post(f"{path}/batches", json={"shipments": [{**DRAFT, "id": 1}]}),
        await stage.buy(shipment),
        await _bulk(stage, [item]),
    ):
        assert error_of(answer) == (422, "debt_collection")
    assert (await stage.control("deeds"))["counts"] == {"shipment_created": 1}
    await stage.client.put(bill, json={"unpaid": False})
    assert (await stage.buy(shipment)).status_code == 200
