"""What is put off stays as it was, so that what was intended before it is still told of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bridge.errors import CarrierRefused, NoPermit
from bridge.events.shipment import ShipmentState
from bridge.model import IntentId, OfferId, ShipmentId
from bridge.purchasing.announce import told
from bridge.purchasing.deciding import decided, unaffordable
from bridge.purchasing.moves import Chosen, Moment, Move, at_rest
from bridge.purchasing.shipment import PaymentState, Shipment, Traits
from bridge.purchasing.terms import Terms
from bridge.purchasing.unread import NO_TOKEN, not_now, unlisted, unread
from bridge.store.budget import Caps
from bridge.store.purchase import Answer, Approval, Purchase, PurchaseState
from tests.unit.purchasing.policy.making import (
    AT,
    COURIER,
    LOCKER,
    ORGANIZATION,
    offer,
    payment,
    policy,
    rule,
    shipment,
)

TERMS = Terms(
    mode="auto",
    policy=policy(rule(LOCKER, COURIER)),
    caps=Caps(1000),
    settle=timedelta(seconds=20),
    call_within=timedelta(seconds=10),
    regenerations=3,
)
NOT_TAKEN = Purchase(
    ORGANIZATION,
    ShipmentId(1),
    PurchaseState.wanted,
    deadline=AT + timedelta(seconds=300),
    due_at=AT,
    cause="a delivery",
    intent=IntentId("the first"),
    offer=OfferId(1),
    service=LOCKER,
    answer=Answer.not_taken,
)
GONE = shipment(offer(1, status="unavailable"), offer(2, COURIER, left=200))


def chosen(purchase: Purchase) -> Chosen:
    found = decided(purchase, GONE, TERMS, Moment(AT, AT))
    assert isinstance(found, Chosen)
    return found


def ended(one: Chosen | Move) -> list[tuple[str, str]]:
    """Give the intents whose end is told before the new one."""
    facts, _ = told(one.tell, ShipmentState())
    return [(fact.type, fact.key) for fact in facts]


@pytest.mark.parametrize(
    ("answer", "after"),
    [(None, "stranger"), ("stranger", "stranger"), ("asked", "asked"), ("renew", "renew"), ("not_taken", "not_taken")],
)
def test_what_the_carrier_does_not_know_waits_behind_the_rest_unless_a_person_asks_for_it(
    answer: str | None, after: str
) -> None:
    wanted = replace(NOT_TAKEN, answer=None if answer is None else Answer(answer))
    assert unlisted(wanted, AT).purchase.answer == after
    unknown = CarrierRefused("resource_not_found", status=404)
    assert unread(wanted, unknown, TERMS, AT).purchase.answer == after


@pytest.mark.parametrize(("selected", "state"), [(1, PurchaseState.intended), (2, PurchaseState.not_ours)])
def test_what_is_selected_is_ours_only_where_we_asked_for_that_offer(selected: int, state: PurchaseState) -> None:
    tried = replace(NOT_TAKEN, answer=None, intent=None, offer=OfferId(1), send_before=AT)
    one, failed = offer(selected), payment(PaymentState.failure)
    seen = shipment(one, status="offer_selected", selected=one, payments=[failed])
    found = decided(tried, seen, TERMS, Moment(AT, AT))
    is_chosen = isinstance(found, Chosen)
    assert is_chosen == (state is PurchaseState.intended)
    assert is_chosen or (isinstance(found, Move) and found.purchase.state is state)


@pytest.mark.parametrize(("carrier_owned", "state"), [("leave", "not_ours"), ("buy_when_stuck", "declined")])
def test_what_the_carrier_owns_goes_on_being_its_own_after_an_intent_that_left_no_trace(
    carrier_owned: str, state: str
) -> None:
    tried = replace(NOT_TAKEN, answer=None, intent=None, offer=OfferId(1), send_before=AT)
    stuck = replace(
        shipment(offer(1, status="unavailable"), offer(2, COURIER), service=LOCKER),
        traits=Traits(created_at=AT - timedelta(minutes=1)),
    )
    terms = replace(TERMS, policy=policy(rule(LOCKER, COURIER), head=f"carrier_owned = '{carrier_owned}'"))
    found = decided(tried, stuck, terms, Moment(AT, AT))
    assert isinstance(found, Move)
    assert found.purchase.state == state
    paid_before = replace(stuck, payments=(payment(PaymentState.failure),))
    assert isinstance(decided(tried, paid_before, terms, Moment(AT, AT)), Chosen), "the service is that of our payment"


def test_offers_that_do_not_show_yet_are_waited_for_a_while() -> None:
    purchase, seconds = replace(NOT_TAKEN, answer=None, intent=None), 0.0
    while purchase.state is PurchaseState.wanted:
        found = decided(purchase, shipment(), TERMS, Moment(AT, AT))
        assert isinstance(found, Move)
        seconds += (found.purchase.due_at - AT).total_seconds() if found.purchase.state == purchase.state else 0
        purchase = found.purchase
    assert (purchase.state, purchase.reason, seconds) == (PurchaseState.declined, "none_available", 15)


def test_an_edit_of_which_no_offer_shows_yet_is_waited_for() -> None:
    asked = replace(NOT_TAKEN, answer=Answer.renew, intent=None, edited_at=AT, attempts=9)
    waits = decided(asked, shipment(), TERMS, Moment(AT, AT + timedelta(seconds=14)))
    assert isinstance(waits, Move)
    assert waits.purchase.state is PurchaseState.wanted
    gives_up = decided(asked, shipment(), TERMS, Moment(AT, AT + timedelta(seconds=15)))
    assert isinstance(gives_up, Move)
    assert gives_up.purchase.state is PurchaseState.declined


APPROVED = replace(NOT_TAKEN, answer=None, approval=Approval("Jan", LOCKER, None), ordered=OfferId(7))


@pytest.mark.parametrize(
    ("state", "why", "is_kept"),
    [
        (PurchaseState.declined, "none_available", False),
        (PurchaseState.expired, None, False),
        (PurchaseState.failed, "other", False),
        (PurchaseState.expired, "account_paused", True),
        (PurchaseState.expired, "account_refused", True),
        (PurchaseState.failed, "insufficient_funds", True),
        (PurchaseState.expired, "carrier_unreachable", True),
    ],
)
def test_what_a_person_approved_and_ordered_ends_with_it_unless_it_is_wanted_again_as_it_was(
    state: PurchaseState, why: str | None, is_kept: bool
) -> None:
    after = at_rest(APPROVED, state, why)
    assert (after.approval is not None, after.ordered is not None) == (is_kept, is_kept)


def test_a_hold_is_asked_about_before_an_approval_that_is_older() -> None:
    approval = Approval("Jan", LOCKER, Decimal(1000))
    held = replace(NOT_TAKEN, answer=None, intent=None, approval=approval, reason="by_person")
    found = decided(held, shipment(offer(1)), TERMS, Moment(AT, AT))
    assert isinstance(found, Move)
    assert (found.purchase.state, found.purchase.reason, found.purchase.approval) == ("held", "by_person", None)


def test_an_intent_that_was_not_taken_in_ends_where_another_offer_is_intended() -> None:
    assert ended(chosen(NOT_TAKEN)) == [("shipment.purchase_failed", "the first")]


def test_it_ends_as_well_where_that_one_had_to_be_put_off_at_first() -> None:
    put_off = not_now(chosen(NOT_TAKEN).before, NoPermit("paused"), TERMS, AT).purchase
    assert (put_off.intent, put_off.offer, put_off.answer) == ("the first", 1, Answer.not_taken)
    assert ended(chosen(put_off)) == [("shipment.purchase_failed", "the first")]


def test_what_is_put_off_before_it_was_ever_intended_has_no_intent_and_knows_its_window() -> None:
    first = replace(NOT_TAKEN, intent=None, offer=None, service=None, answer=None)
    put_off = not_now(chosen(first).before, NoPermit("no_turn"), TERMS, AT).purchase
    assert (put_off.intent, put_off.offer, put_off.deadline) == (None, None, AT + timedelta(seconds=200))


# -- whatever ends a purchase ends an intent that was not taken in, too ------------------------------------------------

HERE = shipment(offer(1, LOCKER, left=200))
BOUGHT = replace(HERE, status="confirmed", offers=(), tracking_number="1")


def chosen_here() -> Chosen:
    found = decided(NOT_TAKEN, HERE, TERMS, Moment(AT, AT))
    assert isinstance(found, Chosen)
    return found


@pytest.mark.parametrize(
    ("seen", "terms"),
    [
        pytest.param(HERE, replace(TERMS, mode="approve"), id="held, with the same offer"),
        pytest.param(GONE, replace(TERMS, mode="approve"), id="held, with another"),
        pytest.param(shipment(offer(1, status="unavailable")), TERMS, id="declined"),
        pytest.param(BOUGHT, TERMS, id="bought by others, and no offer is named any more"),
    ],
)
def test_an_intent_that_was_not_taken_in_ends_with_the_purchase(seen: Shipment, terms: Terms) -> None:
    found = decided(NOT_TAKEN, seen, terms, Moment(AT, AT))
    assert isinstance(found, Move)
    assert ended(found)[0] == ("shipment.purchase_failed", "the first")
    assert (found.purchase.answer, found.purchase.state) != (Answer.not_taken, PurchaseState.wanted)
    if found.purchase.state is PurchaseState.held:
        assert found.purchase.intent != "the first", "that one has ended"


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(unaffordable(chosen_here(), "budget_exhausted", TERMS, AT), id="over the budget"),
        pytest.param(unread(NOT_TAKEN, NO_TOKEN, TERMS, AT), id="without a token"),
        pytest.param(
            unread(NOT_TAKEN, CarrierRefused("resource_not_found", status=404), TERMS, NOT_TAKEN.deadline),
            id="not there",
        ),
        pytest.param(not_now(NOT_TAKEN, NoPermit("paused"), TERMS, NOT_TAKEN.deadline), id="paused for too long"),
    ],
)
def test_it_ends_where_nothing_more_is_asked_for(found: Move) -> None:
    assert ended(found)[0] == ("shipment.purchase_failed", "the first")


def test_an_intent_that_has_to_wait_for_the_next_minute_is_still_told_of_later() -> None:
    waits = unaffordable(chosen_here(), "too_many_a_minute", TERMS, AT)
    assert (waits.tell, waits.purchase.intent, waits.purchase.answer) == ((), "the first", Answer.not_taken)
