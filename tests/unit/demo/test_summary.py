"""The demo's balance: a small scenario balances, and each check fails when what it looks at is broken on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.demo.ledger import Ledger
from bridge.demo.records import Delivery, Order, Outcome, Parcel, Seen
from bridge.demo.summary import CHECKS, Account, summarize

START = datetime(2026, 1, 2, 10, tzinfo=UTC)
OURS, THEIRS = 1, 2
"""A shipment that the bridge buys, and one that the carrier buys by itself."""


def delivery(
    number: int, shipment: int, event: str, outcome: Outcome = "accepted", *, of: int | None = None
) -> Delivery:
    at = START + timedelta(seconds=number)
    return Delivery(number, event, 4821, shipment, at, 200, outcome, f"d{of or number}", at)


def seen(shipment: int, sequence: int, kind: str, cause: int, **data: Any) -> Seen:
    at = START + timedelta(seconds=cause, milliseconds=10 * sequence)
    data = {"shipment_id": shipment, **data}
    key = f"e{shipment}-{sequence}"
    return Seen(key, f"shipment.{kind}", "/shipx/4821", f"shipment/{shipment}", sequence, f"d{cause}", data, at)


def status(shipment: int, sequence: int, word: str, cause: int, *, current: bool = True) -> Seen:
    return seen(shipment, sequence, "status_changed", cause, carrier_status=word, current=current)


EVENTS = (
    seen(OURS, 1, "offers_prepared", 1, current=True),
    seen(OURS, 2, "offer_selected", 1, intent_id="i1"),
    seen(OURS, 3, "purchase_requested", 1, intent_id="i1"),
    seen(THEIRS, 1, "offers_prepared", 2, current=True),
    seen(THEIRS, 2, "offer_selection_failed", 2, reason="carrier_owned_purchase"),
    status(OURS, 4, "confirmed", 3),
    seen(OURS, 5, "purchase_succeeded", 1, intent_id="i1", adopted=False),
    status(THEIRS, 3, "delivered", 4),
    status(THEIRS, 4, "out_for_delivery", 5, current=False),
)
ACCOUNT = Account(
    orders=(Order(OURS, 4821, "offer"), Order(THEIRS, 4821, "simplified")),
    deliveries=(
        delivery(1, OURS, "offers_prepared"),
        delivery(2, THEIRS, "offers_prepared"),
        delivery(3, OURS, "confirmed"),
        delivery(4, THEIRS, "delivered"),
        delivery(5, THEIRS, "out_for_delivery"),
        delivery(6, THEIRS, "out_for_delivery", "duplicate", of=5),
    ),
    events=EVENTS,
    charges=(OURS, THEIRS),
    parcels=(Parcel(OURS, "confirmed"), Parcel(THEIRS, "delivered")),
    recorded=tuple(event.id for event in EVENTS),
)


def test_a_sound_scenario_balances() -> None:
    summary = summarize(ACCOUNT)
    assert [check for check in summary.checks if not check.holds] == []
    assert summary.balances
    assert summary.counts == {
        "shipments created": 2,
        "webhooks sent by the carrier": 6,
        "deliveries accepted": 5,
        "duplicates dropped": 1,
        "deliveries parked": 0,
        "charges at the carrier": 2,
        "purchases requested": 1,
        "purchases succeeded": 1,
        "purchases adopted": 0,
        "purchases failed": 0,
        "left to the carrier": 1,
        "not told by the carrier": 0,
        "events": 9,
        "repeats dropped by the consumer": 0,
    }


def test_the_slowest_webhook_is_measured_to_the_first_event_that_came_of_it() -> None:
    """Delivery 1 also led to a purchase a while later, which is not the webhook's fault."""
    assert summarize(ACCOUNT).slowest == pytest.approx(0.04)


def test_without_events_there_is_no_slowest_webhook() -> None:
    assert summarize(replace(ACCOUNT, events=())).slowest is None


def test_a_repeated_message_is_dropped_by_its_id() -> None:
    summary = summarize(replace(ACCOUNT, events=(*EVENTS[:3], EVENTS[0], *EVENTS[3:])))
    assert summary.balances
    assert summary.counts["repeats dropped by the consumer"] == 1


Break = Callable[[Account], Account]


def without(number: int) -> Break:
    """Lose one event on its way to the consumer."""
    return lambda account: replace(account, events=[*account.events[:number], *account.events[number + 1 :]])


