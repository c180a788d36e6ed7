"""What is due is taken as the plan says: for its errand, in order, in batches, each by one hand at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from bridge.model import ShipmentId, micros
from bridge.store.database import ManagedDatabase
from bridge.store.migrate import migrations
from bridge.store.outlook import Errand, Outlook, Take
from bridge.store.purchase import PurchaseState
from bridge.store.wanting import say_bought
from tests.contract.store.wants import ALL, NOW, ORGANIZATION, OTHER, SECOND, Wants, numbers, to

AT = micros(NOW)
ACCEPTED = {"state": "doubt", "answer": "accepted"}


@pytest.fixture
def wants(database: ManagedDatabase) -> Wants:
    return Wants(database)


# -- errands -----------------------------------------------------------------------------------------------------------

ERRANDS: list[tuple[dict[str, Any], Errand | None, str]] = [
    # how it stands, what it is taken for
    ({}, Errand.buy, "just asked for"),
    ({"left": 0}, Errand.renew, "its window is over"),
    ({"due_at": AT + 1}, None, "wanted, and put off"),
    ({"due_at": AT + 181 * SECOND}, Errand.buy, "put off further than anything is: by a clock that was set back"),
    ({"due_at": AT}, Errand.buy, "put off until now"),
    ({"answer": "not_taken", "intent_id": "i"}, Errand.buy, "the carrier did not take it in"),
    ({"state": "intended"}, Errand.settle, "whoever intended it is gone"),
    ({"state": "doubt"}, Errand.settle, "nobody knows how the call ended"),
    ({"state": "doubt", "answer": "lost", "left_by": AT}, Errand.settle, "no answer"),
    ({"state": "doubt", "answer": "refused", "left_by": AT}, Errand.buy, "a refusal that a read is to explain"),
    ({**ACCEPTED, "left_by": AT - 299 * SECOND}, Errand.confirm, "accepted a moment ago"),
    ({**ACCEPTED, "left_by": AT - 300 * SECOND}, Errand.settle, "accepted long ago, and not seen yet"),
    ({**ACCEPTED, "left_by": None}, Errand.settle, "accepted, nobody knows when"),
    ({**ACCEPTED, "left_by": AT, "due_at": AT + 1}, None, "accepted, and to be read in a moment"),
    ({"state": "succeeded"}, None, "bought"),
    ({"state": "held"}, None, "a person is asked"),
    ({"state": "held", "look_at": AT + 1}, None, "a person is asked, and its window is open"),
    ({"state": "held", "look_at": AT}, Errand.look, "a person is asked, and its window is over"),
    ({"state": "failed"}, None, "over"),
    ({"state": "failed", "look_at": AT, "said_at": AT}, Errand.look, "over, and a webhook says that it is bought"),
    ({"state": "failed", "said_at": AT}, None, "over, and what a webhook said was looked into"),
    ({"look_at": AT, "said_at": AT}, Errand.buy, "wanted, so that it is read anyway"),
    ({"state": "succeeded", "look_at": AT}, None, "bought, by an earlier version"),
]


@pytest.mark.parametrize(("columns", "errand", "remark"), ERRANDS, ids=[row[2] for row in ERRANDS])
async def test_a_purchase_is_taken_for_one_errand(
    columns: dict[str, Any], errand: Errand | None, remark: str, wants: Wants
) -> None:
    await wants.want(1, **columns)
    claimed = await wants.store.claim(lambda _: ALL, NOW)
    assert [(one.errand, numbers(one.purchases)) for one in claimed.batches] == (
        [] if errand is None else [(errand, [1])]
    )
    expected = [] if errand is None else [{errand: 1}]
    assert [{one: found.due(one) for one in Errand if found.due(one)} for found in claimed.outlooks] == expected, remark


# -- order and sizes ---------------------------------------------------------------------------------------------------


async def test_the_window_that_closes_first_is_bought_for_first_and_those_that_closed_come_apart(
    wants: Wants,
) -> None:
    for shipment, left in ((1, 200), (2, 20), (3, -10), (4, 100), (5, -1)):
        await wants.want(shipment, left=left)
    assert numbers(await wants.take(Take(Errand.buy, 9), Take(Errand.renew, 9))) == [2, 4, 1, 5, 3]


async def test_what_nobody_works_on_is_looked_at_when_its_time_has_come_longest_ago_first(wants: Wants) -> None:
    for shipment, due in ((1, 2), (2, 5), (3, 3), (4, -1)):
        await wants.want(shipment, state="held", look_at=AT - due * SECOND)
    await wants.pause()
    assert numbers(await wants.take(Take(Errand.look, 9))) == [2, 3, 1]
    assert await wants.take(hand=wants.hand("two")) == [], "by one hand at a time"


async def test_what_was_held_before_this_version_is_looked_at_too(wants: Wants, database: ManagedDatabase) -> None:
    await wants.want(1, left=-60, state="held")
    await wants.want(2, left=-60, state="declined")
    [migration] = [one for one in migrations(database.dialect) if one.name == "0011_looks"]
    [backfill] = [one for one in migration.statements if one.startswith("UPDATE purchases")]
    await database.write(lambda it: it.run(backfill))
    assert numbers(await wants.take()) == [1]


async def test_what_a_look_has_in_hand_is_lost_to_what_is_asked_for_meanwhile(wants: Wants) -> None:
    await wants.want(1, state="declined", look_at=AT)
    [looked_at] = await wants.take()
    await wants.want(1)
    assert await wants.store.step([to(looked_at, PurchaseState.declined, look_at=None)], NOW) == []
    assert await wants.rows("SELECT state, look_at FROM purchases") == [("wanted", AT)]
    assert numbers(await wants.take()) == [1]


async def test_what_a_webhook_says_during_a_step_is_looked_into_after_it(wants: Wants) -> None:
    await wants.want(1, 2)
    one, two = await wants.take()
    said = [(ORGANIZATION, ShipmentId(n), "a webhook") for n in (1, 2)]
    await wants.database.write(lambda it: say_bought(it, said, NOW))
    await wants.store.step([to(one, PurchaseState.held, look_at=one.deadline), to(two, PurchaseState.succeeded)], NOW)
    assert numbers(await wants.take(later=4)) == [1]


@pytest.mark.parametrize("errand", [Errand.settle, Errand.confirm])
async def test_what_is_read_for_has_waited_the_longest(errand: Errand, wants: Wants) -> None:
    answer = "lost" if errand is Errand.settle else "accepted"
    for shipment, due in ((1, 2), (2, 5), (3, 3)):
        await wants.want(shipment, state="doubt", answer=answer, left_by=AT, due_at=AT - due * SECOND)
    assert numbers(await wants.take(Take(errand, 9))) == [2, 3, 1]


async def test_each_take_is_a_batch_of_its_size_and_the_next_goes_on_behind_it(wants: Wants) -> None:
    for shipment in range(1, 8):
        await wants.want(shipment, left=10 * shipment)
    await wants.want(8, state="doubt")
    takes = [Take(Errand.settle, 4), Take(Errand.buy, 3), Take(Errand.buy, 2), Take(Errand.confirm, 5)]
    claimed = await wants.store.claim(lambda _: takes, NOW)
    assert [(one.errand, numbers(one.purchases)) for one in claimed.batches] == [
        (Errand.settle, [8]),
        (Errand.buy, [1, 2, 3]),
        (Errand.buy, [4, 5]),
    ]
    assert numbers(await wants.take()) == [6, 7], "the rest is still due"


async def test_the_plan_is_asked_about_each_organization_with_what_is_due_of_it(wants: Wants) -> None:
    await wants.want(1, 2, left=100)
    await wants.want(3, left=20.5)
    await wants.want(4, left=-5)
    await wants.want(5, state="doubt")
    await wants.want(6, left=100, organization=OTHER)
    await wants.want(7, left=100, organization=OTHER, **ACCEPTED, left_by=AT)
    asked = list[Outlook]()

    def plan(outlook: Outlook) -> Sequence[Take]:
        asked.append(outlook)
        return [Take(Errand.buy, 1)] if outlook.organization == OTHER else ()

    claimed = await wants.store.claim(plan, NOW)
    assert asked == [
        Outlook(ORGANIZATION, settle=1, wanted=((20.0, 1), (100.0, 1), (101.0, 1)), over=1),
        Outlook(OTHER, confirm=1, wanted=((100.0, 1),)),
    ]
    assert claimed.outlooks == asked
    assert [(one.organization, numbers(one.purchases)) for one in claimed.batches] == [(OTHER, [6])]


async def test_what_is_paused_is_looked_at_when_its_window_is_over_and_its_batch_says_so(wants: Wants) -> None:
    await wants.want(1, left=10)
    await wants.pause()
    assert await wants.take(later=9) == []
    [batch] = (await wants.store.claim(lambda _: ALL, NOW + timedelta(seconds=10))).batches
    assert (numbers(batch.purchases), batch.is_paused) == ([1], True)


# -- one hand at a time ------------------------------------------------------------------------------------------------


async def test_what_is_in_one_hand_is_due_to_no_other_for_eight_seconds(wants: Wants) -> None:
    await wants.want(1)
    other = wants.hand("two")
    assert numbers(await wants.take()) == [1]
    await wants.pass_time(6)
    assert await wants.take(hand=other) == []
    assert (await other.claim(lambda _: ALL, NOW)).outlooks == []
    await wants.pass_time(2)
    assert numbers(await wants.take(hand=other)) == [1]


async def test_whoever_renews_keeps_what_is_still_its_own(wants: Wants) -> None:
    await wants.want(1, 2)
    other = wants.hand("two")
    claimed = await wants.take()
    await wants.pass_time(4)
    await wants.change(2, held_until=0)
    assert numbers(await wants.take(hand=other)) == [2]
    await wants.pass_time(3)
    await wants.store.renew(claimed)
    await wants.pass_time(5)
    assert numbers(await wants.take()) == [2], "what was lost is not renewed for its new holder"
    await wants.pass_time(3)
    assert numbers(await wants.take()) == [1]


async def test_every_taking_has_a_token_of_its_own_by_the_same_holder_too(wants: Wants) -> None:
    await wants.want(1, 2)
    tokens = []
    for _ in range(3):
        tokens.append([one.token for one in await wants.take()])
        await wants.pass_time(8)
    assert tokens == [[1, 1], [2, 2], [3, 3]]


async def test_hands_that_take_at_once_never_take_the_same(wants: Wants) -> None:
    await wants.want(*range(1, 61))
    hands = [wants.hand(f"hand {n}") for n in range(6)]
    takes = [Take(Errand.buy, 4), Take(Errand.buy, 3)]
    found = await asyncio.gather(*(wants.take(*takes, hand=hand) for hand in hands for _ in range(3)))
    every = [shipment for some in found for shipment in numbers(some)]
    assert len(every) == len(set(every))
    rest = numbers(await wants.take())
    assert sorted(every + rest) == list(range(1, 61))
