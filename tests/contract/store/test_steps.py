"""Steps of many purchases in one commit: what was lost to another hand is left out, and nothing of it counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.events.shipment import ShipmentState
from bridge.model import micros
from bridge.store.budget import Caps
from bridge.store.database import ManagedDatabase
from bridge.store.journal import Note
from bridge.store.purchase import Intended, PurchaseState, Step
from tests.contract.store.wants import NONE, NOW, Wants, intents, numbers, pln, to


@pytest.fixture
def wants(database: ManagedDatabase) -> Wants:
    return Wants(database)


LATER = NOW + timedelta(seconds=3)
WRITTEN = {
    "facts": "SELECT name FROM facts JOIN subjects ON subjects.id = subject_id ORDER BY name",
    "events": "SELECT name FROM events JOIN subjects ON subjects.id = subject_id ORDER BY name",
    "states": "SELECT name FROM subjects WHERE state IS NOT NULL ORDER BY name",
    "journal": "SELECT shipment FROM journal ORDER BY shipment",
    "decisions": "SELECT shipment FROM decisions ORDER BY shipment",
}
"""Everything that goes with a step."""


async def written(wants: Wants) -> dict[str, list[int]]:
    """Say of which shipments there is what."""
    found = {what: await wants.rows(sql) for what, sql in WRITTEN.items()}
    return {what: [int(str(one).removeprefix("shipment/")) for one in some] for what, some in found.items()}


async def test_of_many_steps_those_that_are_still_ours_count_with_everything_that_goes_with_them(wants: Wants) -> None:
    await wants.want(1, 2, 3, 4)
    claimed = await wants.take()
    await wants.change(2, held_until=0)
    [theirs] = await wants.take(hand=wants.hand("two"))
    before = await wants.rows("SELECT * FROM purchases WHERE shipment = 2")
    done = await wants.store.step([to(one, PurchaseState.declined, reason="no_rule_match") for one in claimed], NOW)
    assert numbers(done) == [1, 3, 4]
    assert await written(wants) == {what: [1, 3, 4] for what in WRITTEN}
    assert await wants.rows("SELECT * FROM purchases WHERE shipment = 2") == before
    assert await wants.rows("SELECT shipment, state FROM purchases ORDER BY shipment") == [
        (1, "declined"),
        (2, "wanted"),
        (3, "declined"),
        (4, "declined"),
    ]
    assert numbers(await wants.hand("two").step([to(theirs, PurchaseState.declined)], NOW)) == [2]


@pytest.mark.parametrize("lost", ["token = token + 1", "holder = 'two'", "held_until = 0"])
async def test_a_hand_has_lost_a_purchase_in_any_of_these_ways(lost: str, wants: Wants) -> None:
    await wants.want(1)
    claimed = await wants.take()
    await wants.database.write(lambda transaction: transaction.run(f"UPDATE purchases SET {lost}"))
    assert await wants.store.step([to(one, PurchaseState.doubt) for one in claimed], NOW) == []
    assert await wants.store.intend(intents(claimed, pln("1.00")), Caps(9), NOW) == Intended()
    assert await written(wants) == {what: [] for what in WRITTEN}
    assert (await wants.rows("SELECT state FROM purchases"), await wants.spent()) == (["wanted"], NONE)


async def test_each_step_is_decided_with_what_is_known_of_its_own_shipment(wants: Wants) -> None:
    await wants.want(1, 2)
    claimed = await wants.take()
    await wants.store.step([to(claimed[0], PurchaseState.wanted)], NOW)
    [again, other] = [*(await wants.take()), claimed[1]]
    met = dict[int, ShipmentState | None]()

    def deciding(shipment: int, step: Step) -> Step:
        met[shipment] = step.state
        return step

    await wants.store.step(
        [(one, lambda known, one=one: deciding(one.shipment, Step(one, state=known))) for one in (again, other)],  # type: ignore[misc]
        NOW,
    )
    assert met == {1: ShipmentState(), 2: None}


async def test_what_would_end_for_a_pause_that_is_over_is_let_go_of_and_due_at_once(wants: Wants) -> None:
    await wants.want(1)
    [claimed] = await wants.take()
    assert await wants.store.step([to(claimed, PurchaseState.expired, reason="account_paused")], LATER) == []
    rows = await wants.rows("SELECT state, due_at, held_until FROM purchases")
    assert rows == [("wanted", micros(LATER), 0)]


async def test_a_look_leaves_it_as_old_as_it_was(wants: Wants) -> None:
    await wants.want(1, state="expired", look_at=micros(NOW))
    [claimed] = await wants.take()
    before = await wants.rows("SELECT updated_at FROM purchases")
    looked = replace(claimed, look_at=None, note=Note("read", "nothing", "expired"))
    await wants.store.step([(claimed, lambda _: Step(looked))], LATER)
    assert await wants.rows("SELECT updated_at FROM purchases") == before
    assert await wants.rows("SELECT look_at FROM purchases") == [None]


async def test_what_was_asked_for_meanwhile_begins_anew_where_a_step_ends_it_and_waits_where_it_does_not(
    wants: Wants,
) -> None:
    await wants.want(1, 2, 3)
    claimed = await wants.take()
    await wants.database.write(lambda it: it.run("UPDATE purchases SET cause = 'newer'"))
    states = (PurchaseState.expired, PurchaseState.doubt, PurchaseState.succeeded)
    await wants.store.step([to(one, state) for one, state in zip(claimed, states, strict=True)], NOW)
    assert await wants.rows("SELECT state, cause, wanted_cause FROM purchases ORDER BY shipment") == [
        ("wanted", "newer", None),
        ("doubt", "delivery", "newer"),
        ("succeeded", "delivery", "newer"),
    ]


@pytest.mark.parametrize("seconds_later", [0, 5])
async def test_what_failed_is_not_tried_again_within_its_window_however_often_that_is_told(
    seconds_later: int, wants: Wants
) -> None:
    """Whether that is told while it is settled, or afterwards."""
    await wants.want(1)
    [claimed] = await wants.take()
    await wants.store.step([to(claimed, PurchaseState.doubt)], NOW)
    await wants.want(1, left=200 + seconds_later)
    await wants.change(1, held_until=0)
    [doubted] = await wants.take(later=60)
    await wants.store.step([to(doubted, PurchaseState.failed, reason="other")], NOW)
    assert await wants.rows("SELECT state, wanted_cause FROM purchases") == [("failed", None)]
    await wants.want(1, left=200 + seconds_later)
    assert await wants.rows("SELECT state, cause FROM purchases") == [("failed", "delivery")]


async def test_what_failed_is_tried_again_in_another_window(wants: Wants) -> None:
    await wants.want(1, 2)
    first, second = await wants.take()
    await wants.store.step([to(first, PurchaseState.doubt), to(second, PurchaseState.failed, reason="other")], NOW)
    await wants.want(1, 2, left=210)
    assert await wants.rows("SELECT state FROM purchases ORDER BY shipment") == ["doubt", "wanted"]
    await wants.change(1, held_until=0)
    [doubted] = [one for one in await wants.take(later=60) if one.shipment == 1]
    await wants.store.step([to(doubted, PurchaseState.failed, reason="other")], NOW)
    assert await wants.rows("SELECT state FROM purchases ORDER BY shipment") == ["wanted", "wanted"]
