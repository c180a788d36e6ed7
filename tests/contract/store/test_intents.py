"""An intent is on disk before the call, within the budget, once, and never after a pause."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bridge.events.catalogue import Money
from bridge.store.budget import Caps, Refusal
from bridge.store.database import ManagedDatabase
from bridge.store.outlook import Errand, Take
from bridge.store.purchase import UNBOUGHT, Intended, PurchaseState
from tests.contract.store.wants import NONE, NOW, OTHER, Wants, intents, numbers, pln, to

PRICE = pln("12.99")
EUR = Money(amount=Decimal("3.00"), currency="EUR")
PLENTY = Caps(per_day=1000)


@pytest.fixture
def wants(database: ManagedDatabase) -> Wants:
    return Wants(database)


async def states(wants: Wants) -> list[str]:
    return await wants.rows("SELECT state FROM purchases ORDER BY shipment")


async def test_an_intent_is_written_down_as_it_will_be_asked_for_and_stays_in_hand(wants: Wants) -> None:
    await wants.want(1)
    done = await wants.store.intend(intents(await wants.take(), PRICE), PLENTY, NOW)
    assert (numbers(done.purchases), done.refused, done.is_paused) == ([1], {}, False)
    assert await wants.rows("SELECT state, intent_id, offer_id FROM purchases") == [("intended", "intent-1", 1001)]
    assert await wants.rows("SELECT type FROM events") == ["shipment.status_changed"]
    assert await wants.take(hand=wants.hand("two")) == []
    await wants.pass_time(8)
    assert numbers(await wants.take(Take(Errand.settle, 1), hand=wants.hand("two"))) == [1], (
        "it may have been asked for"
    )


# -- budgets -----------------------------------------------------------------------------------------------------------

BUDGETS: list[tuple[Caps, Sequence[Money | None], Sequence[Refusal | None], str]] = [
    # the caps, prices in order, what becomes of each
    (Caps(2), [PRICE, None, PRICE], [None, None, "budget_exhausted"], "a day's number, whatever they cost"),
    (Caps(2), [EUR, PRICE, PRICE], [None, None, "budget_exhausted"], "in any currency"),
    (Caps(0), [PRICE], ["budget_exhausted"], "none at all"),
    (
        Caps(9, Decimal(25)),
        [pln("12.99"), pln("12.01"), pln("0.01")],
        [None, None, "budget_exhausted"],
        "a day's spending, to the last grosz",
    ),
    (
        Caps(9, Decimal(25)),
        [pln("20.00"), pln("5.01"), pln("5.00")],
        [None, "budget_exhausted", None],
        "what is too dear keeps nothing cheaper away",
    ),
    (Caps(9, Decimal(25)), [None, PRICE], ["price_unknown", None], "a cap on spending, and nobody knows the price"),
    (Caps(9, Decimal(25)), [EUR, PRICE], ["price_unknown", None], "or knows it in another currency"),
    (Caps(9, per_minute=2), [PRICE] * 3, [None, None, "too_many_a_minute"], "a minute's number"),
    (Caps(1, per_minute=1), [PRICE] * 2, [None, "budget_exhausted"], "over both: the day's is told"),
]


@pytest.mark.parametrize(("caps", "prices", "expected", "remark"), BUDGETS, ids=[row[3] for row in BUDGETS])
async def test_only_what_the_budget_allows_is_intended(
    caps: Caps, prices: Sequence[Money | None], expected: Sequence[Refusal | None], remark: str, wants: Wants
) -> None:
    await wants.want(*range(1, len(prices) + 1))
    done = await wants.store.intend(intents(await wants.take(), *prices), caps, NOW)
    assert done.refused == {n: refusal for n, refusal in enumerate(expected, 1) if refusal}, remark
    stand = [n for n, refusal in enumerate(expected, 1) if refusal is None]
    assert numbers(done.purchases) == stand
    assert await states(wants) == ["wanted" if refusal else "intended" for refusal in expected]
    assert await wants.rows("SELECT shipment FROM journal ORDER BY shipment") == stand, (
        "nothing of a refused one counts"
    )
    spent = sum(
        (
            price.amount
            for price, refusal in zip(prices, expected, strict=True)
            if price and not refusal and price != EUR
        ),
        Decimal(0),
    )
    assert await wants.spent() == (len(stand), spent)


async def test_what_the_budget_refused_is_still_in_hand(wants: Wants) -> None:
    await wants.want(1)
    claimed = await wants.take()
    assert (await wants.store.intend(intents(claimed, PRICE), Caps(0), NOW)).refused == {1: "budget_exhausted"}
    assert numbers(await wants.store.step([to(claimed[0], PurchaseState.declined)], NOW)) == [1]


@pytest.mark.parametrize(
    ("hours", "stands"),
    [
        pytest.param(10.9, False, id="an hour before midnight, Poland's"),
        pytest.param(11, True, id="at midnight there, while it is still the day before in UTC"),
    ],
)
async def test_a_day_is_polands(hours: float, *, stands: bool, wants: Wants) -> None:
    await wants.want(1, 2)
    first, second = await wants.take()
    await wants.store.intend(intents([first], PRICE), Caps(1), NOW)
    done = await wants.store.intend(intents([second], PRICE), Caps(1), NOW + timedelta(hours=hours))
    assert bool(done.purchases) is stands


@pytest.mark.parametrize(("seconds", "stands"), [(59, False), (60, True)])
async def test_a_minute_is_the_clocks(seconds: int, *, stands: bool, wants: Wants) -> None:
    await wants.want(1, 2)
    first, second = await wants.take()
    caps = Caps(9, per_minute=1)
    await wants.store.intend(intents([first], PRICE), caps, NOW)
    done = await wants.store.intend(intents([second], PRICE), caps, NOW + timedelta(seconds=seconds))
    assert bool(done.purchases) is stands
    assert (await wants.spent())[0] == len(done.purchases) + 1, (
        "what is refused for a minute is not reserved for the day"
    )


async def test_what_is_asked_for_once_more_in_the_same_hand_counts_once_in_its_minute(wants: Wants) -> None:
    """As where a call for many was refused, and is made again in halves."""
    await wants.want(1, 2, 3)
    first, second, third = await wants.take()
    caps = Caps(9, per_minute=2)
    assert len((await wants.store.intend(intents([first, second], PRICE, PRICE), caps, NOW)).purchases) == 2
    for half in (first, second):
        assert numbers((await wants.store.intend(intents([half], PRICE), caps, NOW)).purchases) == [half.shipment]
    assert (await wants.store.intend(intents([third], PRICE), caps, NOW)).refused == {3: "too_many_a_minute"}
    assert await wants.spent() == (2, 2 * PRICE.amount)


async def test_minutes_that_are_long_over_are_forgotten_and_days_are_not(wants: Wants) -> None:
    caps = Caps(9, per_minute=9)
    for shipment, hours in ((1, 0), (2, 1), (3, 4)):
        await wants.want(shipment)
        claimed = await wants.take()
        await wants.store.intend(intents(claimed, PRICE), caps, NOW + timedelta(hours=hours))
    assert await wants.rows("SELECT day FROM budgets ORDER BY day") == [
        "2026-11-20",
        "2026-11-20T14:00+0100",
        "2026-11-20T17:00+0100",
    ]


async def test_the_budget_of_one_organization_is_no_other_ones(wants: Wants) -> None:
    await wants.want(1)
    await wants.want(2, organization=OTHER)
    for claimed in await wants.take():
        assert (await wants.store.intend(intents([claimed], PRICE), Caps(1), NOW)).refused == {}


STANDS = [
    (PurchaseState.doubt, None, 1, "nobody knows"),
    (PurchaseState.succeeded, None, 1, "bought"),
    (PurchaseState.wanted, None, 1, "it is wanted again, and reserved anew when it is intended"),
    (PurchaseState.succeeded, "adopted", 0, "somebody else bought it"),
    *((state, None, 0, f"{state}, unbought") for state in UNBOUGHT),
]


@pytest.mark.parametrize(("state", "reason", "n", "remark"), STANDS, ids=[row[3] for row in STANDS])
async def test_what_is_reserved_is_given_back_where_a_purchase_ends_unbought(
    state: PurchaseState, reason: str | None, n: int, remark: str, wants: Wants
) -> None:
    await wants.want(1, 2)
    intended = (await wants.store.intend(intents(await wants.take(), PRICE, PRICE), PLENTY, NOW)).purchases
    assert await wants.spent() == (2, 2 * PRICE.amount)
    for _ in range(2):
        await wants.store.step([to(intended[0], state, reason=reason)], NOW + timedelta(days=1))
    assert await wants.spent() == (1 + n, (1 + n) * PRICE.amount), remark
    assert await wants.spent(NOW + timedelta(days=1)) == NONE, "it is given back to the day it was taken from"


async def test_one_shipment_is_reserved_once_at_its_last_price(wants: Wants) -> None:
    caps = Caps(1, Decimal(20))
    await wants.want(1)
    for price in ("12.99", "19.00", "1.00"):
        [one] = await wants.take()
        done = await wants.store.intend(intents([one], pln(price)), caps, NOW)
        assert await wants.spent() == (1, Decimal(price))
        await wants.store.step([to(replace(done.purchases[0]), PurchaseState.wanted)], NOW)


async def test_what_was_reserved_for_a_shipment_is_given_back_where_it_may_not_be_intended_again(wants: Wants) -> None:
    await wants.want(1)
    for price, spent in (("12.99", "12.99"), ("20.01", "0")):
        [one] = await wants.take()
        await wants.store.intend(intents([one], pln(price)), Caps(9, Decimal(20)), NOW)
        assert (await wants.spent())[1] == Decimal(spent)
        await wants.store.step([to(one, PurchaseState.wanted)], NOW)


async def test_hands_that_intend_at_once_never_spend_more_than_is_left(wants: Wants) -> None:
    await wants.want(*range(1, 11))
    claimed = await wants.take()
    done = await asyncio.gather(
        *(wants.hand("one").intend(intents([one], pln("10.00")), Caps(9, Decimal(39)), NOW) for one in claimed)
    )
    assert sum(len(one.purchases) for one in done) == 3
    assert [why for one in done for why in one.refused.values()] == ["budget_exhausted"] * 7
    assert await wants.spent() == (3, Decimal(30))
    assert sorted(await states(wants)) == ["intended"] * 3 + ["wanted"] * 7


# -- pauses ------------------------------------------------------------------------------------------------------------


async def test_a_pause_between_the_claim_and_the_intents_stops_all_of_them_and_leaves_nothing_behind(
    wants: Wants,
) -> None:
    await wants.want(1, 2)
    claimed = await wants.take()
    await wants.pause()
    told = await wants.rows("SELECT count(*) FROM events")
    before = await wants.rows("SELECT * FROM purchases ORDER BY shipment")
    assert await wants.store.intend(intents(claimed, PRICE, PRICE), Caps(1), NOW) == Intended(is_paused=True)
    assert await wants.rows("SELECT * FROM purchases ORDER BY shipment") == before
    assert await wants.rows("SELECT count(*) FROM events") == told
    assert (await wants.spent(), await wants.rows("SELECT 1 FROM journal")) == (NONE, [])
    await wants.resume()
    assert numbers((await wants.store.intend(intents(claimed, PRICE, PRICE), PLENTY, NOW)).purchases) == [1, 2]


async def test_a_pause_of_another_organization_stops_nothing(wants: Wants) -> None:
    await wants.want(1)
    await wants.pause(OTHER)
    assert numbers((await wants.store.intend(intents(await wants.take(), PRICE), PLENTY, NOW)).purchases) == [1]