def answered(**changes: Any) -> Break:
    """Let the third webhook be answered otherwise."""

    def change(account: Account) -> Account:
        first, second, third, *rest = account.deliveries
        return replace(account, deliveries=(first, second, replace(third, **changes), *rest))

    return change


def charged(*shipments: int) -> Break:
    return lambda account: replace(account, charges=shipments)


def ending(*parcels: Parcel) -> Break:
    return lambda account: replace(account, parcels=parcels)


def received(*events: Seen) -> Break:
    return lambda account: replace(account, events=events)


BROKEN = [
    ("every webhook was answered 200", answered(status=503, outcome=None), "webhook 3 was answered 503"),
    (
        "every webhook was answered 200",
        answered(status=None, outcome=None, error="ReadTimeout"),
        "webhook 3 was answered ReadTimeout",
    ),
    (
        "accepted + duplicate + parked = sent",
        answered(outcome=None),
        "5 accepted, duplicate or parked, of 6 sent",
    ),
    ("no webhook was accepted twice", answered(delivery_id="d1"), "delivery d1 was accepted 2 times"),
    ("no shipment was charged twice", charged(OURS, OURS, THEIRS), "shipment 1 was charged 2 times"),
    ("no shipment was charged twice", charged(OURS, THEIRS, THEIRS), "shipment 2 was charged 2 times"),
    ("every shipment was charged, or a fault is why not", charged(OURS), "shipment 2 was not charged"),
    ("every shipment was charged, or a fault is why not", charged(THEIRS), "shipment 1 was not charged"),
    (
        "charges = purchases succeeded + the carrier's own",
        without(6),
        "shipment 1: 1 charges, 0 purchases succeeded",
    ),
    (
        "charges = purchases succeeded + the carrier's own",
        charged(THEIRS),
        "shipment 1: 0 charges, 1 purchases succeeded",
    ),
    (
        "every requested purchase has an outcome",
        without(6),
        "shipment 1: nobody knows what became of its purchase",
    ),
    (
        "every shipment ended as the carrier told",
        ending(Parcel(OURS, "confirmed"), Parcel(THEIRS, "out_for_delivery")),
        "shipment 2: out_for_delivery at the carrier, delivered in events",
    ),
    (
        "every shipment ended as the carrier told",
        without(7),
        "shipment 2: delivered at the carrier, None in events",
    ),
    ("sequence is 1..n without gaps, in order", without(1), "shipment/1: 1, 3, 4, 5"),
    (
        "sequence is 1..n without gaps, in order",
        received(EVENTS[1], EVENTS[0], *EVENTS[2:]),
        "shipment/1: 2, 1, 3, 4, 5",
    ),
    (
        "every recorded event was received, each id once",
        without(8),
        "event e2-4 is recorded 1 times and never received",
    ),
    (
        "every recorded event was received, each id once",
        lambda account: replace(account, recorded=(*account.recorded, "e1-1")),
        "event e1-1 is recorded 2 times and received",
    ),
    (
        "every recorded event was received, each id once",
        lambda account: replace(account, recorded=account.recorded[1:]),
        "event e1-1 was received and is not recorded",
    ),
]


@pytest.mark.parametrize(("name", "damage", "told"), BROKEN)
def test_what_is_broken_is_found_and_named(name: str, damage: Break, told: str) -> None:
    summary = summarize(damage(ACCOUNT))
    assert not summary.balances
    check = next(check for check in summary.checks if check.name == name)
    assert check.told == told


def test_every_check_is_broken_here() -> None:
    assert {name for name, _, _ in BROKEN} == set(CHECKS)


def test_of_many_problems_a_few_are_told() -> None:
    orders = tuple(Order(number, 4821, "simplified") for number in range(1, 7))
    summary = summarize(replace(ACCOUNT, orders=orders, charges=()))
    check = next(check for check in summary.checks if check.name.startswith("every shipment was charged"))
    assert check.told.endswith("shipment 3 was not charged; and 3 more")


def test_the_ledger_knows_when_nothing_more_will_come() -> None:
    ledger = Ledger()
    for order in ACCOUNT.orders:
        ledger.order(order)
    for webhook in ACCOUNT.deliveries:
        ledger.deliver(webhook)
    found = []
    for event in EVENTS:
        ledger.receive(event)
        found.append((ledger.open, ledger.is_complete(ACCOUNT.parcels)))
    undecided, in_doubt = [(2, False), (1, False)], [(2, False), (2, False), (1, False), (1, False), (0, False)]
    assert found == [*undecided, *in_doubt, (0, True), (0, True)]
