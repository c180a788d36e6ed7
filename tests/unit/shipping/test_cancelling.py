"""A shipment is cancelled once, and that is told only after it lasted, whatever becomes of calls and processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bridge.carriers.shipx.cancelling import ShipxCanceller
from bridge.commands.execute import Operation
from bridge.commands.models import CancelShipment
from bridge.model import CommandState, ShipmentId
from bridge.shipping.cancelling import Cancelling, Desk
from bridge.shipping.helm import Helm
from bridge.store.steering import SqlSteering
from tests.unit.purchasing.stage import ORGANIZATION, Points
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time
from tests.unit.shipping.stage import Parts, Stage
from tests.unit.shipping.test_selecting import UNANSWERED, UNDONE, journal, offered, row

CANCEL = CancelShipment.operation


def cancelling(parts: Parts) -> Mapping[str, Operation]:
    steering, clock = SqlSteering(parts.recorder), parts.stage.clock
    helm = Helm(parts.database, steering, parts.learning, clock, lambda: None)
    desk = Desk(ShipxCanceller(parts.client.asker), parts.client)
    return {CANCEL: Operation(Cancelling({ORGANIZATION: desk}, helm, steering, clock))}


async def give(stage: Stage, shipment: ShipmentId, key: str = "one") -> None:
    await stage.give(CANCEL, CancelShipment(shipment_id=shipment).canonical, key)


def status(stage: Stage, shipment: ShipmentId) -> str:
    found = stage.simulator.world.shipments.get(shipment)
    assert found is not None
    return found.status


def told(stage: Stage, shipment: ShipmentId) -> list[tuple[str, Any, str]]:
    """List what was told of cancelling it: type, reason and command."""
    return [
        (kind, event["data"].get("reason"), event["causationid"])
        for kind, event in stage.told(f"shipment/{shipment}")
        if kind in ("shipment.cancelled", "shipment.cancel_failed")
    ]


@pytest.mark.parametrize("state", [None, "state = 'wanted'", "state = 'held', reason = 'approval_required'"])
def test_a_shipment_is_cancelled_and_its_purchase_ends(state: str | None) -> None:
    async def story() -> None:
        async with Stage(cancelling).open() as stage:
            shipment, _ = await offered(stage, state=state)
            stage.start()
            await give(stage, shipment)
            result = await stage.done(CANCEL)
            assert (result["shipment_id"], result["state"]) == (shipment, "cancelled")
            assert status(stage, shipment) == "canceled"
            assert told(stage, shipment) == [("shipment.cancelled", None, "one")]
            kinds = [kind for kind, _ in stage.told(f"shipment/{shipment}")]
            assert kinds[-2:] == ["shipment.status_changed", "shipment.cancelled"]
            assert row(stage)[:2] == ("not_ours", "cancelled")
            assert journal(stage) == ["cancelling", "cancelled"]

    in_virtual_time(story())


def test_it_is_told_only_after_it_lasted() -> None:
    async def story() -> None:
        async with Stage(cancelling).open() as stage:
            shipment, _ = await offered(stage)
            stage.start()
            await give(stage, shipment)
            await pass_time(2)
            assert status(stage, shipment) == "canceled"
            assert told(stage, shipment) == []
            assert row(stage)[0] == "steered"
            await pass_time(6)
            assert len(told(stage, shipment)) == 1

    in_virtual_time(story())


@pytest.mark.parametrize("kind", [*UNANSWERED, *UNDONE, "limited"])
def test_whatever_becomes_of_the_answer_it_is_cancelled_and_that_is_told_once(kind: str) -> None:
    async def story() -> None:
        async with Stage(cancelling).open() as stage:
            shipment, _ = await offered(stage)
            stage.start()
            await stage.fault(kind, method="DELETE")
            await give(stage, shipment)
            await stage.done(CANCEL)
            assert status(stage, shipment) == "canceled"
            assert [one[0] for one in told(stage, shipment)] == ["shipment.cancelled"]

    in_virtual_time(story())


@pytest.mark.parametrize("kind", [None, "hung_up"])
def test_a_cancel_that_reads_do_not_show_at_once_is_waited_for(kind: str | None) -> None:
    async def story() -> None:
        hidden = {"hidden": {"share": 1, "of": ["cancel"], "seconds": [5, 5]}}
        async with Stage(cancelling, faults=hidden).open() as stage:
            shipment, _ = await offered(stage)
            stage.start()
            if kind is not None:
                await stage.fault(kind, method="DELETE")
            await give(stage, shipment)
            await stage.done(CANCEL)
            assert told(stage, shipment) == [("shipment.cancelled", None, "one")]

    in_virtual_time(story())


@pytest.mark.parametrize("kind", [None, "hung_up", "dropped"])
def test_wherever_a_process_dies_it_is_cancelled_and_told_once(kind: str | None) -> None:
    names = in_virtual_time(_dying(kind, Points()))
    assert {"before DELETE", "before a commit", "after a commit"} <= set(names)
    for at in range(1, len(names) + 1):
        in_virtual_time(_dying(kind, Points(at)))


async def _dying(kind: str | None, points: Points) -> list[str]:
    async with Stage(cancelling).open() as stage:
        shipment, _ = await offered(stage, state="state = 'wanted'")
        stage.start(points)
        if kind is not None:
            await stage.fault(kind, method="DELETE")
        await give(stage, shipment)
        await stage.done(CANCEL)
        assert status(stage, shipment) == "canceled"
        assert told(stage, shipment) == [("shipment.cancelled", None, "one")]
        assert row(stage)[:2] == ("not_ours", "cancelled")
    return points.names


def test_a_second_cancel_is_done_already_and_tells_nothing_new() -> None:
    async def story() -> None:
        async with Stage(cancelling).open() as stage:
            shipment, _ = await offered(stage)
            stage.start()
            await give(stage, shipment, "one")
            await stage.done(CANCEL, "one")
            await give(stage, shipment, "two")
            assert (await stage.done(CANCEL, "two"))["state"] == "cancelled"
            assert told(stage, shipment) == [("shipment.cancelled", None, "one")]
            assert len([call for call in stage.simulator.world.calls.after(0) if call.method == "DELETE"]) == 1

    in_virtual_time(story())


def test_what_somebody_else_cancelled_just_now_is_looked_at_until_it_lasts() -> None:
    async def story() -> None:
        async with Stage(cancelling).open() as stage:
            shipment, _ = await offered(stage)
            stage.start()
            await stage.merchant.delete(f"/v1/shipments/{shipment}")
            await give(stage, shipment)
            await pass_time(2)
            assert told(stage, shipment) == []
            await stage.done(CANCEL)
            assert told(stage, shipment) == [("shipment.cancelled", None, "one")]

    in_virtual_time(story())


def test_what_somebody_else_cancelled_and_the_carrier_overwrote_is_told_so_though_nothing_was_sent() -> None:
    async def story() -> None:
        async with Stage(cancelling).open() as stage:
            shipment, _ = await offered(stage)
            before = status(stage, shipment)
            stage.start()
            await stage.merchant.delete(f"/v1/shipments/{shipment}")
            await give(stage, shipment)
            await pass_time(0.5)
            moved = await stage.merchant.post(f"/_control/shipments/{shipment}/statuses", json={"status": before})
            assert moved.status_code == 200, moved.text
            standing = await stage.ended(CANCEL)
            assert (standing.result or {})["problem"] == "cancel-failed"
            assert told(stage, shipment)[-1][:2] == ("shipment.cancel_failed", "overwritten")

    in_virtual_time(story())


@pytest.mark.parametrize(
    ("offers", "reason", "after"),
    [(3.2, "overwritten", ("held", "by_person")), (1.2, "bought", ("succeeded", "adopted"))],
    ids=["seen cancelled before", "bought before it was looked at"],
)
def test_a_cancel_that_the_carriers_own_purchase_overwrites_has_failed(
    offers: float, reason: str, after: tuple[str, str]
) -> None:
    async def story() -> None:
        faults, delays = {"cancels_overwritten": {"share": 1}}, {"offers": offers, "answer": [0, 0]}
        async with Stage(cancelling, faults=faults, delays=delays).open() as stage:
            shipment, _ = await offered(stage, state="state = 'wanted'", service="inpost_locker_standard")
            stage.start()
            await give(stage, shipment)
            standing = await stage.ended(CANCEL)
            assert (standing.state, (standing.result or {})["problem"]) == (CommandState.rejected, "cancel-failed")
            assert told(stage, shipment) == [("shipment.cancel_failed", reason, "one")]
            assert row(stage)[:2] == after
            await pass_time(5)
            assert status(stage, shipment) == "confirmed"

    in_virtual_time(story())


def test_what_is_bought_is_refused_with_what_a_person_can_do() -> None:
    async def story() -> None:
        async with Stage(cancelling).open() as stage:
            shipment, (offer, *_) = await offered(stage, state="state = 'declined', reason = 'no_rule_match'")
            await stage.merchant.post(f"/v1/shipments/{shipment}/buy", json={"offer_id": offer})
            await pass_time(5)
            stage.start()
            await give(stage, shipment)
            standing = await stage.ended(CANCEL)
            assert (standing.result or {})["problem"] == "not-cancellable"
            assert "Manager" in (standing.error or "")
            assert "WebTrucker" in (standing.error or "")
            assert told(stage, shipment) == []
            assert row(stage)[:2] == ("declined", "no_rule_match")

    in_virtual_time(story())


@pytest.mark.parametrize("state", ["intended", "doubt", "steered"])
def test_while_a_purchase_is_made_or_in_doubt_nothing_is_cancelled(state: str) -> None:
    async def story() -> None:
        async with Stage(cancelling).open() as stage:
            shipment, _ = await offered(stage, state=f"state = '{state}'")
            stage.start()
            await give(stage, shipment)
            standing = await stage.ended(CANCEL)
            assert (standing.result or {})["problem"] == "in-other-hands"
            assert status(stage, shipment) == "offers_prepared"
            assert row(stage)[0] == state

    in_virtual_time(story())


def test_a_shipment_that_the_carrier_does_not_know_is_not_found() -> None:
    async def story() -> None:
        async with Stage(cancelling).open() as stage:
            stage.start()
            await give(stage, ShipmentId(17))
            standing = await stage.ended(CANCEL)
            assert (standing.state, (standing.result or {})["problem"]) == (CommandState.rejected, "not-found")

    in_virtual_time(story())


def test_while_the_carrier_is_away_nothing_is_sent_and_the_key_stays_free() -> None:
    async def story() -> None:
        async with Stage(cancelling).open() as stage:
            shipment, _ = await offered(stage, state="state = 'declined', reason = 'no_rule_match'")
            stage.start()
            await stage.fault("dropped", method="GET", times=1000)
            await give(stage, shipment)
            standing = await stage.ended(CANCEL)
            assert standing.state is CommandState.withdrawn
            assert row(stage)[:2] == ("declined", "no_rule_match")
            assert status(stage, shipment) == "offers_prepared"

    in_virtual_time(story())


def test_where_nobody_finds_out_that_is_told_and_nothing_is_bought() -> None:
    async def story() -> None:
        async with Stage(cancelling).open() as stage:
            shipment, _ = await offered(stage, state="state = 'wanted'")
            stage.start()
            await give(stage, shipment)
            await pass_time(2)
            await stage.fault("dropped", method="GET", times=100_000)
            standing = await stage.ended(CANCEL)
            assert standing.state is CommandState.unknown
            assert row(stage)[:2] == ("held", "by_person")

    in_virtual_time(story())
