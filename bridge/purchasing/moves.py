"""What follows for a purchase from what was just seen of it: pure judgements, which a hand carries out.

A purchase goes wanted → intended → doubt → succeeded or failed. From `intended` on, only evidence moves it: a lost
answer, a refusal and a crash all look the same, and are settled by the same reads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, assert_never
from uuid import uuid4

from bridge.errors import CarrierRefused, CarrierUnavailable, NoPermit
from bridge.events.catalogue import Offer
from bridge.model import Evidence, IntentId, OfferId
from bridge.purchasing import announce, notes
from bridge.purchasing.delays import READS, RETRIES, STRANGERS, again, soon
from bridge.purchasing.evidence import Bought, Nothing, NotPaid, Underway, evidence
from bridge.purchasing.policy import CARRIER_OWNED, Adopt, Buy, Decision, Decline, Expired, Hold, NotOurs, Wait, decide
from bridge.purchasing.policy.document import document
from bridge.purchasing.shipment import Shipment
from bridge.purchasing.terms import Terms
from bridge.store.budget import Refusal, next_minute
from bridge.store.decisions import Decided
from bridge.store.purchase import ADOPTED, Answer, Purchase, PurchaseState

GIVE_UP_AFTER: Final = timedelta(minutes=10)
"""From the end of the window to the end of waiting for a carrier that lets nothing be decided."""
UNKNOWN_AFTER: Final = timedelta(seconds=60)
REFUSALS: Final = 3
"""How many intents of a window may end unbought before nothing more is tried."""
_ENOUGH_READS: Final = 3
_EDIT_SHOWS_WITHIN: Final = timedelta(seconds=15)
_EDIT_READ_S: Final = 1.5
_NOT_TO_THIS_TOKEN: Final = (401, 403)
_NOT_FOUND: Final = 404
PAUSED: Final = "account_paused"
"""The reason of what ended because its organization was paused: it is wanted again when that is over."""
_PAUSED: Final = (PAUSED, PAUSED, Evidence.carrier)
_UNREACHABLE: Final = ("carrier_unreachable", "carrier_unavailable", Evidence.webhook)
"""Why nothing was decided: as kept, as published, and what the event goes by."""
NO_TOKEN: Final = CarrierUnavailable("no_token")


@dataclass(frozen=True, slots=True)
class Move:
    """A purchase from now on, and what is told of it. `pauses` is why the whole account is paused, where it is."""

    purchase: Purchase
    tell: tuple[announce.Tell, ...] = ()
    pauses: str | None = None
    decided: Decided | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """An offer that is to be bought now. `before` is what stays of the purchase where it cannot be asked for."""

    purchase: Purchase
    before: Purchase
    shipment: Shipment
    decision: Buy
    tell: tuple[announce.Tell, ...] = ()


@dataclass(frozen=True, slots=True)
class Stale:
    """Offers that have expired and are to be made anew."""

    purchase: Purchase


Next = Move | Chosen | Stale


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is judged: when the read was asked for, what time it is, and whether nothing may be bought now."""

    asked_at: datetime
    now: datetime
    is_paused: bool = False


def judge(purchase: Purchase, shipment: Shipment, terms: Terms, moment: Moment) -> Next:
    """Say what follows from a read."""
    if purchase.state is PurchaseState.wanted:
        return _decided(purchase, shipment, terms, moment)
    return _settled(purchase, shipment, terms, moment)


# -- deciding ----------------------------------------------------------------------------------------------------------


def _decided(purchase: Purchase, shipment: Shipment, terms: Terms, moment: Moment) -> Next:
    now = moment.now
    decision = decide(shipment, terms.policy, purchase.organization, ours=_is_ours(purchase))
    noted = replace(purchase, note=notes.read(purchase, shipment, decision))
    match decision:
        case Buy() | Hold():
            return _wished(noted, shipment, decision, terms, now)
        case Adopt(bought):
            return _adopted(noted, shipment, bought)
        case Decline(why, rejected):
            told = announce.declined(noted, shipment, why, rejected, terms.policy)
            decided = record(noted, shipment, decision, terms)
            return _ended(noted, shipment, PurchaseState.declined, why, told, decided=decided)
        case Expired():
            return _expired(noted, shipment, terms, moment)
        case NotOurs(why):
            said = (announce.declined(noted, shipment, why, (), terms.policy),) if why == CARRIER_OWNED else ()
            return _ended(noted, shipment, PurchaseState.not_ours, why, *said)
        case Wait() if is_hopeless(noted, now):
            none = announce.declined(noted, shipment, "none_available", (), terms.policy)
            return _ended(noted, shipment, PurchaseState.declined, "none_available", none)
        case Wait():
            return Move(again(noted, RETRIES, now))
        case _:
            assert_never(decision)


