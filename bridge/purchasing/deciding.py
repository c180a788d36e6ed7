"""What follows from a read of a shipment that is wanted: the policy's decision, and who has to be asked first. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Literal, assert_never
from uuid import uuid4

from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.events.catalogue import Offer
from bridge.model import IntentId, OfferId
from bridge.purchasing import announce, notes
from bridge.purchasing.delays import RETRIES, again, soon
from bridge.purchasing.evidence import Bought
from bridge.purchasing.moves import Chosen, Moment, Move, Next, Stale, at_rest, ended, is_hopeless, left_behind
from bridge.purchasing.policy import CARRIER_OWNED, Adopt, Buy, Decision, Decline, Expired, Hold, NotOurs, Wait, decide
from bridge.purchasing.policy.document import document
from bridge.purchasing.shipment import Shipment
from bridge.purchasing.terms import Terms
from bridge.store.budget import Refusal, next_minute
from bridge.store.decisions import Decided
from bridge.store.purchase import ADOPTED, PAUSED, Answer, Purchase, PurchaseState
from bridge.store.wanting import WINDOW

RESCUED: Final = timedelta(hours=1)
"""For so long after the end of a window its offers are made anew without anybody asking."""
_EDIT_SHOWS_WITHIN: Final = timedelta(seconds=15)
_EDIT_READ_S: Final = 1.5


def decided(purchase: Purchase, shipment: Shipment, terms: Terms, moment: Moment) -> Next:
    """Decide about a shipment as it was just read."""
    now = moment.now
    decision = decide(shipment, terms.policy, purchase.organization, ours=_is_ours(purchase))
    noted = replace(purchase, note=notes.read(purchase, shipment, decision))
    match decision:
        case Buy() | Hold():
            return _wished(noted, shipment, decision, terms, now)
        case Adopt(bought):
            return adopted(noted, shipment, bought)
        case Decline(why, rejected):
            told = announce.declined(noted, shipment, why, rejected, terms.policy)
            decided = record(noted, shipment, decision, terms)
            return ended(noted, shipment.at, PurchaseState.declined, why, told, decided=decided)
        case Expired():
            return _expired(noted, shipment, terms, moment)
        case NotOurs(why):
            said = (announce.declined(noted, shipment, why, (), terms.policy),) if why == CARRIER_OWNED else ()
            return ended(noted, shipment.at, PurchaseState.not_ours, why, *said)
        case Wait() if is_hopeless(noted, now):
            none = announce.declined(noted, shipment, "none_available", (), terms.policy)
            return ended(noted, shipment.at, PurchaseState.declined, "none_available", none)
        case Wait():
            return Move(again(noted, RETRIES, now))
        case _:
            assert_never(decision)


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
    if _is_approved(purchase, decision):
        return None
    if isinstance(decision, Hold):
        return decision.reason
    return "approval_required" if terms.mode == "approve" else None


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
    )


def adopted(purchase: Purchase, shipment: Shipment, bought: Bought) -> Move:
    """Take note that somebody else bought it."""
    facts = announce.seen_bought(purchase, shipment)
    if bought.offer is None:
        told = announce.confirmed(purchase, shipment)
        return ended(purchase, shipment.at, PurchaseState.succeeded, ADOPTED, facts, told)
    before = left_behind(purchase, shipment.at)
    offer = bought.offer
    theirs = replace(
        purchase,
        intent=IntentId(f"adopted-{purchase.organization}-{purchase.shipment}"),
        offer=OfferId(offer.offer_id),
        service=offer.service_id,
        answer=None,
    )
    told = announce.succeeded(theirs, shipment, offer, adopted=True)
    return ended(theirs, shipment.at, PurchaseState.succeeded, ADOPTED, *before, told, facts)


def _expired(purchase: Purchase, shipment: Shipment, terms: Terms, moment: Moment) -> Next:
    """Have the offers made anew, so many times; an edit takes a while to show."""
    if _was_held(purchase):
        told = announce.expired(purchase, shipment, held=purchase.reason)
        return Move(replace(at_rest(purchase, PurchaseState.held, purchase.reason), look_at=None), (told,))
    if moment.is_paused:  # they would expire again before anything may be bought
        return ended(purchase, shipment.at, PurchaseState.expired, PAUSED, announce.expired(purchase, shipment))
    if purchase.edited_at is not None and moment.now < purchase.edited_at + _EDIT_SHOWS_WITHIN:
        return Move(soon(purchase, _EDIT_READ_S, moment.now))
    may_edit = purchase.regenerations < terms.regenerations and terms.mode != "dry_run"
    if may_edit and not _is_abandoned(purchase, shipment):
        return Stale(purchase)
    return ended(purchase, shipment.at, PurchaseState.expired, None, announce.expired(purchase, shipment))


def _was_held(purchase: Purchase) -> bool:
    """Say whether it waits for a person, and nobody but a webhook asked for it since: no offers are made for that."""
    is_asked_for = purchase.approval is not None or purchase.answer in (Answer.asked, Answer.not_taken)
    return purchase.intent is not None and not is_asked_for


def _is_abandoned(purchase: Purchase, shipment: Shipment) -> bool:
    """Say whether its offers ran out long ago, and nobody but a webhook asks for it: anybody may have sent that."""
    newest = max((offer.expires_at for offer in shipment.offers if offer.expires_at), default=None)
    is_old = newest is not None and newest + RESCUED < shipment.at
    return is_old and purchase.answer is not Answer.asked


def edited(purchase: Purchase, now: datetime) -> Purchase:
    """Count an edit that is about to be asked for: it is one, whatever comes of it."""
    counted = replace(purchase, regenerations=purchase.regenerations + 1, edited_at=now)
    return soon(replace(counted, deadline=now + WINDOW), _EDIT_READ_S, now)


def regenerated(
    purchase: Purchase, result: Literal["accepted"] | CarrierUnavailable | CarrierRefused, now: datetime
) -> Move:
    """Look for the new offers by reading, whatever came of asking for them."""
    noted = replace(purchase, note=notes.edited(purchase, result))
    return Move(soon(noted, _EDIT_READ_S, now))


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
    body = document(shipment, decision, ours=_is_ours(purchase)).model_dump_json()
    which = purchase.organization, purchase.shipment, shipment.at, purchase.intent
    return Decided(*which, terms.policy.sha256, body)


def _is_ours(purchase: Purchase) -> bool:
    """Say whether we tried to pay for the shipment before."""
    return purchase.send_before is not None
