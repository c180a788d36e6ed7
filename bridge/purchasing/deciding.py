"""What follows from a read of a shipment that is wanted: the policy's decision, and who has to be asked first. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final, assert_never
from uuid import uuid4

from bridge.events.catalogue import Offer
from bridge.model import IntentId, OfferId
from bridge.purchasing import announce, notes
from bridge.purchasing.delays import RETRIES, again
from bridge.purchasing.evidence import Bought
from bridge.purchasing.moves import Chosen, Moment, Move, Next, ended, is_hopeless, left_behind
from bridge.purchasing.policy import (
    CARRIER_OWNED,
    Adopt,
    Buy,
    Decision,
    Decline,
    Expired,
    Hold,
    NotOurs,
    Wait,
    decide,
    ordered,
)
from bridge.purchasing.policy.document import document
from bridge.purchasing.renewing import expired, renewing
from bridge.purchasing.shipment import Shipment
from bridge.purchasing.terms import Terms
from bridge.store.budget import Refusal, next_minute
from bridge.store.decisions import Decided
from bridge.store.purchase import ADOPTED, NOT_CREATED_HERE, Answer, Purchase, PurchaseState

_UNTIL_THEY_SHOW: Final = 4
"""Reads that may show no offer at all, over fifteen seconds: they are being made, or a list left them out.