def _wished(purchase: Purchase, shipment: Shipment, decision: Buy | Hold, terms: Terms, now: datetime) -> Next:
    """Buy what the policy chose, if nobody has to be asked first."""
    chosen = choose(purchase, shipment, decision.offer)
    why = _asks_somebody(purchase, decision, terms)
    if why is None:
        told = _left_behind(purchase, shipment, decision.offer)
        before = replace(purchase, deadline=chosen.deadline)
        return Chosen(chosen, before, shipment, _as_buy(decision), told)
    selected = announce.selected(chosen, shipment, _as_buy(decision), terms.policy)
    held = announce.held(chosen, shipment, decision.offer, why)
    ended = _ended(chosen, shipment, PurchaseState.held, why, selected, held)
    return replace(ended, decided=record(chosen, shipment, decision, terms))


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
        reads=0,
        attempts=0,
        reason=None,
    )


def _left_behind(purchase: Purchase, shipment: Shipment, offer: Offer | None) -> tuple[announce.Tell, ...]:
    """Tell the end of an intent that the carrier never took in, where another offer is bought, or none."""
    if purchase.answer is not Answer.not_taken or (offer is not None and purchase.offer == offer.offer_id):
        return ()
    return (announce.failed(purchase, "other", shipment.at),)


def _adopted(purchase: Purchase, shipment: Shipment, bought: Bought) -> Move:
    """Take note that somebody else bought it."""
    facts = announce.seen_bought(purchase, shipment)
    if bought.offer is None:
        told = announce.confirmed(purchase, shipment)
        return _ended(purchase, shipment, PurchaseState.succeeded, ADOPTED, facts, told)
    before = _left_behind(purchase, shipment, None)
    offer = bought.offer
    adopted = replace(
        purchase,
        intent=IntentId(f"adopted-{purchase.organization}-{purchase.shipment}"),
        offer=OfferId(offer.offer_id),
        service=offer.service_id,
        answer=None,
    )
    told = announce.succeeded(adopted, shipment, offer, adopted=True)
    return _ended(adopted, shipment, PurchaseState.succeeded, ADOPTED, *before, told, facts)


def _expired(purchase: Purchase, shipment: Shipment, terms: Terms, moment: Moment) -> Next:
    """Have the offers made anew, so many times; an edit takes a while to show."""
    if moment.is_paused:  # they would expire again before anything may be bought
        return _ended(purchase, shipment, PurchaseState.expired, PAUSED, announce.expired(purchase, shipment))
    if purchase.edited_at is not None and moment.now < purchase.edited_at + _EDIT_SHOWS_WITHIN:
        return Move(soon(purchase, _EDIT_READ_S, moment.now))
    if purchase.regenerations < terms.regenerations and terms.mode != "dry_run":
        return Stale(purchase)
    return _ended(purchase, shipment, PurchaseState.expired, None, announce.expired(purchase, shipment))


def regenerated(purchase: Purchase, now: datetime) -> Move:
    """Look for the new offers by reading, whatever came of asking for them; that counts."""
    edited = replace(purchase, regenerations=purchase.regenerations + 1, edited_at=now)
    return Move(soon(replace(edited, deadline=now + timedelta(minutes=5)), _EDIT_READ_S, now))


