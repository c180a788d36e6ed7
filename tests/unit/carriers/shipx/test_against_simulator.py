"""The client and the stand-in carrier, each written from the documents alone: do they understand each other?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.carriers.shipx.client import ShipxClient
from bridge.errors import CarrierRefused
from bridge.limits.connection import Purpose
from bridge.model import ShipmentId
from bridge.purchasing.shipment import Choice
from tests.unit.simulator.stage import Stage

from .simulated import courier, meeting, prepared


async def buy(client: ShipxClient, *choices: Choice) -> None:
    async with client.turn_to_buy() as turn:
        await turn.buy(choices)


async def sampled(stage: Stage, client: ShipxClient) -> ShipmentId:
    """Have bought one a while ago."""
    [shipment] = await prepared(stage)
    await buy(client, courier(await client.read(shipment)))
    await stage.advance(20)
    return shipment


async def test_a_list_says_of_each_what_its_read_says() -> None:
    async with meeting() as (stage, client):
        ids = [await sampled(stage, client), *await prepared(stage, 3)]
        assert await client.most_at_once(ids[1]) == 1, "without payments it says nothing of them"
        assert await client.most_at_once(ids[0]) == 20
        listed = await client.read_many([*ids, ShipmentId(17)], Purpose.read)
        assert listed == {one: await client.read(one) for one in ids}


@pytest.mark.parametrize("left_out", ["offers", "selected_offer", "transactions"])
async def test_a_list_that_says_less_is_found_out(left_out: str) -> None:
    async with meeting(lists={"without": [left_out]}) as (stage, client):
        shipment = await sampled(stage, client)
        assert (await client.most_at_once(shipment), client.lists_differ) == (1, True)
        await stage.advance(24 * 3600)
        assert client.lists_differ


async def test_a_list_that_takes_only_so_many_ids_is_asked_for_less() -> None:
    async with meeting(lists={"most_ids": 25}) as (stage, client):
        await client.most_at_once(await sampled(stage, client))
        ids = await prepared(stage, 80)
        sizes, came = [], []
        for _ in range(4):
            sizes.append(await client.most_at_once())
            came.append(len(await client.read_many(ids[: sizes[-1]], Purpose.read)))
        assert (sizes, came) == ([20, 40, 20, 40], [20, 25, 20, 25])


async def test_many_are_bought_by_one_call_and_each_is_charged_once() -> None:
    async with meeting() as (stage, client):
        ids = await prepared(stage, 3)
        found = await client.read_many(ids, Purpose.read)
        await buy(client, *map(courier, found.values()))
        await stage.advance(1)
        assert {one.status for one in (await client.read_many(ids, Purpose.confirm)).values()} == {"confirmed"}
        assert sorted(await stage.charges()) == [(one, "13.50") for one in ids]


@pytest.mark.parametrize("refusals", ["named", "unnamed"])
async def test_who_is_the_reason_of_a_refusal_is_understood_where_it_is_said(refusals: str) -> None:
    async with meeting(purchases={"bulk_refusals": refusals}) as (stage, client):
        ids = await prepared(stage, 3)
        choices = [courier(one) for one in (await client.read_many(ids, Purpose.read)).values()]
        await buy(client, choices[1])
        with pytest.raises(CarrierRefused) as caught:
            await buy(client, *choices)
        named = {choices[1].shipment} if refusals == "named" else set()
        assert (caught.value.key, caught.value.status, set(caught.value.items)) == ("offer_unavailable", 400, named)


async def test_an_offer_of_another_shipment_is_named_in_any_case() -> None:
    async with meeting() as (stage, client):
        first, second = (await client.read_many(await prepared(stage, 2), Purpose.read)).values()
        with pytest.raises(CarrierRefused) as caught:
            await buy(client, courier(first), Choice(second.id, courier(first).offer))
        assert (caught.value.key, caught.value.items) == ("validation_failed", frozenset({second.id}))


@pytest.mark.parametrize(("empty_edit", "comments"), [("renew", None), ("refuse", "proszę dzwonić")])
async def test_offers_are_made_anew_whichever_edit_the_carrier_takes(empty_edit: str, comments: str | None) -> None:
    async with meeting(purchases={"empty_edit": empty_edit}) as (stage, client):
        [shipment] = await prepared(stage, comments=comments)
        before = await client.read(shipment)
        await client.regenerate(shipment)
        await stage.advance(1)
        after = await client.read(shipment)
        assert {one.offer_id for one in after.offers}.isdisjoint(one.offer_id for one in before.offers)
        assert (await stage.read(shipment))["comments"] == comments


async def test_what_was_created_is_found_page_by_page_though_new_ones_come_late() -> None:
    async with meeting(delays={"list_lag": 5.0}) as (stage, client):
        old = await prepared(stage, 2)
        await stage.advance(60)
        since = stage.clock.now()
        new = await prepared(stage, 101)
        assert (await client.created_since(since, 1)).count == 0
        await stage.advance(5)
        pages = [await client.created_since(since, number) for number in (1, 2)]
        assert [(len(one.shipments), one.count, one.unread, one.is_last) for one in pages] == [
            (100, 101, 0, False),
            (1, 101, 0, True),
        ]
        assert [one.id for page in pages for one in page.shipments] == new
        everything = await client.created_since(since - timedelta(hours=1), 1)
        assert [one.id for one in everything.shipments[:2]] == old
        assert everything.shipments[0] == await client.read(old[0])
