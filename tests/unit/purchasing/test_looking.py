"""What follows where a purchase is read on which nobody works: when it is read again, and whether people hear of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bridge.errors import CarrierRefused, CarrierUnavailable, NoPermit
from bridge.events.shipment import ShipmentState
from bridge.model import IntentId, OfferId, ShipmentId
from bridge.purchasing.announce import told
from bridge.purchasing.looking import looked, unseen
from bridge.purchasing.moves import Moment, Move
from bridge.purchasing.shipment import PaymentState, Shipment
from bridge.purchasing.terms import Terms
from bridge.purchasing.unread import NO_TOKEN, NOT_LISTED
from bridge.store.budget import Caps
from bridge.store.purchase import Purchase, PurchaseState
from tests.unit.purchasing.policy.making import AT, LOCKER, ORGANIZATION, offer, payment, policy, rule, shipment

TERMS = Terms(
    mode="auto",
    policy=policy(rule(LOCKER)),
    caps=Caps(1000),
    settle=timedelta(seconds=20),
    call_within=timedelta(seconds=10),
    regenerations=3,
)
HELD = Purchase(
    ORGANIZATION,
    ShipmentId(1),
    PurchaseState.held,
    deadline=AT - timedelta(seconds=5),
    due_at=AT,
    cause="a delivery",
    intent=IntentId("the first"),
    offer=OfferId(1),
    service=LOCKER,
    reason="approval_required",
    look_at=AT,
)
SAID: dict[str, Any] = {"state": PurchaseState.declined, "said_at": AT - timedelta(seconds=3)}
LATER: dict[str, Any] = {"state": PurchaseState.declined, "said_at": AT - timedelta(seconds=20)}
LONG_AGO = AT - timedelta(minutes=10)
GONE = offer(1, status="expired", left=-5)


def at(move: Move) -> float | None:
    """Give the seconds until it is read again."""
    found = move.purchase.look_at
    return None if found is None else (found - AT).total_seconds()


def hears(move: Move) -> list[str]:
    return [fact.type.removeprefix("shipment.") for fact in told(move.tell, ShipmentState())[0]]


LOOKS: list[tuple[dict[str, Any], Shipment, float | None, list[str], str]] = [
    # how it stands, what a read shows, when it is read again, what is told
    ({}, shipment(GONE), None, ["offers_expired"], "the window has closed"),
    ({}, shipment(offer(1, left=100)), 105, [], "it is open, and was known as closed"),
    ({}, shipment(GONE, offer(2, left=0)), None, ["offers_expired"], "one that ends now cannot be bought"),
    ({}, shipment(offer(1, left=None)), None, [], "an offer without an end: there is nothing to wait for"),
    ({}, shipment(offer(1, status="unavailable")), None, ["offers_expired"], "nothing can be bought any more"),
    ({}, shipment(status="created"), 60, [], "offers are being made"),
    ({}, shipment(), 60, [], "a list that left them out"),
    ({"deadline": LONG_AGO}, shipment(), None, [], "for too long"),
    ({}, shipment(GONE, status="canceled"), None, [], "nobody wants it any more"),
    ({}, shipment(GONE, payments=[payment(PaymentState.running)]), 60, [], "somebody is paying"),
    ({}, shipment(GONE, payments=[payment(PaymentState.failure)]), None, ["offers_expired"], "somebody could not pay"),
    (SAID, shipment(offer(1)), 17, [], "said to be bought, which may not show yet"),
    (LATER, shipment(offer(1)), None, [], "said to be bought, and it would show"),
    ({**SAID, "state": PurchaseState.held}, shipment(GONE), 17, [], "nobody hears what may turn out otherwise"),
    (
        {**LATER, "state": PurchaseState.held},
        shipment(offer(1, left=100)),
        105,
        [],
        "not bought, and its window is open",
    ),
    ({**LATER, "state": PurchaseState.held}, shipment(GONE), None, ["offers_expired"], "not bought, and it is over"),
    (
        {"state": PurchaseState.declined, "said_at": AT + timedelta(days=9)},
        shipment(),
        None,
        [],
        "a clock was set back",
    ),
]


@pytest.mark.parametrize(("columns", "read", "again", "facts", "remark"), LOOKS, ids=[row[4] for row in LOOKS])
def test_what_is_not_bought_stays_as_it_is(
    columns: dict[str, Any], read: Shipment, again: float | None, facts: list[str], remark: str
) -> None:
    purchase = replace(HELD, **columns)
    move = looked(purchase, read, TERMS, Moment(AT, AT))
    assert (at(move), hears(move)) == (again, facts), remark
    assert replace(move.purchase, look_at=None, note=None) == replace(purchase, look_at=None)


@pytest.mark.parametrize("columns", [{}, SAID])
def test_what_is_bought_is_adopted(columns: dict[str, Any]) -> None:
    bought = offer(2, status="bought")
    read = shipment(GONE, bought, status="confirmed", selected=bought)
    move = looked(replace(HELD, **columns), read, TERMS, Moment(AT, AT))
    assert (move.purchase.state, move.purchase.reason, move.purchase.offer) == ("succeeded", "adopted", 2)
    assert hears(move) == ["purchase_succeeded", "confirmed", "status_changed"]


UNSEEN: list[tuple[dict[str, Any], CarrierUnavailable | CarrierRefused, float | None, str]] = [
    ({}, CarrierUnavailable("timeout"), 60, "away"),
    ({"deadline": AT - timedelta(days=9)}, CarrierUnavailable("timeout"), 60, "away for long: people have to hear"),
    ({}, CarrierUnavailable("limited", retry_after=90), 90, "away for so long"),
    ({}, NoPermit("no_turn"), 5, "others came first"),
    ({}, NoPermit("breaker_open", retry_after=30), 30, "nobody is let through"),
    ({}, NO_TOKEN, None, "nobody can be asked"),
    ({}, NOT_LISTED, 60, "not in a list"),
    ({"deadline": AT - timedelta(minutes=2)}, NOT_LISTED, None, "in no list for two minutes"),
    ({}, CarrierRefused("resource_not_found", status=404), None, "gone"),
    ({}, CarrierRefused("access_forbidden", status=403), 60, "not to this token"),
    ({"deadline": LONG_AGO}, CarrierRefused("access_forbidden", status=403), None, "not to this token, for too long"),
    (SAID, CarrierRefused("resource_not_found", status=404), 17, "said to be bought, and may show yet"),
    (LATER, CarrierRefused("resource_not_found", status=404), None, "said to be bought, and is none"),
    (SAID, NOT_LISTED, 17, "said to be bought, and may come in a list"),
    (LATER, NOT_LISTED, 60, "which is tried a few times"),
]


@pytest.mark.parametrize(("columns", "error", "again", "remark"), UNSEEN, ids=[row[3] for row in UNSEEN])
def test_what_is_not_shown_is_looked_for_again_or_left(
    columns: dict[str, Any], error: CarrierUnavailable | CarrierRefused, again: float | None, remark: str
) -> None:
    purchase = replace(HELD, **columns)
    move = unseen(purchase, error, TERMS, AT)
    assert (at(move), move.tell) == (again, ()), remark
    assert replace(move.purchase, look_at=None, note=None) == replace(purchase, look_at=None)