def unaffordable(chosen: Chosen, why: Refusal, terms: Terms, now: datetime) -> Move:
    """Say what follows where the budget does not allow it."""
    purchase = replace(chosen.purchase, state=PurchaseState.wanted)
    if why == "too_many_a_minute":
        return Move(replace(purchase, due_at=next_minute(now)), chosen.tell)
    told = announce.declined(purchase, chosen.shipment, why, chosen.decision.rejected, terms.policy)
    return _ended(purchase, chosen.shipment, PurchaseState.declined, why, *chosen.tell, told)


# -- settling ----------------------------------------------------------------------------------------------------------


def _settled(purchase: Purchase, shipment: Shipment, terms: Terms, moment: Moment) -> Next:
    now = moment.now
    found = evidence(shipment, before=purchase.payments)
    noted = replace(purchase, note=notes.read(purchase, shipment, found))
    match found:
        case Bought(offer):
            return _bought(noted, shipment, offer)
        case NotPaid(why):
            return _failed(noted, why, shipment.changed_at, now, is_over=True)
        case Underway():
            doubt = replace(noted, state=PurchaseState.doubt)
            return Move(again(doubt, READS, now), _unknown(doubt, now))
        case Nothing():
            return _nothing_yet(noted, shipment, terms, moment)
        case _:
            assert_never(found)


def _bought(purchase: Purchase, shipment: Shipment, offer: Offer | None) -> Move:
    """Take note of what was bought. Another offer than ours was bought by somebody else."""
    seen = announce.seen_bought(purchase, shipment)
    if offer is None or offer.offer_id == purchase.offer:
        told = announce.succeeded(purchase, shipment, offer, adopted=False)
        return _ended(purchase, shipment, PurchaseState.succeeded, None, told, seen)
    theirs = replace(purchase, offer=OfferId(offer.offer_id), service=offer.service_id)
    told = announce.succeeded(theirs, shipment, offer, adopted=True)
    return _ended(theirs, shipment, PurchaseState.succeeded, ADOPTED, told, seen)


def _nothing_yet(purchase: Purchase, shipment: Shipment, terms: Terms, moment: Moment) -> Move:
    """Read on, until reads enough over a time long enough show that nothing was bought, or explain the refusal."""
    now = moment.now
    read = replace(purchase, state=PurchaseState.doubt, reads=purchase.reads + 1)
    if purchase.answer is Answer.refused and not _is_for_sale(purchase, shipment):
        return _failed(read, purchase.reason or "other", shipment.at, now)
    settled_at = (purchase.left_by or purchase.due_at) + terms.settle
    if read.reads < _ENOUGH_READS or moment.asked_at < settled_at:
        return Move(again(read, READS, now))
    return _failed(read, purchase.reason or "other", shipment.at, now)


def _is_for_sale(purchase: Purchase, shipment: Shipment) -> bool:
    """Say whether the offer that was asked for can still be bought, so that its refusal is not explained."""
    mine = [offer for offer in shipment.offers if offer.offer_id == purchase.offer]
    return any(
        offer.status in ("available", "selected") and not (offer.expires_at and offer.expires_at <= shipment.at)
        for offer in mine
    )


def _failed(purchase: Purchase, why: str, at: datetime, now: datetime, *, is_over: bool = False) -> Move:
    """End an intent that bought nothing. While the window is open the shipment is wanted again, a few times."""
    told = announce.failed(purchase, why, at)
    refused = replace(purchase, refusals=purchase.refusals + 1, answer=None)
    if is_over or refused.refusals >= REFUSALS or now >= purchase.deadline:
        return Move(replace(refused, state=PurchaseState.failed, reason=why), (told,), _pauses(why))
    anew = replace(refused, state=PurchaseState.wanted, intent=None, reason=None, reads=0)
    return Move(soon(anew, 0, now), (told,), _pauses(why))


# -- a read that brought nothing ---------------------------------------------------------------------------------------


