"""Editing renews the offers, where the carrier allows it at all."""

from __future__ import annotations

from .stage import Json, Stage, as_object, error_of, scenario


async def _edit(stage: Stage, shipment_id: int, changes: Json) -> tuple[int, str]:
    answer = await stage.client.put(f"/v1/shipments/{shipment_id}", json=changes)
    value = as_object(answer)
    return answer.status_code, str(value.get("error", value["status"]))


async def test_an_empty_edit_brings_new_offers(stage: Stage) -> None:
    before = await stage.prepared()
    await stage.advance(300)
    assert await _edit(stage, before["id"], {}) == (200, "created")
    await stage.advance(1)
    after = await stage.read(before["id"])
    assert {offer["id"] for offer in after["offers"]}.isdisjoint(offer["id"] for offer in before["offers"])
    assert {**after, "offers": [], "updated_at": ""} == {**before, "offers": [], "updated_at": ""}
    assert stage.events() == ["offers_prepared", "offers_prepared"]
    assert (await stage.buy(after)).status_code == 200


async def test_an_empty_edit_may_be_refused_and_one_that_changes_nothing_is_not() -> None:
    """Nobody knows which of the two brings new offers."""
    async with Stage(scenario(purchases={"empty_edit": "refuse"})) as stage:
        shipment = await stage.prepared(comments="proszę dzwonić")
        assert await _edit(stage, shipment["id"], {}) == (400, "validation_failed")
        assert await stage.read(shipment["id"]) == shipment
        assert await _edit(stage, shipment["id"], {"comments": "proszę dzwonić"}) == (200, "created")


async def test_new_offers_have_five_minutes_of_their_own(stage: Stage) -> None:
    before = await stage.prepared()
    await stage.advance(100)
    await _edit(stage, before["id"], {})
    assert (await stage.read(before["id"]))["offers"] == []
    await stage.advance(0.2)
    offers = (await stage.read(before["id"]))["offers"]
    assert {one["expires_at"] for one in offers if one["status"] == "available"} == {"2026-03-18T12:38:39.479+01:00"}


async def test_an_edit_changes_what_it_names_and_null_deletes(stage: Stage) -> None:
    shipment = await stage.prepared(comments="proszę dzwonić")
    changes: Json = {"reference": "Order No. 2", "comments": None, "custom_attributes": {}}
    assert await _edit(stage, shipment["id"], changes) == (200, "created")
    await stage.advance(1)
    edited = await stage.read(shipment["id"])
    assert (edited["reference"], edited["comments"]) == ("Order No. 2", None)
    assert [offer["service"]["id"] for offer in edited["offers"]] == ["inpost_courier_standard"]


async def test_a_failed_payment_leaves_the_shipment_editable() -> None:
    async with Stage(scenario(organization={"funds": "0"})) as stage:
        shipment = await stage.bought()
        assert await _edit(stage, shipment["id"], {}) == (200, "created")
        await stage.advance(1)
        assert (await stage.read(shipment["id"]))["status"] == "offers_prepared"


async def test_an_edit_without_any_body_is_an_empty_one(stage: Stage) -> None:
    shipment = await stage.prepared()
    assert (await stage.client.put(f"/v1/shipments/{shipment['id']}")).status_code == 200


async def test_no_edit_while_offers_are_fetched_or_a_purchase_runs(stage: Stage) -> None:
    created = await stage.create()
    assert await _edit(stage, created["id"], {}) == (400, "invalid_action")
    await stage.advance(1)
    await stage.buy(await stage.read(created["id"]))
    assert await _edit(stage, created["id"], {}) == (400, "invalid_action")


async def test_no_edit_after_the_purchase(stage: Stage) -> None:
    shipment = await stage.bought()
    answer = await stage.client.put(f"/v1/shipments/{shipment['id']}", json={})
    assert error_of(answer) == (400, "invalid_action")
    assert answer.json()["details"] == {"action": "update", "shipment_status": "confirmed"}


async def test_a_wrong_edit_changes_nothing(stage: Stage) -> None:
    shipment = await stage.prepared()
    assert await _edit(stage, shipment["id"], {"parcels": []}) == (400, "validation_failed")
    assert await stage.read(shipment["id"]) == shipment


async def test_a_cancelled_shipment_stays_cancelled(stage: Stage) -> None:
    shipment = await stage.create()
    assert (await stage.client.delete(f"/v1/shipments/{shipment['id']}")).status_code == 204
    await stage.advance(60)
    assert (await stage.read(shipment["id"]))["status"] == "canceled"
    assert error_of(await stage.client.delete(f"/v1/shipments/{shipment['id']}")) == (400, "invalid_action")
    assert stage.received == []
