"""Orders are told, added to, deleted and refunded once, whatever becomes of the calls and of the process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from bridge.commands.execute import Operation
from bridge.commands.models import Body
from bridge.model import CommandState, Standing
from bridge.shipping.returns.billing.asked import MarkRefunded
from bridge.shipping.returns.billing.refunding import Refunding
from bridge.shipping.returns.orders.asked import AddReturnOrderItems, CreateReturnOrder, DeleteReturnOrder
from bridge.shipping.returns.orders.ordering import Ordering
from bridge.shipping.returns.platforms import Platforms
from tests.unit.purchasing.stage import Points
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time
from tests.unit.shipping.checkouts import ORDER, SHIRT, SOCKS
from tests.unit.shipping.returning import CREATE, PLATFORM, SCENARIO, ask, keeping, makers, returning, wanted
from tests.unit.shipping.stage import Parts, Stage, places
from tests.unit.shipping.test_returns import UNANSWERED, UNDONE

DEEDS: Final = {
    "create": "order_saved",
    "add_items": "order_items_added",
    "delete": "order_deleted",
    "refund": "return_status_added",
}
METHODS: Final = {
    "create": "orders/create",
    "add_items": "orders/add_items",
    "delete": "orders/delete",
    "refund": "tracking/add_status",
}
Changes = Mapping[str, Any]


def _operations(parts: Parts) -> Mapping[str, Operation]:
    platforms = Platforms.among(makers(parts))
    ordering = Ordering(platforms, parts.stage.clock)
    return {
        **returning()(parts),
        CreateReturnOrder.operation: Operation(ordering.create),
        AddReturnOrderItems.operation: Operation(ordering.add_items),
        DeleteReturnOrder.operation: Operation(ordering.delete),
        MarkRefunded.operation: Operation(Refunding(platforms, keeping(parts), parts.stage.clock)),
    }


def stage_of() -> Stage:
    return Stage(_operations, **SCENARIO)


def _read(kind: type[Body], **asked: Any) -> Body:
    return kind.model_validate_json(json.dumps(asked))


def told(**changes: Any) -> Body:
    return _read(CreateReturnOrder, **{**ORDER, **changes})


def added(*items: Changes) -> Body:
    return _read(AddReturnOrderItems, reference="ORDER123", items=items)


def deleted() -> Body:
    return _read(DeleteReturnOrder, reference="ORDER123")


async def give(stage: Stage, asked: Body, key: str = "one") -> None:
    await stage.give(asked.operation, asked.canonical, key)


async def carried_out(stage: Stage, asked: Body, key: str = "one") -> Mapping[str, Any]:
    """Give a command, and wait until it has succeeded."""
    await give(stage, asked, key)
    return await stage.done(asked.operation, key)


async def ended(stage: Stage, asked: Body, key: str = "one") -> Standing:
    await give(stage, asked, key)
    return await stage.ended(asked.operation, key)


async def prepared(stage: Stage, what: str) -> Body:
    """Have all made that comes before, and give what is asked for then."""
    if what == "create":
        return told()
    if what == "refund":
        await ask(stage, wanted(PLATFORM), "return")
        made = await stage.done(CREATE, "return")
        await pass_time(60)
        return _read(MarkRefunded, return_id=made["return_id"])
    await carried_out(stage, told(), "before")
    return added(SOCKS) if what == "add_items" else deleted()


async def deeds(stage: Stage) -> Mapping[str, int]:
    counts: Mapping[str, int] = (await stage.merchant.get("/_control/deeds")).json()["counts"]
    return counts


async def fault(stage: Stage, kind: str, method: str, **how: Any) -> None:
    await stage.fault(kind, method="POST", path=f"/intelligentreturns/{method}*", **how)


@pytest.mark.parametrize("what", DEEDS)
@pytest.mark.parametrize("kind", [*UNANSWERED, *UNDONE, "limited"])
def test_whatever_becomes_of_the_answer_it_is_done_once(what: str, kind: str) -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            asked = await prepared(stage, what)
            await fault(stage, kind, METHODS[what])
            result = await carried_out(stage, asked)
            assert result["provider"] == PLATFORM
            assert (await deeds(stage))[DEEDS[what]] == 1

    in_virtual_time(story())


@pytest.mark.parametrize("what", DEEDS)
@pytest.mark.parametrize("kind", [None, "hung_up"])
def test_wherever_a_process_dies_it_is_done_once(what: str, kind: str | None) -> None:
    names = in_virtual_time(_dying(what, kind, Points()))
    assert {"before POST", "before a commit", "after a commit"} <= set(names)
    for at in places(names):
        in_virtual_time(_dying(what, kind, Points(at)))


async def _dying(what: str, kind: str | None, points: Points) -> list[str]:
    async with stage_of().open() as stage:
        before = stage.start()
        asked = await prepared(stage, what)
        await before.end()
        stage.workers.clear()
        stage.start(points)
        if kind is not None:
            await fault(stage, kind, METHODS[what])
        await carried_out(stage, asked)
        assert (await deeds(stage))[DEEDS[what]] == 1
        await pass_time(1)
    return points.names


# -- what was there before ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", UNANSWERED)
def test_an_order_that_was_there_before_is_not_taken_for_the_lost_one(kind: str) -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            await carried_out(stage, told(items=[SOCKS]), "before")
            await fault(stage, kind, METHODS["create"])
            standing = await ended(stage, told())
            assert (standing.state, (standing.result or {})["problem"]) == (CommandState.rejected, "already-there")
            assert (await deeds(stage)) == {"order_saved": 1}

    in_virtual_time(story())


@pytest.mark.parametrize("kind", UNANSWERED)
def test_an_order_that_was_overwritten_is_known_by_what_it_says(kind: str) -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            await carried_out(stage, told(items=[SOCKS]), "before")
            await fault(stage, kind, METHODS["create"])
            await carried_out(stage, told(overwrite=True))
            assert (await deeds(stage)) == {"order_saved": 2}

    in_virtual_time(story())


def test_an_order_is_not_overwritten_a_second_time_where_another_one_may_be_newer() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            await carried_out(stage, told(items=[SOCKS]), "before")
            await fault(stage, "dropped", METHODS["create"])
            await give(stage, told(overwrite=True))
            await pass_time(1)
            await carried_out(stage, told(items=[SHIRT, SOCKS], overwrite=True), "newer")
            standing = await stage.ended(CreateReturnOrder.operation)
            assert standing.state is CommandState.unknown
            assert (await deeds(stage)) == {"order_saved": 2}

    in_virtual_time(story())


@pytest.mark.parametrize("kind", UNANSWERED)
@pytest.mark.parametrize(
    ("there", "asked"),
    [
        ([SOCKS | {"quantity": 5}], [SOCKS]),
        ([SOCKS], [SOCKS, SHIRT | {"sku": "SKU-3"}]),
    ],
)
def test_articles_that_were_there_before_are_not_taken_for_the_lost_ones(
    kind: str, there: list[Changes], asked: list[Changes]
) -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            await carried_out(stage, told(items=[SHIRT, *there]), "before")
            await fault(stage, kind, METHODS["add_items"])
            standing = await ended(stage, added(*asked))
            assert (standing.state, (standing.result or {})["problem"]) == (CommandState.rejected, "already-there")
            assert (await deeds(stage)) == {"order_saved": 1}

    in_virtual_time(story())


@pytest.mark.parametrize("kind", UNANSWERED)
def test_to_an_order_that_is_not_there_nothing_is_added(kind: str) -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            await fault(stage, kind, METHODS["add_items"])
            standing = await ended(stage, added(SOCKS))
            assert (standing.state, (standing.result or {})["problem"]) == (CommandState.rejected, "not-found")

    in_virtual_time(story())


def test_an_order_that_is_told_anew_is_not_taken_for_the_one_that_was_to_be_deleted() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            await carried_out(stage, told(), "before")
            await fault(stage, "hung_up", METHODS["delete"])
            await give(stage, deleted())
            while "order_deleted" not in await deeds(stage):
                await pass_time(0.1)
            await carried_out(stage, told(items=[SOCKS]), "anew")
            await stage.done(DeleteReturnOrder.operation)
            assert (await deeds(stage)) == {"order_saved": 2, "order_deleted": 1}

    in_virtual_time(story())


# -- a provider that is away -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", DEEDS)
def test_what_cannot_be_sent_for_a_minute_is_given_back(what: str) -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            asked = await prepared(stage, what)
            await fault(stage, "limited", "*", times=1000)
            standing = await ended(stage, asked)
            assert (standing.state, (standing.result or {})["problem"]) == (CommandState.withdrawn, "nothing-sent")

    in_virtual_time(story())


def test_what_was_sent_three_times_and_shows_nowhere_stays_unknown() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            await fault(stage, "dropped", METHODS["create"], times=3)
            standing = await ended(stage, told())
            assert standing.state is CommandState.unknown
            assert "Look at the order" in (standing.error or "")
            assert (await deeds(stage)) == {}

    in_virtual_time(story())


def test_a_refused_login_is_asked_nothing_more() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.limits = replace(stage.limits, stops_all=True, pauses_on_refusal=True)
            stage.start()
            refusal = {"method": "orders/create", "code": "access_denied"}
            await stage.merchant.post("/_control/intelligentreturns/refusals", json=refusal)
            for key in ("one", "two"):
                standing = await ended(stage, told(), key)
                assert (standing.state, (standing.result or {})["problem"]) == (CommandState.withdrawn, "nothing-sent")
            calls = (await stage.merchant.get("/_control/calls")).json()["items"]
            assert [one["path"] for one in calls] == ["/intelligentreturns/orders/create/json"]

    in_virtual_time(story())