def unread(purchase: Purchase, error: CarrierUnavailable | CarrierRefused, terms: Terms, now: datetime) -> Move:
    """Say what follows where the carrier did not show the shipment."""
    noted = replace(purchase, note=notes.unread(purchase, error))
    if error is NO_TOKEN and purchase.state is PurchaseState.wanted:
        return Move(replace(noted, state=PurchaseState.not_ours, reason="no_token"))
    if isinstance(error, NoPermit):
        return not_now(noted, error, terms, now)
    if isinstance(error, CarrierUnavailable) or noted.state is not PurchaseState.wanted:
        return _later(noted, error, terms, now)
    is_over = now >= purchase.deadline
    if error.status in _NOT_TO_THIS_TOKEN:
        return given_up(noted, _PAUSED, terms, now) if is_over else Move(again(noted, RETRIES, now))
    if error.status == _NOT_FOUND:  # nobody is told of a forged id
        quiet = replace(noted, state=PurchaseState.not_ours, reason="not_found")
        return Move(quiet) if is_over else Move(again(noted, STRANGERS, now))
    return _later(noted, error, terms, now)


def not_now(purchase: Purchase, error: NoPermit, terms: Terms, now: datetime) -> Move:
    """Nobody was asked: come again when there may be a turn. What is paused until its window ends is given up."""
    if is_hopeless(purchase, now):
        return given_up(purchase, _UNREACHABLE, terms, now)
    if error.reason == "paused" and now >= purchase.deadline:
        return given_up(purchase, _PAUSED, terms, now)
    due = now + timedelta(seconds=max(error.retry_after or 0.0, RETRIES[0]))
    note = notes.not_asked(purchase, error, after=purchase.note)
    return Move(replace(purchase, due_at=due, note=note), _unknown(purchase, now))


def _later(purchase: Purchase, error: CarrierUnavailable | CarrierRefused, terms: Terms, now: datetime) -> Move:
    """Try again later and later, and say so when a purchase hangs on it."""
    if is_hopeless(purchase, now):
        return given_up(purchase, _UNREACHABLE, terms, now)
    wait = getattr(error, "retry_after", None)
    not_before = None if wait is None else now + timedelta(seconds=wait)
    return Move(again(purchase, RETRIES, now, not_before=not_before), _unknown(purchase, now))


def given_up(purchase: Purchase, why: tuple[str, str, Evidence], terms: Terms, now: datetime) -> Move:
    """End what was wanted and could not be decided about, and let consumers hear of it."""
    kept, published, found = why
    told = announce.given_up(purchase, published, found, terms.policy, now)
    return Move(replace(purchase, state=PurchaseState.expired, reason=kept), (told,))


def is_hopeless(purchase: Purchase, now: datetime) -> bool:
    """Say whether a wanted purchase has waited for too long beyond its window."""
    return purchase.state is PurchaseState.wanted and now >= purchase.deadline + GIVE_UP_AFTER


def _unknown(purchase: Purchase, now: datetime) -> tuple[announce.Tell, ...]:
    """Say that nobody knows, where a purchase has been in doubt for long; the fact is kept once."""
    if purchase.state is PurchaseState.wanted or purchase.send_before is None:
        return ()
    overdue = purchase.send_before + UNKNOWN_AFTER < now
    return (announce.unknown(purchase, now),) if overdue else ()


def _ended(
    purchase: Purchase,
    shipment: Shipment,
    state: PurchaseState,
    why: str | None,
    *tell: announce.Tell,
    decided: Decided | None = None,
) -> Move:
    """End a purchase; an intent that was never taken in ends with it."""
    before = () if state is PurchaseState.succeeded else _left_behind(purchase, shipment, None)
    return Move(replace(purchase, state=state, reason=why, answer=None), (*before, *tell), decided=decided)


def record(purchase: Purchase, shipment: Shipment, decision: Decision, terms: Terms) -> Decided:
    """Give what is kept of a decision: what was on offer, and what the policy made of it."""
    body = document(shipment, decision, ours=_is_ours(purchase)).model_dump_json()
    which = purchase.organization, purchase.shipment, shipment.at, purchase.intent
    return Decided(*which, terms.policy.sha256, body)


def _is_ours(purchase: Purchase) -> bool:
    """Say whether we tried to pay for the shipment before."""
    return purchase.send_before is not None


def _pauses(why: str) -> str | None:
    """Say why the whole account is paused by a failure, where it is."""
    return why if why in _ACCOUNT_WIDE else None


_ACCOUNT_WIDE: Final = ("insufficient_funds", "account_data_missing")
