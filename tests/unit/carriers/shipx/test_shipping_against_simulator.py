"""Shipping on demand and the stand-in carrier, each written from the documents alone: do they understand each other?"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.carriers.shipx.client import ShipxClient
from bridge.errors import CarrierRefused, FieldProblem
from bridge.events import statuses
from bridge.events.catalogue import Money
from bridge.limits.connection import Purpose
from bridge.shipments.draft import Draft, Parcel
from bridge.shipments.party import Party
from tests.unit.carriers.shipx.families import ShipxShipping

from .orders import ADDRESS, SMALL, WHOLE
from .simulated import courier, meeting, prepared

OFFERED = replace(WHOLE, service=None, additional_services=(), only_choice_of_offer=None, mpk=None)
"""In offer mode."""


def shipping_of(client: ShipxClient) -> ShipxShipping:
    return ShipxShipping.of(client.asker, client.organization)


async def test_a_shipment_is_made_with_what_was_asked_for_and_found_again() -> None:
    async with meeting() as (stage, client):
        since = stage.clock.now()
        made = await shipping_of(client).creator.create(OFFERED)
        await stage.advance(10)
        found = await client.read(made.id)
        assert (made.status, found.status) == ("created", "offers_prepared")
        assert found.traits.cod == Money(amount=Decimal("12.50"), currency="PLN")
        page = await client.created_since(since, 1, Purpose.create)
        assert [(one.id, one.traits.reference) for one in page.shipments] == [(made.id, "Zamówienie 17")]
        document = await stage.read(made.id)
        assert (document["receiver"]["phone"], document["comments"]) == ("600000000", "dowolny komentarz")


async def test_what_is_wrong_with_a_draft_is_said_by_field() -> None:
    wrong = Party(company_name="x", phone="+48 600", address=replace(ADDRESS, post_code="30624"))
    async with meeting() as (_, client):
        with pytest.raises(CarrierRefused) as caught:
            await shipping_of(client).creator.create(replace(OFFERED, receiver=wrong, comments="x"))
        assert (caught.value.key, caught.value.status) == ("validation_failed", 400)
        assert set(caught.value.fields) == {
            FieldProblem("receiver.phone", "invalid_format"),
            FieldProblem("receiver.address.post_code", "invalid_format"),
            FieldProblem("comments", "too_short"),
        }


async def test_a_draft_without_anybody_to_receive_it_is_refused() -> None:
    async with meeting() as (_, client):
        with pytest.raises(CarrierRefused) as caught:
            await shipping_of(client).creator.create(SMALL)
        assert ("receiver", "required") in [(one.field, one.code) for one in caught.value.fields]


async def test_an_offer_is_chosen_and_the_others_are_gone() -> None:
    async with meeting() as (stage, client):
        [shipment] = await prepared(stage)
        choice = courier(await client.read(shipment))
        found = await shipping_of(client).chooser.select(choice)
        assert (found.status, found.selected and found.selected.offer_id) == ("offer_selected", choice.offer)
        assert await stage.charges() == []


async def test_a_shipment_is_cancelled_once() -> None:
    async with meeting() as (stage, client):
        [shipment] = await prepared(stage)
        canceller = shipping_of(client).canceller
        await canceller.cancel(shipment)
        assert (await client.read(shipment)).status == "canceled"
        with pytest.raises(CarrierRefused) as caught:
            await canceller.cancel(shipment)
        assert (caught.value.key, caught.value.status, caught.value.fields) == ("invalid_action", 400, ())


async def test_a_parcel_that_was_bought_has_a_trail() -> None:
    async with meeting() as (stage, client):
        [shipment] = await prepared(stage)
        async with client.turn_to_buy() as turn:
            await turn.buy([courier(await client.read(shipment))])
        await stage.advance(1)
        number = (await client.read(shipment)).tracking_number
        assert number is not None
        found = await shipping_of(client).tracker.track(number)
        assert (found.number, found.status, found.steps[0].status, found.unread) == (
            number,
            "confirmed",
            "confirmed",
            0,
        )


async def test_nobody_knows_a_number_that_was_never_given_out() -> None:
    async with meeting() as (_, client):
        with pytest.raises(CarrierRefused) as caught:
            await shipping_of(client).tracker.track("620000000000000000000019")
        assert (caught.value.key, caught.value.status) == ("resource_not_found", 404)


async def test_the_words_of_the_carrier_are_those_of_our_table() -> None:
    async with meeting() as (_, client):
        found = await shipping_of(client).tracker.statuses()
        assert (len(found.statuses), found.unread) == (53, 0)
        assert {one.name for one in found.statuses} <= set(statuses.words("shipx"))


async def test_additional_services_come_with_a_service() -> None:
    draft = Draft(
        parcels=(Parcel(template="small"),),
        receiver=WHOLE.receiver,
        custom_attributes=WHOLE.custom_attributes,
        additional_services=("sms",),
        service="inpost_courier_standard",
    )
    async with meeting() as (_, client):
        assert (await shipping_of(client).creator.create(draft)).service == "inpost_courier_standard"