Open question B5.
"""


def decided(purchase: Purchase, shipment: Shipment, terms: Terms, moment: Moment) -> Next:
    """Decide about a shipment as it was just read."""
    decision = _decision(purchase, shipment, terms)
    noted = replace(purchase, note=notes.read(purchase, shipment, decision))
    if purchase.answer is Answer.renew and not isinstance(decision, Adopt | NotOurs | Wait):
        waiting = renewing(noted, shipment, terms, moment.now)
        if waiting is not None:
            return waiting
        noted = replace(noted, answer=Answer.asked)
    return _follow(noted, shipment, decision, terms, moment)


def _follow(purchase: Purchase, shipment: Shipment, decision: Decision, terms: Terms, moment: Moment) -> Next:
    match decision:
        case Buy() | Hold():
            return _wished(purchase, shipment, decision, terms, moment.now)
        case Adopt(bought):
            return replace(adopted(purchase, shipment, bought), decided=record(purchase, shipment, decision, terms))
        case Decline() if not shipment.offers and purchase.attempts < _UNTIL_THEY_SHOW:
            return Move(again(purchase, RETRIES, moment.now))
        case Decline():
            return _declined(purchase, shipment, decision, terms)
        case Expired():
            return _ran_out(purchase, shipment, decision, terms, moment)
        case NotOurs(why):
            said = (announce.declined(purchase, shipment, why, (), terms.policy),) if why == CARRIER_OWNED else ()
            kept = record(purchase, shipment, decision, terms)
            return ended(purchase, shipment.at, PurchaseState.not_ours, why, *said, decided=kept)
        case Wait() if is_hopeless(purchase, moment.now):
            none = announce.declined(purchase, shipment, "none_available", (), terms.policy)
            return ended(purchase, shipment.at, PurchaseState.declined, "none_available", none)
        case Wait():
            return Move(again(purchase, RETRIES, moment.now))
        case _:
            assert_never(decision)


def _ran_out(purchase: Purchase, shipment: Shipment, decision: Expired, terms: Terms, moment: Moment) -> Next:
    """Have the offers made anew, or end it: that is kept once, and what waits on for a person was decided before."""
    found = expired(purchase, shipment, terms, moment)
    if not isinstance(found, Move) or found.purchase.state is not PurchaseState.expired:
        return found
    return replace(found, decided=record(purchase, shipment, decision, terms))


def _declined(purchase: Purchase, shipment: Shipment, decision: Decline, terms: Terms) -> Move:
    """End it with nothing acceptable."""
    told = announce.declined(purchase, shipment, decision.reason, decision.rejected, terms.policy)
    kept = record(purchase, shipment, decision, terms)
    return ended(purchase, shipment.at, PurchaseState.declined, decision.reason, told, decided=kept)


def _decision(purchase: Purchase, shipment: Shipment, terms: Terms) -> Decision:
    """Ask the policy, or do what a person ordered."""
    ours, selected_here = _is_ours(purchase, shipment), _is_selected_here(purchase, shipment)
    if purchase.ordered is not None:
        return ordered(shipment, purchase.ordered, terms.policy, ours=ours, selected_here=selected_here)
    return decide(shipment, terms.policy, purchase.organization, ours=ours, selected_here=selected_here)


def _wished(purchase: Purchase, shipment: Shipment, decision: Buy | Hold, terms: Terms, now: datetime) -> Next:
    """Buy what the policy chose, if nobody has to be asked first."""
    left = left_behind(purchase, shipment.at)
    why = _asks_somebody(purchase, decision, terms)
    if why is None:
        chosen = choose(purchase, shipment, decision.offer)
        before = replace(purchase, deadline=chosen.deadline)
        return Chosen(chosen, before, shipment, _as_buy(decision), left if chosen.intent != purchase.intent else ())
    # What was asked for and not taken in, or approved at a lower price, is not what a person is asked about now.
    is_another = left or purchase.approval is not None
    chosen = choose(replace(purchase, intent=None, approval=None) if is_another else purchase, shipment, decision.offer)
    selected = announce.selected(chosen, shipment, _as_buy(decision), terms.policy)
    held = announce.held(chosen, shipment, decision.offer, why)
    decided = record(chosen, shipment, decision, terms)
    return ended(chosen, shipment.at, PurchaseState.held, why, *left, selected, held, decided=decided)


def _asks_somebody(purchase: Purchase, decision: Buy | Hold, terms: Terms) -> str | None:
    """Say why a person has to be asked first, or None."""
    if terms.mode == "dry_run":
        return "dry_run"
    if _is_ordered(purchase, decision):
        return None
    if purchase.hold is not None:
        return purchase.hold
    if _is_approved(purchase, decision):
        return None
    if isinstance(decision, Hold):
        return decision.reason
    if terms.mode == "approve":
        return "approval_required"
    return NOT_CREATED_HERE if terms.only_created and not purchase.is_created_here else None


def _is_ordered(purchase: Purchase, decision: Buy | Hold) -> bool:
    """Say whether a person chose this very offer to be bought."""
    return purchase.ordered is not None and purchase.ordered == decision.offer.offer_id


def _is_approved(purchase: Purchase, decision: Buy | Hold) -> bool:
    """Say whether what was approved covers this offer: the same service, at no higher price."""
    approval = purchase.approval
    if approval is None or approval.service != decision.offer.service_id:
        return False
    if approval.amount is None:
        return decision.price is None
    return decision.price is not None and decision.price.amount <= approval.amount


def _as_buy(decision: Buy | Hold) -> Buy:
    if isinstance(decision, Buy):
        return decision
    return Buy(decision.offer, decision.rejected, decision.rule_id, decision.price)


def choose(purchase: Purchase, shipment: Shipment, offer: Offer) -> Purchase:
    """Take an offer for an intent. What was held or not taken in, and is decided the same way, is the same intent."""
    is_same = purchase.intent is not None and purchase.offer == offer.offer_id
    return replace(
        purchase,
        intent=purchase.intent if is_same else IntentId(str(uuid4())),
        offer=OfferId(offer.offer_id),
        service=offer.service_id,
        deadline=offer.expires_at or purchase.deadline,
        payments=tuple(payment.id for payment in shipment.payments),
        answer=None,
        doubted_at=None,
        reads=0,
        attempts=0,
        reason=None,
        is_held=purchase.hold is not None,
    )


def adopted(purchase: Purchase, shipment: Shipment, bought: Bought) -> Move:
    """Take note that somebody else bought it."""
    facts = announce.seen_bought(purchase, shipment)
    if bought.offer is None:
        told = announce.confirmed(purchase, shipment)
        return ended(purchase, shipment.at, PurchaseState.succeeded, ADOPTED, facts, told)
    before = left_behind(purchase, shipment.at)
    offer = bought.offer
    theirs = announce.theirs(replace(purchase, answer=None), offer)
    told = announce.succeeded(theirs, shipment, offer, adopted=True)
    return ended(theirs, shipment.at, PurchaseState.succeeded, ADOPTED, *before, told, facts)


def unaffordable(chosen: Chosen, why: Refusal, terms: Terms, now: datetime) -> Move:
    """Say what follows where the budget does not allow it."""
    noted = replace(chosen.before, note=notes.unaffordable(chosen.before, why))
    if why == "too_many_a_minute":
        return Move(replace(noted, due_at=next_minute(now)))
    told = announce.declined(noted, chosen.shipment, why, chosen.decision.rejected, terms.policy)
    decided = record(noted, chosen.shipment, chosen.decision, terms)
    return ended(noted, chosen.shipment.at, PurchaseState.declined, why, told, decided=decided)


def record(purchase: Purchase, shipment: Shipment, decision: Decision, terms: Terms) -> Decided:
    """Give what is kept of a decision: what was on offer, and what the policy made of it."""
    ours, selected_here = _is_ours(purchase, shipment), _is_selected_here(purchase, shipment)
    kept = document(shipment, decision, ours=ours, selected_here=selected_here)
    body = kept.model_dump_json()
    which = purchase.organization, purchase.shipment, shipment.at, purchase.intent
    return Decided(*which, terms.policy.sha256, body)


def _is_ours(purchase: Purchase, shipment: Shipment) -> bool:
    """Say whether we tried to pay for the shipment before: what was intended last may never have left.

    Whoever selected another offer than that one is somebody else; and where nothing is selected, only a payment shows
    that one was: otherwise the service that it has is what was asked for at creation.
    """
    if purchase.send_before is None:
        return False
    if shipment.selected is None:
        return bool(shipment.payments)
    return shipment.selected.offer_id == purchase.offer


def _is_selected_here(purchase: Purchase, shipment: Shipment) -> bool:
    """Say whether the offer that is selected at the carrier was selected by a person here."""
    return shipment.selected is not None and shipment.selected.offer_id == purchase.selected
