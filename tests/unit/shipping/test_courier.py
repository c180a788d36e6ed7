"""A courier is ordered once, whatever becomes of the calls and of the process that orders."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from bridge.model import CommandState, Standing
from bridge.store.commands import MOST_ATTEMPTS
from tests.unit.purchasing.stage import ORGANIZATION, Points
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time
from tests.unit.shipping.couriers import ADDRESS, CREATE, ORDERS, at_carrier, bought, couriers, order, orders, told
from tests.unit.shipping.stage import Stage, places

UNANSWERED = ["lost", "crashed", "hung_up", "cut", "page"]
"""The carrier did it, and nobody heard."""
UNDONE = ["dropped", "unavailable", "failed"]
"""The carrier never heard of it; nobody can tell."""


def test_an_order_is_made_and_its_number_is_stored_and_told() -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            stage.start()
            shipments = await bought(stage)
            await order(stage, shipments, comment="rampa nr 3", office_hours="8-16", name="Jan", phone="500100200")
            result = await stage.done(CREATE)
            [number] = orders(stage)
            assert {key: result[key] for key in ("dispatch_order_id", "organization_id", "state", "shipments")} == {
                "dispatch_order_id": number,
                "organization_id": ORGANIZATION,
                "state": "open",
                "shipments": shipments,
            }
            [(kind, event)] = told(stage, number)
            assert (kind, event["source"], event["subject"]) == (
                "dispatch_order.created",
                f"/shipx/{ORGANIZATION}",
                f"dispatch_order/{number}",
            )
            assert (event["causationid"], event["data"]["carrier_status"]) == ("one", "new")
            assert event["data"]["shipments"] == shipments
            assert stage.disk.rows("SELECT id, state, command FROM dispatch_orders") == [(number, "open", "one")]

    in_virtual_time(story())


@pytest.mark.parametrize("kind", [*UNANSWERED, *UNDONE, "limited"])
def test_whatever_becomes_of_the_answer_one_courier_is_ordered(kind: str) -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            stage.start()
            shipments = await bought(stage)
            await stage.fault(kind, method="POST", path=ORDERS)
            await order(stage, shipments)
            result = await stage.done(CREATE)
            assert [result["dispatch_order_id"]] == orders(stage)
            assert [kind for kind, _ in told(stage, result["dispatch_order_id"])] == ["dispatch_order.created"]

    in_virtual_time(story())


@pytest.mark.parametrize("kind", [None, "hung_up", "dropped"])
def test_wherever_a_process_dies_one_courier_is_ordered(kind: str | None) -> None:
    names = in_virtual_time(_dying(kind, Points()))
    assert {"before POST", "before a commit", "after a commit"} <= set(names)
    for at in places(names):
        in_virtual_time(_dying(kind, Points(at)))


async def _dying(kind: str | None, points: Points) -> list[str]:
    async with Stage(couriers).open() as stage:
        shipments = await bought(stage)
        stage.start(points)
        if kind is not None:
            await stage.fault(kind, method="POST", path=ORDERS)
        await order(stage, shipments)
        result = await stage.done(CREATE)
        assert [result["dispatch_order_id"]] == orders(stage)
        [(kind_told, event)] = told(stage, result["dispatch_order_id"])
        assert (kind_told, event["causationid"]) == ("dispatch_order.created", "one")
        await pass_time(1)
    return points.names


def test_what_the_carrier_does_not_take_is_told_by_shipment() -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            stage.start()
            first, second = await bought(stage)
            await order(stage, [second], "first")
            await stage.done(CREATE, "first")
            await order(stage, [first, second])
            standing = await stage.ended(CREATE)
            assert _refusal(standing) == ("carrier-refused", [("shipments.1", "already_dispatched")])
            assert len(orders(stage)) == 1

    in_virtual_time(story())


def test_a_refusal_is_told_with_its_reason_though_there_is_no_number() -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            stage.start()
            await order(stage, [123456789])
            assert (await stage.ended(CREATE)).state is CommandState.rejected
            [(kind, body)] = stage.disk.rows("SELECT type, body FROM events")
            event = json.loads(body)
            assert (kind, event["causationid"]) == ("dispatch_order.failed", "one")
            assert event["data"] == {
                "organization_id": ORGANIZATION,
                "shipments": [123456789],
                "evidence": "carrier",
                "current": True,
                "dispatch_order_id": None,
                "reason": "refused",
                "carrier_error": "validation_failed",
            }

    in_virtual_time(story())


def test_what_never_arrives_is_sent_three_times_and_then_nobody_knows() -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            stage.start()
            shipments = await bought(stage)
            await stage.fault("dropped", method="POST", path=ORDERS, times=3)
            await order(stage, shipments)
            standing = await stage.ended(CREATE, seconds=3 * 600)
            assert (standing.state, orders(stage)) == (CommandState.unknown, [])
            [(kind, body)] = stage.disk.rows("SELECT type, body FROM events")
            assert (kind, json.loads(body)["data"]["reason"]) == ("dispatch_order.failed", "unknown")

    in_virtual_time(story())


def test_a_courier_that_no_list_shows_may_be_coming_though_a_repeat_is_refused() -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            stage.start()
            shipments = await bought(stage)
            await stage.fault("hung_up", method="POST", path=ORDERS)
            await order(stage, shipments)
            await pass_time(1)
            [number] = orders(stage)
            at_carrier(stage, number).created_at -= timedelta(hours=1)  # the lists show it as somebody else's
            assert (await stage.ended(CREATE)).state is CommandState.unknown
            assert orders(stage) == [number]
            [(kind, body)] = stage.disk.rows("SELECT type, body FROM events")
            assert (kind, json.loads(body)["data"]["reason"]) == ("dispatch_order.failed", "unknown")

    in_virtual_time(story())


def test_it_is_not_believed_to_be_absent_before_five_minutes() -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            stage.start()
            shipments = await bought(stage)
            await stage.fault("dropped", method="POST", path=ORDERS)
            await order(stage, shipments)
            await pass_time(5 * 60)
            assert orders(stage) == []
            await stage.done(CREATE)
            assert len(orders(stage)) == 1

    in_virtual_time(story())


def test_a_key_that_is_given_again_after_its_command_is_forgotten_orders_anew() -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            stage.start()
            first, second = await bought(stage)
            await order(stage, [first])
            before = await stage.done(CREATE)
            with stage.disk.writing(stage.clock) as transaction:
                transaction.run("DELETE FROM commands", ())
            await order(stage, [second])
            after = await stage.done(CREATE)
            assert orders(stage) == [before["dispatch_order_id"], after["dispatch_order_id"]]
            assert after["shipments"] == [second]

    in_virtual_time(story())


def test_one_that_every_process_died_of_is_told_as_unknown() -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            shipments = await bought(stage)
            await order(stage, shipments)
            with stage.disk.writing(stage.clock) as transaction:
                transaction.run("UPDATE commands SET state = 'running', attempts = ?", (MOST_ATTEMPTS,))
            stage.start()
            assert (await stage.ended(CREATE)).state is CommandState.unknown
            [(kind, body)] = stage.disk.rows("SELECT type, body FROM events")
            event = json.loads(body)
            assert (kind, event["data"]["reason"], event["causationid"]) == ("dispatch_order.failed", "unknown", "one")
            assert orders(stage) == []

    in_virtual_time(story())


def test_an_order_of_other_shipments_or_of_another_command_is_not_taken_for_it() -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            stage.start()
            first, second, third = await bought(stage, 3)
            by_hand = await stage.merchant.post(ORDERS, json={"shipments": [first], "address": ADDRESS})
            await order(stage, [second], "other")
            other = (await stage.done(CREATE, "other"))["dispatch_order_id"]
            await stage.fault("hung_up", method="POST", path=ORDERS)
            await order(stage, [third])
            result = await stage.done(CREATE)
            assert result["dispatch_order_id"] not in (by_hand.json()["id"], other)
            assert at_carrier(stage, result["dispatch_order_id"]).shipments[0].id == third

    in_virtual_time(story())


def test_while_the_carrier_is_left_alone_nothing_is_sent_and_the_key_stays_free() -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            worker = stage.start()
            shipments = await bought(stage)
            await stage.fault("dropped", method="GET", times=1000)
            for _ in range(10):
                with pytest.raises(Exception, match=r"."):
                    await worker.parts.client.read(1)  # type: ignore[arg-type]
            await order(stage, shipments)
            standing = await stage.ended(CREATE)
            assert (standing.state, orders(stage)) == (CommandState.withdrawn, [])
            assert standing.result == {"problem": "nothing-sent"}

    in_virtual_time(story())


def test_an_organization_that_is_not_here_is_told_by_its_field_and_the_key_stays_free() -> None:
    async def story() -> None:
        async with Stage(couriers).open() as stage:
            stage.start()
            shipments = await bought(stage)
            await order(stage, shipments, organization_id=4822)
            standing = await stage.ended(CREATE)
            assert (standing.state, standing.error) == (
                CommandState.withdrawn,
                "organization_id: there is no such organization here that has a token",
            )
            await order(stage, shipments)
            assert [(await stage.done(CREATE))["dispatch_order_id"]] == orders(stage)

    in_virtual_time(story())


def _refusal(standing: Standing) -> tuple[object, list[tuple[str, str]]]:
    assert standing.state is CommandState.rejected
    result: Any = standing.result
    return result["problem"], [(one["field"], one["code"]) for one in result["errors"]]
