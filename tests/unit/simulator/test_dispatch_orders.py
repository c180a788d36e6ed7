"""Couriers who are to come and collect."""

from __future__ import annotations

import httpx
import pytest

from .pickups import ADDRESS, DOCK, ORDERS, ask, counts, move, ordered, read
from .stage import POSTPAID, Json, Stage, as_object, error_of, scenario


async def test_an_order_is_taken_in_at_once_and_passed_on_later(stage: Stage) -> None:
    shipment = await stage.bought()
    contact = {"name": "Magazyn", "phone": "500100200", "email": "magazyn@example.com", "office_hours": "8-16"}
    answer = await ask(stage, shipment, comment="Wejście od podwórza", **contact)
    order = as_object(answer)
    assert answer.headers["location"].endswith(f"/v1/dispatch_orders/{order['id']}")
    assert (order["status"], [one["comment"] for one in order["comments"]]) == ("new", ["Wejście od podwórza"])
    assert (await stage.read(shipment["id"]))["custom_attributes"]["dispatch_order_id"] == order["id"]
    await stage.advance(1)
    assert (await read(stage, order))["status"] == "sent"
    assert await counts(stage) == {"dispatch_order_created": 1}


@pytest.mark.parametrize("end", ["done", "rejected"])
async def test_what_becomes_of_it_stands_in_the_scenario(end: str) -> None:
    steps = [{"status": status, "after": 10} for status in ("sent", "accepted", end)]
    async with Stage(scenario(dispatch={"steps": steps})) as stage:
        order = await ordered(stage, await stage.bought())
        await stage.advance(60)
        [seen] = (await stage.control("dispatch_orders"))["items"]
        assert (seen["id"], seen["statuses"]) == (order["id"], ["new", "sent", "accepted", end])


async def test_moved_by_hand_it_goes_no_further_by_itself(stage: Stage) -> None:
    order = await ordered(stage, await stage.bought())
    await move(stage, order, "accepted")
    await stage.advance(60)
    assert (await read(stage, order))["status"] == "accepted"


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"shipments": []}, {"shipments": ["too_short"]}),
        ({"shipments": None}, {"shipments": ["invalid"]}),
        ({"shipments": [17]}, {"shipments": [{"17": ["does_not_exist"]}]}),
        ({"address": None}, {"address": ["required"]}),
        ({"address": {**ADDRESS, "street": None}}, {"address": [{"street": ["required"]}]}),
        ({"address": {"city": "Kraków"}}, {"address": [{"post_code": ["required"]}]}),
        ({"phone": "+48 500"}, {"phone": ["invalid_format"]}),
        ({"dispatch_point_id": 11}, {"dispatch_point_id": ["does_not_exist"]}),
    ],
)
async def test_an_order_can_be_wrong(changes: Json, details: Json) -> None:
    async with Stage(scenario(organization={"dispatch_points": [DOCK]})) as stage:
        answer = await ask(stage, await stage.bought(), **changes)
        assert (error_of(answer), as_object(answer)["details"]) == ((400, "validation_failed"), details)
        assert await counts(stage) == {}


async def test_only_what_is_confirmed_and_in_no_other_order_is_collected(stage: Stage) -> None:
    held, early, late = await stage.bought(), await stage.prepared(), await stage.bought()
    await stage.client.post(f"/_control/shipments/{late['id']}/statuses", json={"status": "collected_from_sender"})
    first = await ordered(stage, held)
    answer = await ask(stage, held, early, late)
    assert as_object(answer)["details"] == {
        "shipments": [
            {
                str(held["id"]): ["already_dispatched"],
                str(early["id"]): ["shipment_status_incorrect"],
                str(late["id"]): ["shipment_status_incorrect"],
            }
        ]
    }
    await move(stage, first, "rejected")
    assert (await ordered(stage, held))["id"] != first["id"]


async def test_a_place_is_known_by_its_exact_address(stage: Stage) -> None:
    """A checksum of it decides, so that a typing error makes a place of its own."""
    for street in ("Malborska", "Malborska", "Malborska "):
        await ordered(stage, await stage.bought(), address={**ADDRESS, "street": street})
    first, same, other = [one["dispatch_point_id"] for one in (await stage.control("dispatch_orders"))["items"]]
    assert (first == same, first == other) == (True, False)


async def test_a_registered_place_gives_its_address() -> None:
    async with Stage(scenario(organization={"dispatch_points": [DOCK]})) as stage:
        order = await ordered(stage, await stage.bought(), address=None, dispatch_point_id=10)
        assert (order["address"]["id"], order["address"]["street"]) == (10, "Rampowa")


