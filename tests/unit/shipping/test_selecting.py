"""An offer is selected, and nothing is bought meanwhile, whatever becomes of calls and processes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bridge.carriers.shipx.choosing import ShipxChooser
from bridge.commands.execute import Operation
from bridge.commands.models import SelectOffer
from bridge.commands.refusing import refusal_of
from bridge.model import CommandState, DeliveryId, PurchaseWork, ShipmentId, Standing
from bridge.shipping.helm import Helm
from bridge.shipping.selecting import Selecting, Selector
from bridge.store.steering import SqlSteering
from bridge.store.wanting import WINDOW, want
from tests.unit.purchasing.stage import DRAFT, ORGANIZATION, Points
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time
from tests.unit.shipping.stage import Parts, Stage

SELECT = SelectOffer.operation
UNANSWERED = ["lost", "crashed", "hung_up", "cut", "page"]
"""The carrier did it, and nobody heard."""
UNDONE = ["dropped", "unavailable", "failed"]
"""The carrier never heard of it; nobody can tell."""
DEEDS = ["selecting", "selected"]


def selecting(parts: Parts) -> Mapping[str, Operation]:
    steering, clock = SqlSteering(parts.recorder), parts.stage.clock
    helm = Helm(parts.database, steering, parts.learning, clock, lambda: None)
    selector = Selector(ShipxChooser(parts.client.asker), parts.client)
    return {SELECT: Operation(Selecting({ORGANIZATION: selector}, helm, steering, clock))}


async def offered(stage: Stage, *, state: str | None = None, **changes: object) -> tuple[ShipmentId, list[int]]:
    """Have a shipment with its offers; `state` is how its purchase stands, if there is one."""
    answer = await stage.merchant.post(f"/v1/organizations/{ORGANIZATION}/shipments", json={**DRAFT, **changes})
    shipment = ShipmentId(answer.json()["id"])
    await pass_time(1)
    if state is not None:
        work = PurchaseWork(ORGANIZATION, shipment, stage.clock() + WINDOW, DeliveryId("a-delivery"))
        with stage.disk.writing(stage.clock) as transaction:
            want(transaction, [work], stage.clock())
            transaction.run(f"UPDATE purchases SET {state}")
    offers = (await stage.merchant.get(f"/v1/shipments/{shipment}")).json()["offers"]
    return shipment, [offer["id"] for offer in offers if offer["status"] == "available"]


async def give(stage: Stage, shipment: ShipmentId, offer: int, key: str = "one") -> None:
    await stage.give(SELECT, SelectOffer(shipment_id=shipment, offer_id=offer).canonical, key)


def error(standing: Standing) -> tuple[str, str]:
    """Give the one field that is wrong, and our word for what is."""
    [found] = refusal_of(standing).errors  # type: ignore[union-attr] # then there is nothing to unpack
    return found.field, found.code


def row(stage: Stage) -> tuple[object, ...]:
    """Say how the purchase stands: its state, why, and which offers a person selected and ordered."""
    [found] = stage.disk.rows("SELECT state, reason, selected_offer, ordered_offer FROM purchases")
    return tuple(found)


def journal(stage: Stage) -> list[str]:
    return [found[0] for found in stage.disk.rows("SELECT result FROM journal WHERE what = 'person' ORDER BY id")]


def selected(stage: Stage, shipment: ShipmentId) -> int | None:
    found = stage.simulator.world.shipments.get(shipment)
    assert found is not None
    return None if found.selected is None else found.selected.id


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (None, ("wanted", None)),
        ("state = 'wanted'", ("wanted", None)),
        ("state = 'held', reason = 'approval_required'", ("wanted", None)),
        ("state = 'held', reason = 'by_person'", ("wanted", "by_person")),
        ("state = 'declined', reason = 'price_above_max'", ("wanted", None)),
    ],
)
def test_an_offer_is_selected_and_decided_about_anew(state: str | None, after: tuple[str, str | None]) -> None:
    async def story() -> None:
        async with Stage(selecting).open() as stage:
            shipment, (offer, *_) = await offered(stage, state=state)
            stage.start()
            await give(stage, shipment, offer)
            result = await stage.done(SELECT)
            assert (result["shipment_id"], result["offer_id"]) == (shipment, offer)
            assert selected(stage, shipment) == offer
            assert row(stage) == (*after, offer, None)
            assert journal(stage) == DEEDS

    in_virtual_time(story())


@pytest.mark.parametrize("kind", [*UNANSWERED, *UNDONE, "limited"])
def test_whatever_becomes_of_the_answer_it_is_selected_and_that_is_told(kind: str) -> None:
    async def story() -> None:
        async with Stage(selecting).open() as stage:
            shipment, (offer, *_) = await offered(stage)
            stage.start()
            await stage.fault(kind, method="POST")
            await give(stage, shipment, offer)
            await stage.done(SELECT)
            assert selected(stage, shipment) == offer
            assert row(stage) == ("wanted", None, offer, None)

    in_virtual_time(story())


@pytest.mark.parametrize("kind", [None, "hung_up"])
def test_a_selection_that_reads_do_not_show_at_once_is_waited_for(kind: str | None) -> None:
    async def story() -> None:
        hidden = {"hidden": {"share": 1, "of": ["select"], "seconds": [5, 5]}}
        async with Stage(selecting, faults=hidden).open() as stage:
            shipment, (offer, *_) = await offered(stage)
            stage.start()
            if kind is not None:
                await stage.fault(kind, method="POST")
            await give(stage, shipment, offer)
            assert (await stage.done(SELECT))["offer_id"] == offer
            assert selected(stage, shipment) == offer

    in_virtual_time(story())


@pytest.mark.parametrize("kind", [None, "hung_up", "dropped"])
def test_wherever_a_process_dies_it_is_selected_and_let_go_of(kind: str | None) -> None:
    names = in_virtual_time(_dying(kind, Points()))
    assert {"before POST", "before a commit", "after a commit"} <= set(names)
    for at in range(1, len(names) + 1):
        in_virtual_time(_dying(kind, Points(at)))


async def _dying(kind: str | None, points: Points) -> list[str]:
    async with Stage(selecting).open() as stage:
        shipment, (offer, *_) = await offered(stage, state="state = 'wanted'")
        stage.start(points)
        if kind is not None:
            await stage.fault(kind, method="POST")
        await give(stage, shipment, offer)
        await stage.done(SELECT)
        assert selected(stage, shipment) == offer
        assert row(stage) == ("wanted", None, offer, None)
        assert journal(stage) == DEEDS
    return points.names


def test_an_offer_that_is_not_on_offer_is_told_by_its_field_and_nothing_is_touched() -> None:
    async def story() -> None:
        async with Stage(selecting).open() as stage:
            shipment, _ = await offered(stage, state="state = 'held', reason = 'approval_required'")
            stage.start()
            await give(stage, shipment, 17)
            standing = await stage.ended(SELECT)
            assert (standing.state, (standing.result or {})["problem"]) == (CommandState.withdrawn, "unprocessable")
            assert error(standing) == ("offer_id", "not_on_offer")
            assert row(stage) == ("held", "approval_required", None, None)

    in_virtual_time(story())


def test_an_offer_that_ran_out_is_told_by_its_field() -> None:
    async def story() -> None:
        async with Stage(selecting).open() as stage:
            shipment, (offer, *_) = await offered(stage)
            await pass_time(301)
            stage.start()
            await give(stage, shipment, offer)
            assert error(await stage.ended(SELECT)) == ("offer_id", "expired")

    in_virtual_time(story())


@pytest.mark.parametrize("state", ["intended", "doubt", "succeeded", "steered"])
def test_where_a_purchase_runs_or_is_made_nothing_is_sent(state: str) -> None:
    async def story() -> None:
        async with Stage(selecting).open() as stage:
            shipment, (offer, *_) = await offered(stage, state=f"state = '{state}'")
            stage.start()
            await give(stage, shipment, offer)
            standing = await stage.ended(SELECT)
            assert (standing.state, (standing.result or {})["problem"]) == (CommandState.rejected, "in-other-hands")
            assert selected(stage, shipment) is None
            assert row(stage)[0] == state

    in_virtual_time(story())


def test_what_is_bought_is_not_chosen_for_any_more() -> None:
    async def story() -> None:
        async with Stage(selecting).open() as stage:
            shipment, (offer, other, *_) = await offered(stage)
            await stage.merchant.post(f"/v1/shipments/{shipment}/buy", json={"offer_id": offer})
            await pass_time(5)
            stage.start()
            await give(stage, shipment, other)
            standing = await stage.ended(SELECT)
            assert (standing.result or {})["problem"] == "already-bought"

    in_virtual_time(story())


def test_what_the_carrier_refuses_leaves_all_as_it_was() -> None:
    async def story() -> None:
        async with Stage(selecting, faults={"offers_spoil": {"share": 1}}).open() as stage:
            shipment, (offer, *_) = await offered(stage, state="state = 'declined', reason = 'no_rule_match'")
            stage.start()
            await give(stage, shipment, offer)
            standing = await stage.ended(SELECT)
            assert standing.state is CommandState.rejected
            assert [one["field"] for one in (standing.result or {})["errors"]] == ["offer_id"]  # type: ignore[attr-defined]
            assert row(stage)[:2] == ("declined", "no_rule_match")

    in_virtual_time(story())


def test_what_was_asked_for_meanwhile_is_decided_about_where_nothing_was_selected() -> None:
    async def story() -> None:
        async with Stage(selecting, faults={"offers_spoil": {"share": 1}}).open() as stage:
            shipment, (offer, *_) = await offered(stage, state="state = 'declined', reason = 'no_rule_match'")
            stage.start()
            await stage.fault("slow", method="POST", seconds=[2, 2])
            await give(stage, shipment, offer)
            await pass_time(1)
            assert row(stage)[0] == "steered"
            work = PurchaseWork(ORGANIZATION, shipment, stage.clock() + WINDOW, DeliveryId("another"))
            with stage.disk.writing(stage.clock) as transaction:
                want(transaction, [work], stage.clock())
            assert row(stage)[0] == "steered"
            await stage.ended(SELECT)
            assert row(stage)[:2] == ("wanted", None)

    in_virtual_time(story())


def test_two_of_different_offers_end_with_one_and_the_other_is_told() -> None:
    async def story() -> None:
        async with Stage(selecting).open() as stage:
            shipment, (one, other, *_) = await offered(stage)
            stage.start()
            await give(stage, shipment, one, "one")
            await give(stage, shipment, other, "two")
            ended = [await stage.ended(SELECT, key) for key in ("one", "two")]
            assert sorted(each.state for each in ended) == [CommandState.done, CommandState.rejected]
            chosen = next(each.result for each in ended if each.state is CommandState.done)
            assert (chosen or {})["offer_id"] == selected(stage, shipment)

    in_virtual_time(story())


def test_what_the_carrier_may_be_about_to_buy_by_itself_is_left_to_it() -> None:
    async def story() -> None:
        async with Stage(selecting).open() as stage:
            shipment, _ = await offered(stage, service="inpost_locker_standard", only_choice_of_offer=True)
            chosen = selected(stage, shipment)
            assert chosen is not None
            stage.start()
            await give(stage, shipment, chosen, "early")
            assert ((await stage.ended(SELECT, "early")).result or {})["problem"] == "in-other-hands"
            await pass_time(20)
            await give(stage, shipment, chosen, "late")
            assert (await stage.done(SELECT, "late"))["offer_id"] == chosen

    in_virtual_time(story())


def test_what_was_selected_here_is_selected_again_without_a_call() -> None:
    async def story() -> None:
        async with Stage(selecting).open() as stage:
            shipment, (offer, *_) = await offered(stage)
            stage.start()
            for key in ("one", "two"):
                await give(stage, shipment, offer, key)
                await stage.done(SELECT, key)
            paths = [one.path for one in stage.simulator.world.calls.after(0)]
            assert paths.count(f"/v1/shipments/{shipment}/select_offer") == 1

    in_virtual_time(story())
