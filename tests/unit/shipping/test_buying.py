"""A purchase is asked for by the policy, or of an offer that is looked at first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import pytest

from bridge.approvals.approving import Approving
from bridge.carriers.shipx.client import ShipxClient
from bridge.commands.execute import Operation
from bridge.commands.models import BuyShipment
from bridge.limits.connection import Purpose
from bridge.model import CommandState, OrganizationId, ShipmentId
from bridge.purchasing.shipment import Shipment
from bridge.shipping.buying import Buying
from bridge.shipping.helm import Helm, Reader
from bridge.store.approvals import SqlApprovals
from bridge.store.steering import SqlSteering
from tests.unit.purchasing.stage import ORGANIZATION
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time
from tests.unit.shipping.stage import Parts, Stage
from tests.unit.shipping.test_selecting import error, offered, row

BUY = BuyShipment.operation
OTHER = OrganizationId(4822)


def buying(
    parts: Parts, *, known: Sequence[OrganizationId] = (ORGANIZATION,), reader: Reader | None = None
) -> Mapping[str, Operation]:
    clock = parts.stage.clock
    approving = Approving(SqlApprovals(parts.recorder), known=known, clock=clock, on_changed=lambda: None)
    helm = Helm(parts.database, SqlSteering(parts.recorder), parts.learning, clock, lambda: None)
    return {BUY: Operation(Buying(approving, {ORGANIZATION: reader or parts.client}, helm))}


@pytest.mark.parametrize("state", [None, "state = 'held', reason = 'approval_required'", "state = 'wanted'"])
def test_an_offer_that_is_on_offer_is_asked_for(state: str | None) -> None:
    async def story() -> None:
        async with Stage(buying).open() as stage:
            shipment, (offer, *_) = await offered(stage, state=state)
            stage.start()
            await stage.give(BUY, BuyShipment(shipment_id=shipment, offer_id=offer).canonical)
            assert (await stage.done(BUY))["state"] == "wanted"
            assert row(stage) == ("wanted", None, None, offer)

    in_virtual_time(story())


def test_what_is_to_be_bought_is_read_in_the_turn_of_a_purchase() -> None:
    turns: list[Purpose] = []

    class Noting:
        def __init__(self, client: ShipxClient) -> None:
            self._client = client

        async def read(self, shipment: ShipmentId, purpose: Purpose = Purpose.read) -> Shipment:
            turns.append(purpose)
            return await self._client.read(shipment, purpose)

    async def story() -> None:
        async with Stage(lambda parts: buying(parts, reader=Noting(parts.client))).open() as stage:
            shipment, (offer, *_) = await offered(stage)
            stage.start()
            await stage.give(BUY, BuyShipment(shipment_id=shipment, offer_id=offer).canonical)
            await stage.done(BUY)
            assert turns == [Purpose.read]

    in_virtual_time(story())


def test_without_an_offer_no_carrier_is_asked_and_what_is_held_stays_held() -> None:
    async def story() -> None:
        async with Stage(buying).open() as stage:
            shipment, _ = await offered(stage, state="state = 'held', reason = 'approval_required'")
            before = len(list(stage.simulator.world.calls.after(0)))
            stage.start()
            await stage.give(BUY, BuyShipment(shipment_id=shipment).canonical)
            assert (await stage.ended(BUY)).state is CommandState.rejected
            assert len(list(stage.simulator.world.calls.after(0))) == before

    in_virtual_time(story())


@pytest.mark.parametrize(("wait", "number", "code"), [(0, 17, "not_on_offer"), (301, None, "expired")])
def test_an_offer_that_cannot_be_bought_is_told_by_its_field(wait: float, number: int | None, code: str) -> None:
    async def story() -> None:
        async with Stage(buying).open() as stage:
            shipment, (offer, *_) = await offered(stage, state="state = 'held', reason = 'approval_required'")
            await pass_time(wait)
            stage.start()
            await stage.give(BUY, BuyShipment(shipment_id=shipment, offer_id=number or offer).canonical)
            standing = await stage.ended(BUY)
            assert (standing.state, error(standing)) == (CommandState.withdrawn, ("offer_id", code))
            assert row(stage) == ("held", "approval_required", None, None)

    in_virtual_time(story())


@pytest.mark.parametrize(
    ("known", "asked", "code"),
    [((ORGANIZATION, OTHER), None, "missing"), ((), None, "missing"), ((ORGANIZATION,), OTHER, "unknown_value")],
    ids=["several", "none", "another"],
)
def test_whose_it_is_can_be_said_under_the_same_key(
    known: Sequence[OrganizationId], asked: int | None, code: str
) -> None:
    async def story() -> None:
        async with Stage(partial(buying, known=known)).open() as stage:
            stage.start()
            await stage.give(BUY, BuyShipment(shipment_id=17, organization_id=asked).canonical)
            standing = await stage.ended(BUY)
            assert (standing.state, error(standing)) == (CommandState.withdrawn, ("organization_id", code))

    in_virtual_time(story())


def test_while_the_carrier_is_away_nothing_is_asked_for_and_the_key_stays_free() -> None:
    async def story() -> None:
        async with Stage(buying).open() as stage:
            shipment, (offer, *_) = await offered(stage, state="state = 'wanted'")
            await stage.fault("dropped", method="GET", times=1000)
            stage.start()
            await stage.give(BUY, BuyShipment(shipment_id=shipment, offer_id=offer).canonical)
            assert (await stage.ended(BUY)).state is CommandState.withdrawn
            assert row(stage) == ("wanted", None, None, None)

    in_virtual_time(story())