async def test_cancelling_frees_the_shipments(stage: Stage) -> None:
    shipment = await stage.bought()
    order = await ordered(stage, shipment)
    assert (await stage.client.delete(f"/v1/dispatch_orders/{order['id']}")).status_code == 204
    assert (await read(stage, order))["status"] == "canceled"
    assert (await stage.read(shipment["id"]))["custom_attributes"]["dispatch_order_id"] is None
    await stage.advance(60)
    assert (await read(stage, order))["status"] == "canceled"
    assert await counts(stage) == {"dispatch_order_created": 1, "dispatch_order_cancelled": 1}


@pytest.mark.parametrize("status", ["accepted", "done", "rejected", "canceled"])
async def test_what_a_courier_has_answered_is_not_cancelled(stage: Stage, status: str) -> None:
    order = await ordered(stage, await stage.bought())
    await move(stage, order, status)
    answer = await stage.client.delete(f"/v1/dispatch_orders/{order['id']}")
    assert error_of(answer) == (400, "invalid_action")
    assert as_object(answer)["details"] == {"action": "cancel", "dispatch_order_status": status}


async def test_comments_are_added_changed_and_removed(stage: Stage) -> None:
    order = await ordered(stage, await stage.bought())
    path = f"{ORDERS}/{order['id']}/comment"
    added = await stage.client.post(path, json={"comment": "Dzwonek nie działa"})
    assert (added.status_code, added.json()["comment"]) == (201, "Dzwonek nie działa")
    named = {"id": added.json()["id"]}
    changed = await stage.client.put(path, json={**named, "comment": "Już działa"})
    assert (changed.status_code, changed.json()) == (200, {**added.json(), "comment": "Już działa"})
    assert (await read(stage, order))["comments"] == [changed.json()]
    assert (await stage.client.request("DELETE", path, json=named)).status_code == 204
    assert (await read(stage, order))["comments"] == []
    assert await counts(stage) == {
        "dispatch_order_created": 1,
        "comment_added": 1,
        "comment_changed": 1,
        "comment_removed": 1,
    }
    assert error_of(await stage.client.put(path, json={**named, "comment": "x"})) == (404, "resource_not_found")
    assert error_of(await stage.client.post(path, json={"comment": ""})) == (400, "validation_failed")


async def test_the_list_shows_the_newest_first_and_knows_its_filters(stage: Stage) -> None:
    shipments = [await stage.bought() for _ in range(2)]
    first, second = [await ordered(stage, one) for one in shipments]
    await stage.advance(1)
    await move(stage, second, "accepted")

    async def ids(query: str) -> list[int]:
        return [one["id"] for one in as_object(await stage.client.get(f"{ORDERS}?{query}"))["items"]]

    assert await ids("") == [second["id"], first["id"]]
    assert await ids("status=sent") == await ids(f"shipment_id={shipments[0]['id']}") == [first["id"]]
    assert await ids(f"tracking_number={shipments[1]['tracking_number']}") == [second["id"]]
    assert await ids(f"id={first['id']}&unheard_of=1") == await ids("per_page=1&page=2") == [first["id"]]
    assert await ids("created_at_gteq=2030-01-01T00:00:00Z") == []
    page = as_object(await stage.client.get(f"{ORDERS}?unheard_of=1&status=sent"))
    assert (page["count"], page["href"].endswith("/dispatch_orders?status=sent")) == (1, True)


async def test_another_account_s_order_does_not_exist(stage: Stage) -> None:
    order = await ordered(stage, await stage.bought())
    path = f"/v1/dispatch_orders/{order['id']}"
    async with stage.client_of("postpaid") as other:
        for answer in (await other.get(path), await other.delete(path), await other.get(f"{path}/printout")):
            assert error_of(answer) == (404, "resource_not_found")
        foreign = f"/v1/organizations/{POSTPAID}/dispatch_orders/{order['id']}/comment"
        assert error_of(await other.post(foreign, json={"comment": "x"})) == (404, "resource_not_found")
        assert error_of(await other.get(ORDERS)) == (403, "forbidden")


@pytest.mark.parametrize(("kind", "made"), [("lost", 1), ("hung_up", 1), ("page", 1), ("dropped", 0), ("limited", 0)])
async def test_an_order_was_made_or_not_by_the_kind_of_fault(stage: Stage, kind: str, made: int) -> None:
    shipment = await stage.bought()
    await stage.client.post("/_control/faults", json={"kind": kind, "method": "POST", "path": ORDERS})
    if kind in ("hung_up", "dropped"):
        with pytest.raises(httpx.RemoteProtocolError):
            await ask(stage, shipment)
    else:
        assert (await ask(stage, shipment)).status_code in (200, 429, 502)
    assert len((await stage.control("dispatch_orders"))["items"]) == made
    assert (await counts(stage)).get("dispatch_order_created", 0) == made
