"""What is told beside reads and calls: decisions, new offers, orders, calls for many, budgets, pauses, polls."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import pytest
from pydantic_core import to_json

from bridge.events.cloudevents import Envelope
from bridge.inspection.document import document
from bridge.inspection.outlook import outlook
from bridge.inspection.timeline import timeline
from bridge.limits.pause import AccountReason
from bridge.model import ShipmentId
from bridge.purchasing.hand import Account
from bridge.store.approvals import SqlApprovals
from bridge.store.budget import Caps
from bridge.store.connections import SqlConnections, shipx
from bridge.store.database import ManagedDatabase
from bridge.store.facts import Recorder
from bridge.store.orders import Order
from bridge.store.outlook import Errand, Take
from bridge.store.refusals import pause_account
from bridge.store.story import Story, sources, story
from tests.contract.store.round import Round, rounds
from tests.contract.store.shop import ORGANIZATION, POLICY, SETTLE, Shop, shop
from tests.support.carrier import DRAFT
from tests.support.purchases import hand

PERSONAL = [DRAFT["receiver"][key] for key in ("email", "phone")] + ["anna@example.com", "Kowalska", "888000000"]


async def tell(opened: Shop | Round, shipment: ShipmentId) -> Story:
    name = f"shipment/{shipment}"
    [source] = await opened.database.read(lambda it: sources(it, name))
    return await opened.database.read(lambda it: story(it, source, name))


async def said(opened: Shop | Round, shipment: ShipmentId, *kinds: str) -> list[str]:
    return [one.text for one in timeline(await tell(opened, shipment)) if one.kind in kinds]


async def ready(opened: Shop, *, n: int = 1) -> list[ShipmentId]:
    """Have purchases wanted whose offers can be bought."""
    created = [await opened.create() for _ in range(n)]
    await opened.simulator.advance(0.5)
    await opened.receive()
    return created


def limited(opened: Shop, caps: Caps) -> None:
    """Let so much be bought from now on."""
    old = opened.account
    opened.account = Account(old.carrier, replace(old.terms, caps=caps))


async def test_a_decision_is_told_between_the_read_it_follows_from_and_the_call(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        [shipment] = await ready(opened)
        await opened.work()
        found = timeline(await tell(opened, shipment))
        kinds = [one.kind for one in found if one.kind in ("read", "decision", "call")]
        assert kinds == ["read", "decision", "call"]
        [decided] = [one for one in found if one.kind == "decision"]
        assert decided.text.startswith("rule default: buy offer 1700000001 at 12.99 PLN, ")
        assert f"not taken: 1700000002 service_not_listed; policy {POLICY.sha256[:12]}" in decided.text
        assert decided.details["policy_sha256"] == POLICY.sha256
        assert [one["offer_id"] for one in decided.details["offers"]] == [1700000001, 1700000002]


async def test_a_decision_that_nobody_can_read_any_more_is_told_all_the_same(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        [shipment] = await ready(opened)
        await opened.work()
        await opened.change("UPDATE decisions SET body = '{}'")
        assert await said(opened, shipment, "decision") == [f"cannot be read any more; policy {POLICY.sha256[:12]}"]


async def test_offers_that_are_made_anew_are_a_call_with_how_it_ended(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        [shipment] = await ready(opened)
        await opened.simulator.advance(301)
        await opened.work()
        assert await said(opened, shipment, "call") == ["have the expired offers made anew: accepted; still wanted"]
        told = await tell(opened, shipment)
        assert told.purchase is not None
        assert told.purchase.regenerations == 1


async def test_each_order_names_who_gave_it_and_by_which_command(database: ManagedDatabase) -> None:
    async with shop(database, "approve") as opened:
        [shipment] = await ready(opened)
        await opened.work()
        approvals = SqlApprovals(Recorder(Envelope("test")))
        for key, act in (("k-1", approvals.retry), ("k-2", approvals.hold), ("k-3", approvals.retry)):
            order = Order(shipment, ORGANIZATION, "anna-token", key)
            await database.write(partial(act, order=order, now=opened.now))
        assert await said(opened, shipment, "person") == [
            "anna-token, command k-1: retried; held -> wanted",
            "anna-token, command k-2: held (by_person); wanted -> held",
            "anna-token, command k-3: retried; held -> wanted",
        ]


BUDGETS = [
    (
        Caps(0),
        "would buy (budget_exhausted: more than may be bought in a day); wanted -> declined",
        ["rule default: buy offer 1700000001 at 12.99 PLN"],
    ),
    (Caps(9, per_minute=0), "would buy (too_many_a_minute: more than may be bought in a minute); still wanted", []),
]


@pytest.mark.parametrize(("caps", "expected", "decisions"), BUDGETS)
async def test_what_the_budget_does_not_allow_is_told_with_what_would_have_been_bought(
    caps: Caps, expected: str, decisions: list[str], database: ManagedDatabase
) -> None:
    async with shop(database) as opened:
        [shipment] = await ready(opened)
        limited(opened, caps)
        await opened.work()
        assert await said(opened, shipment, "read") == [f"offers_prepared, no payments: {expected}"]
        assert [text.partition(",")[0] for text in await said(opened, shipment, "decision")] == decisions


async def test_a_call_for_many_says_for_how_many(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        many = await ready(opened, n=3)
        [alone] = await ready(opened)
        await opened.change(f"UPDATE purchases SET due_at = due_at + 60000000 WHERE shipment = {alone}")
        [batch] = (await opened.purchases.claim(lambda _: [Take(Errand.buy, 3)], opened.now)).batches
        await hand(opened.purchases, opened.account, lambda: opened.now).handle(batch)
        await opened.change(f"UPDATE purchases SET due_at = due_at - 60000000 WHERE shipment = {alone}")
        await opened.simulator.advance(0.1)
        await opened.work()
        for shipment in many:
            [call] = await said(opened, shipment, "call")
            assert ", one of 3 by one call: accepted; intended -> doubt" in call
        [call] = await said(opened, alone, "call")
        assert "by one call" not in call


async def test_a_pause_that_fell_into_its_time_is_told_and_what_ends_it(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        [shipment] = await ready(opened)
        recorder = Recorder(Envelope("test"))
        connections = SqlConnections(database, recorder)
        name = shipx(ORGANIZATION)
        await connections.prepare([name])
        await database.write(lambda it: connections.pause(it, name, reason="operator", by="anna-token"))
        told = await tell(opened, shipment)
        assert [one.text for one in timeline(told) if one.kind == "pause"] == [
            "nothing more is bought for the account: operator"
        ]
        [paused, *_] = outlook(told, opened.now, SETTLE)
        assert paused.startswith("nothing is bought for its account: operator, by anna-token, since ")
        assert paused.endswith(f"; `bridge connections resume {name}` ends it, and nothing else does")
        await database.write(lambda it: connections.resume(it, name))
        await database.write(lambda it: pause_account(it, recorder, ORGANIZATION, AccountReason.debt_collection))
        told = await tell(opened, shipment)
        texts = [one.text for one in timeline(told) if one.kind == "pause"]
        assert [text.partition(", since")[0] for text in texts] == [
            "nothing more is bought for the account: operator",
            "the account's pause is over: operator",
            "nothing more is bought for the account: debt_collection",
        ]
        assert "it ends by itself when a try succeeds, the next one " in outlook(told, opened.now, SETTLE)[0]


async def test_a_pause_after_its_purchase_had_ended_is_not_its(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        [shipment] = await ready(opened)
        for _ in range(3):
            await opened.live(1)
        connections = SqlConnections(database, Recorder(Envelope("test")))
        await connections.prepare([shipx(ORGANIZATION)])
        await database.write(lambda it: connections.pause(it, shipx(ORGANIZATION), reason="operator", by="x"))
        told = await tell(opened, shipment)
        assert (told.purchase is not None and told.purchase.state, told.pauses) == ("succeeded", [])


async def test_what_asking_found_says_so_and_when_it_is_asked_about_again(database: ManagedDatabase) -> None:
    async with rounds(database) as stage:
        shipment = await stage.create(service="inpost_locker_standard")
        await stage.live(16)
        told = await tell(stage, shipment)
        events = [one for one in timeline(told) if one.kind == "event"]
        assert events
        assert all(one.text.endswith("found by asking") for one in events)
        assert all(one.details["found_by_asking"] for one in events)
        next_ = outlook(told, stage.now, SETTLE)
        assert (
            next_[0] == "nothing: somebody else bought it, as a read showed: offer 1700000001 (inpost_locker_standard)"
        )
        assert next_[1].startswith("whether or not webhooks come, the carrier is asked about it at ")


async def test_what_a_webhook_or_a_purchase_told_is_not_found_by_asking(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        [shipment] = await ready(opened)
        for _ in range(3):
            await opened.live(1)
        events = [one for one in timeline(await tell(opened, shipment)) if one.kind == "event"]
        assert {one.details["data"]["evidence"] for one in events} == {"webhook", "carrier"}
        assert not any(one.details["found_by_asking"] for one in events)


async def test_a_purchase_that_was_asked_for_of_a_shipment_nobody_told_of_is_known(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        approvals = SqlApprovals(Recorder(Envelope("test")))
        order = Order(ShipmentId(17), None, "anna-token", "k-1")
        await database.write(lambda it: approvals.buy(it, order, [ORGANIZATION], opened.now))
        told = await tell(opened, ShipmentId(17))
        assert [one.text for one in timeline(told)] == ["anna-token, command k-1: asked for; none -> wanted"]
        assert document(told, opened.now, SETTLE)["state"] == "unknown"


async def test_the_document_tells_how_it_stands_and_of_no_person(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        [shipment] = await ready(opened)
        before = document(await tell(opened, shipment), opened.now, SETTLE)
        assert before["state"] == "created"
        for _ in range(40):
            await opened.live(2)
        written = to_json(document(await tell(opened, shipment), opened.now, SETTLE))
        after = json.loads(written)
        assert (after["state"], after["purchase"]["state"]) == ("bought", "succeeded")
        assert after["purchase"]["price"] == {"amount": "12.99", "currency": "PLN"}
        assert after["tracking"]["tracking_status"] == "delivered"
        assert after["tracking"]["tracking_number"]
        assert after["tracking"]["statuses"][-1]["carrier_status"] == "delivered"
        assert {"delivery", "read", "decision", "call", "event"} <= {one["kind"] for one in after["timeline"]}
        assert all(one["text"] and one["at"] for one in after["timeline"])
        assert not [word for word in PERSONAL if word.encode() in written]
