"""What follows from a read of a purchase in doubt: only evidence ends it. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final, assert_never

from bridge.events.catalogue import Offer
from bridge.limits.pause import AccountReason
from bridge.model import OfferId
from bridge.purchasing import announce, notes
from bridge.purchasing.delays import READS, again, soon
from bridge.purchasing.evidence import Bought, Nothing, NotPaid, Underway, evidence
from bridge.purchasing.moves import Moment, Move, at_rest, ended, unknown, waiting
from bridge.purchasing.shipment import Shipment
from bridge.purchasing.terms import Terms
from bridge.store.purchase import ADOPTED, Answer, Purchase, PurchaseState

REFUSALS: Final = 3
"""How many intents of a window may end unbought before nothing more is tried."""
_ENOUGH_READS: Final = 3
_SELDOM: Final = (60.0,)
"""Seconds between reads of a payment that has been running for a minute: the carrier may take its time."""


def settled(purchase: Purchase, shipment: Shipment, terms: Terms, moment: Moment) -> Move:
    """Say what a read proves about a purchase."""
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
            told = unknown(doubt, now)
            return Move(again(doubt, _SELDOM if told else READS, now), told)
        case Nothing():
            return _nothing_yet(noted, shipment, terms, moment)
        case _:
            assert_never(found)


def _bought(purchase: Purchase, shipment: Shipment, offer: Offer | None) -> Move:
    """Take note of what was bought. Another offer than ours was bought by somebody else."""
    seen = announce.seen_bought(purchase, shipment)
    if offer is None or offer.offer_id == purchase.offer:
        told = announce.succeeded(purchase, shipment, offer, adopted=False)
        return ended(purchase, shipment.at, PurchaseState.succeeded, None, told, seen)
    theirs = replace(purchase, offer=OfferId(offer.offer_id), service=offer.service_id)
    told = announce.succeeded(theirs, shipment, offer, adopted=True)
    return ended(theirs, shipment.at, PurchaseState.succeeded, ADOPTED, told, seen)


def _nothing_yet(purchase: Purchase, shipment: Shipment, terms: Terms, moment: Moment) -> Move:
    """Read on, until reads enough over a time long enough show that nothing was bought, or explain the refusal."""
    now = moment.now
    since = purchase.doubted_at or shipment.at
    read = replace(purchase, state=PurchaseState.doubt, reads=purchase.reads + 1, doubted_at=since)
    if purchase.answer is Answer.refused and not _is_for_sale(purchase, shipment):
        return _failed(read, purchase.reason or "other", shipment.at, now)
    settled_at = (purchase.left_by or purchase.due_at) + terms.settle
    is_early = read.reads < _ENOUGH_READS or moment.asked_at < settled_at or shipment.at < since + terms.settle
    is_expected = purchase.answer is Answer.accepted  # it may show late, and never is bought anew by itself
    if is_early or (is_expected and now < purchase.deadline + terms.settle):
        return Move(again(read, READS, now), unknown(read, now))
    return _failed(read, purchase.reason or "other", shipment.at, now, is_over=is_expected)


def _is_for_sale(purchase: Purchase, shipment: Shipment) -> bool:
    """Say whether the offer that was asked for can still be bought, so that its refusal is not explained."""
    return any(shipment.can_sell(offer) for offer in shipment.offers if offer.offer_id == purchase.offer)


def _failed(purchase: Purchase, why: str, at: datetime, now: datetime, *, is_over: bool = False) -> Move:
    """End an intent that bought nothing. The shipment is wanted again, a few times; a read shows what can be bought."""
    told = announce.failed(purchase, why, at)
    refused = replace(purchase, refusals=purchase.refusals + 1, answer=None)
    if is_over or refused.refusals >= REFUSALS:
        return Move(at_rest(refused, PurchaseState.failed, why), (told,), _pauses(why))
    anew = replace(waiting(refused), state=PurchaseState.wanted, intent=None, reads=0)
    return Move(soon(anew, 0, now), (told,), _pauses(why))


def _pauses(why: str) -> AccountReason | None:
    """Say why the whole account is paused by a failure, where it is."""
    return _ACCOUNT_WIDE.get(why)


_ACCOUNT_WIDE: Final = {
    "insufficient_funds": AccountReason.debt_collection,
    "account_data_missing": AccountReason.company_data_missing,
}
"""What a payment fails for whichever shipment it is for."""
