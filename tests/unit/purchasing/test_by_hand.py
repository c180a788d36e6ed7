"""What a person ordered is bought, that and nothing else, once; and what a person selected is decided about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest

from bridge.events.cloudevents import Envelope
from bridge.model import OfferId, ShipmentId
from bridge.purchasing.policy import Policy
from bridge.purchasing.terms import Mode
from bridge.store import creations
from bridge.store.approvals import SqlApprovals
from bridge.store.budget import Caps
from bridge.store.facts import Recorder
from bridge.store.listed import Listed
from bridge.store.orders import Order, Refused
from bridge.store.steering import SqlSteering, Steer
from bridge.store.wanting import WINDOW, want_created
from tests.unit.purchasing.invariants import check_told
from tests.unit.purchasing.policy.making import policy as policy_of
from tests.unit.purchasing.policy.making import preferring, rule
from tests.unit.purchasing.stage import ORGANIZATION, Points, Stage
from tests.unit.purchasing.troubles import answered, refused
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time

LOCKER, COURIER = "inpost_locker_standard", "inpost_courier_standard"
ONLY_COURIERS = preferring(COURIER)


async def offers(stage: Stage, shipment: ShipmentId) -> dict[str, OfferId]:
    """Give the numbers of what is on offer, by service."""
    found = (await stage.merchant.get(f"/v1/shipments/{shipment}")).json()["offers"]
    return {offer["service"]["id"]: OfferId(offer["id"]) for offer in found}


async def pick(stage: Stage, shipment: ShipmentId, offer: OfferId, cause: str = "c-1") -> Listed | Refused:
    """Order an offer to be bought."""
    order, approvals = Order(shipment, ORGANIZATION, "Ewa", cause), SqlApprovals(Recorder(Envelope("test")))
    return await stage.write(lambda it: approvals.pick(it, order, offer, [ORGANIZATION], stage.clock.now()))


async def renew(stage: Stage, shipment: ShipmentId) -> Listed | Refused:
    """Have offers made anew."""
    order, approvals = Order(shipment, ORGANIZATION, "Ewa", "c-1"), SqlApprovals(Recorder(Envelope("test")))
    return await stage.write(lambda it: approvals.renew(it, order, [ORGANIZATION], stage.clock.now()))


async def select(stage: Stage, shipment: ShipmentId, offer: OfferId) -> None:
    """Have an offer selected, as the command does whose call is answered."""
    answer = await stage.merchant.post(f"/v1/shipments/{shipment}/select_offer", json={"offer_id": offer})
    assert answer.is_success
    steer = Steer(Order(shipment, ORGANIZATION, "Ewa", "s-1"), ORGANIZATION, "select", offer)
    steering, now = SqlSteering(Recorder(Envelope("test"))), stage.clock.now()
    await stage.write(lambda it: steering.take(it, steer, now))
    await stage.write(lambda it: steering.selected(it, steer, now + WINDOW, now))


def bought(stage: Stage, shipment: ShipmentId) -> list[int | None]:
    """List which offers of a shipment were paid for."""
    return [one.offer_id for one in stage.simulator.world.ledger.charges if one.shipment_id == shipment]


def held(stage: Stage, shipment: ShipmentId, reason: str) -> None:
    """Have its purchase held."""
    stage.want(shipment)
    with stage.disk.writing(stage.clock) as transaction:
        transaction.run("UPDATE purchases SET state = 'held', reason = ?", (reason,))


@pytest.mark.parametrize("mode", ["auto", "approve"])
@pytest.mark.parametrize("reason", [None, "approval_required", "by_person", "never asked for"])
def test_the_offer_that_was_ordered_is_bought_whatever_the_policy_would_choose(mode: Mode, reason: str | None) -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            chosen = (await offers(stage, shipment))[LOCKER]
            if reason is None:
                stage.want(shipment)
            elif reason != "never asked for":
                held(stage, shipment, reason)
            assert isinstance(await pick(stage, shipment, chosen), Listed)
            stage.start(mode=mode, policy=ONLY_COURIERS)
            assert await stage.settled(shipment) == "succeeded"
            assert bought(stage, shipment) == [chosen]
            [told] = [one for one in stage.told(shipment) if one.type == "offer_selected"]
            assert (told.facet, told.data["offer_id"]) == ("by_person", chosen)
            assert {one["reason"] for one in told.data["rejected"]} == {"not_chosen"}

    in_virtual_time(story())


@pytest.mark.parametrize("kind", ["lost", "crashed", "hung_up", "cut", "page", "dropped", "unavailable", "failed"])
def test_whatever_becomes_of_the_answer_it_is_paid_for_once(kind: str) -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            chosen = (await offers(stage, shipment))[LOCKER]
            await stage.merchant.post("/_control/faults", json={"kind": kind, "method": "POST", "path": "*/buy"})
            await pick(stage, shipment, chosen)
            stage.start(mode="approve")
            assert await stage.settled(shipment) == "succeeded"
            assert bought(stage, shipment) == [chosen]

    in_virtual_time(story())


def test_wherever_a_process_dies_it_is_paid_for_once() -> None:
    names = in_virtual_time(_dying(Points()))
    for at in range(1, len(names) + 1):
        in_virtual_time(_dying(Points(at)))


async def _dying(points: Points) -> list[str]:
    async with Stage().open() as stage:
        shipment = await stage.create()
        chosen = (await offers(stage, shipment))[LOCKER]
        await pick(stage, shipment, chosen)
        stage.start(points, policy=ONLY_COURIERS)
        assert await stage.settled(shipment) == "succeeded"
        assert bought(stage, shipment) == [chosen]
    return points.names


def test_in_a_dry_run_it_is_held_and_the_order_is_over() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            await pick(stage, shipment, (await offers(stage, shipment))[LOCKER])
            stage.start(mode="dry_run")
            assert (await stage.settled(shipment), stage.reason(shipment)) == ("held", "dry_run")
            assert stage.disk.rows("SELECT ordered_offer FROM purchases") == [(None,)]

    in_virtual_time(story())


def test_the_caps_hold_for_it_too() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            first, second = await stage.create(), await stage.create()
            for shipment in (first, second):
                await pick(stage, shipment, (await offers(stage, shipment))[LOCKER], f"c-{shipment}")
            stage.start(caps=Caps(per_day=1))
            states = [await stage.settled(shipment) for shipment in (first, second)]
            assert sorted(states) == ["declined", "succeeded"]
            assert len(stage.charges()) == 1

    in_virtual_time(story())


def test_an_offer_that_ran_out_is_not_replaced_by_another() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            chosen = (await offers(stage, shipment))[LOCKER]
            await pass_time(299)
            await pick(stage, shipment, chosen)
            await pass_time(5)
            stage.start()
            assert (await stage.settled(shipment), stage.reason(shipment)) == ("declined", "none_available")
            [told] = [one for one in stage.told(shipment) if one.type == "offer_selection_failed"]
            assert {"offer_id": chosen, "reason": "expired"} in told.data["rejected"]
            assert (stage.charges(), stage.calls("/buy")) == ([], 0)

    in_virtual_time(story())


@pytest.mark.parametrize("what", ["gone", "ran out", "too dear", "refused", "not paid", "unreachable"])
def test_an_ordered_offer_that_cannot_be_bought_leaves_what_was_held_held(what: str) -> None:
    async def story() -> None:
        async with Stage(funds="1.00" if what == "not paid" else "1000.00").open() as stage:
            shipment = await stage.create()
            chosen = (await offers(stage, shipment))[LOCKER]
            held(stage, shipment, "by_person")
            if what == "refused":
                stage.troubles["POST"] = [refused("offer_unavailable")] * 20
            if what == "unreachable":
                stage.troubles["GET"] = [answered(502)] * 500
            if what == "ran out":
                await pass_time(299)
            await pick(stage, shipment, OfferId(17) if what == "gone" else chosen)
            await pass_time(5 if what == "ran out" else 0)
            stage.start(caps=Caps(per_day=0 if what == "too dear" else 1000))
            assert (await stage.settled(shipment, seconds=1800), stage.reason(shipment)) == ("held", "by_person")
            assert stage.disk.rows("SELECT ordered_offer, steered_from FROM purchases") == [(None, None)]
            stage.troubles.clear()
            stage.want(shipment, cause="another")
            await pass_time(60)
            assert (stage.state(shipment), stage.charges()) == ("held", [])
            check_told(stage.told(shipment))

    in_virtual_time(story())


def test_a_hold_ends_with_the_purchase_of_the_offer_that_was_ordered() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            chosen = (await offers(stage, shipment))[LOCKER]
            held(stage, shipment, "by_person")
            stage.troubles["POST"] = [answered(429, retry_after="2"), answered(502), refused("offer_unavailable")]
            await pick(stage, shipment, chosen)
            stage.start()
            assert (await stage.settled(shipment), stage.reason(shipment)) == ("succeeded", None)
            assert bought(stage, shipment) == [chosen]

    in_virtual_time(story())


def test_an_order_ends_with_its_purchase_and_the_policy_decides_about_what_comes_then() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            await pick(stage, shipment, OfferId(17))
            stage.start(policy=ONLY_COURIERS)
            assert await stage.settled(shipment) == "declined"
            stage.want(shipment, cause="another")
            assert await stage.settled(shipment) == "succeeded"
            assert bought(stage, shipment) == [(await offers(stage, shipment))[COURIER]]

    in_virtual_time(story())


def test_of_two_orders_the_later_one_counts_until_it_is_being_bought() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            found = await offers(stage, shipment)
            assert isinstance(await pick(stage, shipment, found[LOCKER], "one"), Listed)
            assert isinstance(await pick(stage, shipment, found[COURIER], "two"), Listed)
            stage.start()
            assert await stage.settled(shipment) == "succeeded"
            assert isinstance(await pick(stage, shipment, found[LOCKER], "three"), Refused)
            assert bought(stage, shipment) == [found[COURIER]]

    in_virtual_time(story())


def test_what_the_carrier_is_about_to_buy_by_itself_is_waited_for() -> None:
    async def story() -> None:
        async with Stage(delays={"offers": 0.2}, purchase=3.0).open() as stage:
            shipment = await stage.create(service=LOCKER)
            chosen = next(iter((await offers(stage, shipment)).values()), OfferId(17))
            await pick(stage, shipment, chosen)
            stage.start()
            assert await stage.settled(shipment) == "succeeded"
            assert len(bought(stage, shipment)) == 1
            assert stage.calls("/buy") == 0

    in_virtual_time(story())


# -- selected by hand --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("is_here", "state"), [(True, "succeeded"), (False, "not_ours")], ids=["by a person here", "by somebody elsewhere"]
)
def test_what_is_selected_here_is_decided_about_and_what_is_selected_elsewhere_left_alone(
    is_here: bool, state: str
) -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            chosen = (await offers(stage, shipment))[COURIER]
            await stage.merchant.post(f"/v1/shipments/{shipment}/select_offer", json={"offer_id": chosen})
            stage.want(shipment)
            with stage.disk.writing(stage.clock) as transaction:
                transaction.run("UPDATE purchases SET selected_offer = ?", (chosen if is_here else None,))
            stage.start()
            assert await stage.settled(shipment) == state
            assert bought(stage, shipment) == ([chosen] if is_here else [])

    in_virtual_time(story())


@pytest.mark.parametrize(
    ("wait", "policy"),
    [(0, policy_of(rule("inpost_letter_allegro"))), (310, ONLY_COURIERS)],
    ids=["declined", "ran out"],
)
def test_what_a_person_holds_stays_held_whatever_becomes_of_what_they_selected(wait: float, policy: Policy) -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            chosen = (await offers(stage, shipment))[COURIER]
            await stage.merchant.post(f"/v1/shipments/{shipment}/select_offer", json={"offer_id": chosen})
            stage.want(shipment)
            with stage.disk.writing(stage.clock) as transaction:
                transaction.run(
                    "UPDATE purchases SET selected_offer = ?, reason = 'by_person', answer = 'asked'", (chosen,)
                )
            await pass_time(wait)
            stage.start(policy=policy)
            assert (await stage.settled(shipment), stage.reason(shipment)) == ("held", "by_person")
            assert (stage.charges(), edits(stage)) == ([], 0)

    in_virtual_time(story())


# -- made anew ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "mode", "after"),
    [
        (None, "auto", ("succeeded", None)),
        (None, "approve", ("held", "approval_required")),
        ("by_person", "auto", ("held", "by_person")),
        ("approval_required", "approve", ("held", "approval_required")),
    ],
)
def test_offers_are_made_anew_though_they_have_not_run_out(
    reason: str | None, mode: Mode, after: tuple[str, str | None]
) -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            old = set((await offers(stage, shipment)).values())
            await pass_time(30)
            if reason is not None:
                held(stage, shipment, reason)
            assert isinstance(await renew(stage, shipment), Listed)
            stage.start(mode=mode)
            assert (await stage.settled(shipment), stage.reason(shipment)) == after
            assert edits(stage) == 1
            assert old.isdisjoint((await offers(stage, shipment)).values())
            assert old.isdisjoint(bought(stage, shipment))

    in_virtual_time(story())


def test_wherever_a_process_dies_new_offers_are_made() -> None:
    names = in_virtual_time(_renewing(Points()))
    for at in range(1, len(names) + 1):
        in_virtual_time(_renewing(Points(at)))


async def _renewing(points: Points) -> list[str]:
    async with Stage().open() as stage:
        shipment = await stage.create()
        old = set((await offers(stage, shipment)).values())
        await pass_time(30)
        held(stage, shipment, "by_person")
        await renew(stage, shipment)
        stage.start(points)
        assert (await stage.settled(shipment), stage.reason(shipment)) == ("held", "by_person")
        assert old.isdisjoint((await offers(stage, shipment)).values())
        assert edits(stage) in (1, 2)
        assert stage.charges() == []
    return points.names


@dataclass
class Told(Points):
    """The places of a process, at one of which something is told to the bridge."""

    tells_at: int = 0
    tell: Callable[[], None] | None = None

    async def reach(self, name: str) -> None:
        if len(self.names) + 1 == self.tells_at and self.tell is not None:
            self.tell()
        await super().reach(name)


@pytest.mark.parametrize("is_selected", [False, True], ids=["refreshed", "selected"])
def test_whenever_a_webhook_tells_of_offers_what_a_person_holds_stays_held(is_selected: bool) -> None:
    names = in_virtual_time(_telling(Told(), is_selected=is_selected))
    for at in range(1, len(names) + 1):
        in_virtual_time(_telling(Told(tells_at=at), is_selected=is_selected))


async def _telling(points: Told, *, is_selected: bool) -> list[str]:
    async with Stage().open() as stage:
        shipment = await stage.create()
        points.tell = partial(stage.want, shipment, cause="meanwhile")
        held(stage, shipment, "by_person")
        if is_selected:
            await select(stage, shipment, (await offers(stage, shipment))[LOCKER])
        else:
            await renew(stage, shipment)
        stage.start(points)
        assert (await stage.settled(shipment), stage.reason(shipment)) == ("held", "by_person")
        await pass_time(20)
        assert (stage.state(shipment), stage.charges()) == ("held", [])
    return points.names


def test_nothing_is_bought_while_an_edit_may_leave() -> None:
    names = in_virtual_time(_picking(Told(freeze=4.0)))
    for at in range(1, len(names) + 1):
        in_virtual_time(_picking(Told(at, 4.0, tells_at=at)))


async def _picking(points: Told) -> list[str]:
    """An offer is picked while a process that makes offers anew stands still, and another one is there."""
    async with Stage().open() as stage:
        shipment = await stage.create()
        chosen = (await offers(stage, shipment))[LOCKER]
        await renew(stage, shipment)
        points.tell = partial(picked, stage, shipment, chosen)
        stage.start(points, mode="approve")
        stage.start(mode="approve")
        await stage.settled(shipment)
        await pass_time(10)
        calls = [one.method for one in stage.simulator.world.calls.after(0) if one.method in ("PUT", "POST")][1:]
        assert "PUT" not in calls[calls.index("POST") :] if "POST" in calls else True
        assert set(bought(stage, shipment)) <= {chosen}
    return points.names


def picked(stage: Stage, shipment: ShipmentId, offer: OfferId) -> None:
    """Order an offer to be bought, and a webhook tells of it, too."""
    order, approvals = Order(shipment, ORGANIZATION, "Ewa", "c-2"), SqlApprovals(Recorder(Envelope("test")))
    with stage.disk.writing(stage.clock) as transaction:
        approvals.pick(transaction, order, offer, [ORGANIZATION], stage.clock.now())
    stage.want(shipment, cause="meanwhile")


def edits(stage: Stage) -> int:
    """Count how often offers were asked for anew."""
    return sum(1 for call in stage.simulator.world.calls.after(0) if call.method == "PUT")


@pytest.mark.parametrize("state", ["intended", "doubt", "succeeded", "steered"])
def test_no_offers_are_made_anew_while_a_purchase_runs_or_where_one_was_made(state: str) -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.want(shipment)
            with stage.disk.writing(stage.clock) as transaction:
                transaction.run("UPDATE purchases SET state = ?", (state,))
            assert isinstance(await renew(stage, shipment), Refused)
            assert isinstance(await pick(stage, shipment, OfferId(17)), Refused)

    in_virtual_time(story())


# -- of shipments made here alone --------------------------------------------------------------------------------------


def joined(stage: Stage, shipment: ShipmentId) -> None:
    """Do what the answer to a creation does."""
    with stage.disk.writing(stage.clock) as transaction:
        creations.join(transaction, ORGANIZATION, "a-command", {0: shipment}, stage.clock.now())
        want_created(transaction, ORGANIZATION, [shipment], "a-command", stage.clock.now())


def test_of_shipments_made_here_purchases_are_made_unasked_and_others_are_held() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            mine, other = await stage.create(), await stage.create()
            joined(stage, mine)
            stage.want(mine, other)
            stage.start(only_created=True)
            assert await stage.settled(mine) == "succeeded"
            assert (await stage.settled(other), stage.reason(other)) == ("held", "not_created_by_bridge")

    in_virtual_time(story())


@pytest.mark.parametrize("late", [0.0, 200.0, 400.0])
def test_a_webhook_that_overtakes_the_answer_leaves_nothing_held(late: float) -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.want(shipment)
            stage.start(only_created=True)
            assert await stage.settled(shipment) == "held"
            await pass_time(late)
            joined(stage, shipment)
            assert await stage.settled(shipment) == "succeeded"
            assert len(stage.charges()) == 1

    in_virtual_time(story())


def test_a_creation_that_is_joined_while_it_is_decided_about_counts() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.want(shipment)
            slow = {"kind": "slow", "method": "GET", "seconds": [3, 3]}
            await stage.merchant.post("/_control/faults", json=slow)
            stage.start(only_created=True)
            await pass_time(1)
            assert stage.state(shipment) == "wanted"
            joined(stage, shipment)
            assert await stage.settled(shipment) == "succeeded"

    in_virtual_time(story())


def test_a_rule_that_asks_a_person_asks_for_shipments_made_here_too() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            joined(stage, shipment)
            stage.want(shipment)
            stage.start(
                only_created=True,
                policy=policy_of(rule(LOCKER, more='approve_above = { amount = "1.00", currency = "PLN" }')),
            )
            assert (await stage.settled(shipment), stage.reason(shipment)) == ("held", "approval_required")

    in_virtual_time(story())
