"""What a soak says of money: charges at the carrier against what a consumer was told; each check can fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import pytest

from bridge.simulator import load_scenario
from tests.soak.carrier import MERCHANT, MERCHANT_TOKEN, SCENARIO
from tests.soak.cast import BUYING, MERCHANT_SOURCE
from tests.soak.follower import Event
from tests.soak.receipts import Receipts
from tests.soak.spending import compared, counted, share_bought
from tests.soak.takings import Takings

OFFERED, SELECTED, REQUESTED = "offers_prepared", "offer_selected", "purchase_requested"
SUCCEEDED, FAILED, EXPIRED = "purchase_succeeded", "purchase_failed", "offers_expired"
PRICE: Final = Decimal("12.99")
BOUGHT: Final = (OFFERED, SELECTED, REQUESTED, SUCCEEDED)


def event(shipment: int, sequence: int, kind: str, *, intent: str | None = None, **data: object) -> Event:
    return {
        "source": MERCHANT_SOURCE,
        "type": f"bridge.shipment.{kind}.v1",
        "sequence": f"{sequence:010}",
        "data": {
            "shipment_id": shipment,
            "intent_id": intent or f"intent-{shipment}",
            "adopted": False,
            "evidence": "webhook",
            **data,
        },
    }


def receipts(lives: Mapping[int, Sequence[str]]) -> Receipts:
    made = Receipts(MERCHANT_SOURCE)
    for shipment, kinds in lives.items():
        for sequence, kind in enumerate(kinds, 1):
            made.note(event(shipment, sequence, kind))
    return made


def takings(shipments: Sequence[int], charges: Sequence[int]) -> Takings:
    return Takings(shipments, charges, PRICE * len(charges))


def problems(found: Takings, told: Receipts, *, live: int = 0, spent: Decimal | None = None) -> list[str]:
    checks = compared(found, told, live, found.paid if spent is None else spent)
    return [problem for check in checks for problem in check.problems]


def test_what_was_bought_once_and_told_balances() -> None:
    told = receipts({7: BOUGHT, 8: BOUGHT})
    assert problems(takings([7, 8], [8, 7]), told) == []


@pytest.mark.parametrize(
    ("charges", "lives", "expected"),
    [
        ([7, 7], {7: BOUGHT}, ["7 was charged 2 times", "7: 2 charges, 1 succeeded"]),
        ([7], {7: (*BOUGHT[:3], FAILED)}, ["7: 1 charges, 0 succeeded"]),
        ([], {7: BOUGHT}, ["7: 0 charges, 1 succeeded", "0.00% of 1"]),
        ([], {7: BOUGHT[:3]}, ["7: last purchase_requested", "intent-7: ended 0 times, shipment 7", "0.00% of 1"]),
        ([7], {7: (*BOUGHT, FAILED)}, ["intent-7: ended 2 times, shipment 7"]),
        ([7], {7: (SELECTED, SUCCEEDED)}, ["intent-7: ended and was not requested"]),
        ([], {7: (OFFERED,)}, ["7: last nothing", "0.00% of 1"]),
        ([], {7: (OFFERED, EXPIRED)}, ["0.00% of 1"]),
    ],
    ids=[
        "charged twice",
        "charged, and told as failed",
        "told, and not charged",
        "requested, and nothing more",
        "an intent that ended twice",
        "an intent that nobody requested",
        "nothing told",
        "told why not",
    ],
)
def test_money_that_is_not_as_told_is_a_problem(
    charges: list[int], lives: Mapping[int, Sequence[str]], expected: list[str]
) -> None:
    assert problems(takings([7], charges), receipts(lives)) == expected


def test_an_open_purchase_is_a_problem() -> None:
    assert problems(takings([7], [7]), receipts({7: BOUGHT}), live=3) == ["3 are live"]


def test_a_budget_that_counts_something_else_is_a_problem() -> None:
    told = receipts({7: BOUGHT})
    assert problems(takings([7], [7]), told, spent=Decimal("25.98")) == ["25.98 PLN counted"]


def test_why_something_was_not_bought_is_counted() -> None:
    told = receipts({7: BOUGHT})
    told.note(event(8, 1, FAILED, reason="offer_unavailable"))
    counts = counted(takings([7, 8, 9], [7]), told)
    assert counts["  not charged: purchase_failed offer_unavailable"] == counts["  not charged: nothing"] == 1


def test_what_somebody_else_bought_is_no_purchase_of_ours() -> None:
    told = receipts({7: (OFFERED,)})
    told.note(event(7, 2, SUCCEEDED, intent="adopted-7", adopted=True))
    assert problems(takings([7], [7]), told) == ["7: 1 charges, 0 succeeded, 1 adopted"]


def test_some_may_stay_unbought_and_many_may_not() -> None:
    lives = {shipment: BOUGHT if shipment <= 95 else (EXPIRED,) for shipment in range(1, 101)}
    assert problems(takings(range(1, 101), range(1, 96)), receipts(lives)) == []
    lives[95] = (EXPIRED,)
    assert problems(takings(range(1, 101), range(1, 95)), receipts(lives)) == ["94.00% of 100"]
    assert share_bought(takings([], [])) == 1.0


def test_the_last_word_is_the_one_with_the_highest_number_in_whatever_order_they_come() -> None:
    told = Receipts(MERCHANT_SOURCE)
    told.note(event(7, 4, FAILED))
    told.note(event(7, 3, REQUESTED))
    told.note(event(7, 5, "status_changed"))
    told.note({**event(7, 6, SELECTED), "source": "/shipx/1"})
    assert told.has_ended(7)
    told.note(event(7, 7, REQUESTED, intent="another"))
    assert not told.has_ended(7)


def test_offers_that_a_read_found_first_are_counted_once_they_are_bought() -> None:
    told = receipts({7: BOUGHT, 8: BOUGHT})
    told.note(event(8, 9, OFFERED, evidence="carrier"))
    told.note(event(9, 1, OFFERED, evidence="carrier"))
    counts = counted(takings([7, 8, 9], [7, 8]), told)
    assert counts["  charged, and found by polling"] == 1


def test_the_scenario_is_the_merchants_and_leaves_the_bridges_time_to_see_what_they_did() -> None:
    scenario = load_scenario(SCENARIO)
    assert [(one.id, one.token) for one in scenario.organizations] == [(MERCHANT, MERCHANT_TOKEN)]
    assert scenario.purchases.again == "charge"
    late = max(fault.span[1] for fault in scenario.faults.calls if fault.kind in ("late", "slow") and fault.span)
    shown = late + scenario.delays.purchase * (1 + scenario.delays.jitter) + scenario.faults.hidden.seconds[1]
    assert shown < float(BUYING["BRIDGE_SHIPX__TIMEOUT_S"]) + float(BUYING["BRIDGE_PURCHASING__SETTLE_S"])
