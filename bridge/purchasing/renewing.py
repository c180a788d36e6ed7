"""Offers that are made anew: where they ran out, or where a person wants new ones. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Literal

from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.purchasing import announce, notes
from bridge.purchasing.delays import soon
from bridge.purchasing.moves import Moment, Move, Next, Stale, at_rest, ended
from bridge.purchasing.sending import SEND_WITHIN
from bridge.purchasing.shipment import Shipment
from bridge.purchasing.terms import Terms
from bridge.store.purchase import BY_PERSON, PAUSED, Answer, Purchase, PurchaseState
from bridge.store.wanting import WINDOW

RESCUED: Final = timedelta(hours=1)
"""For so long after the end of a window its offers are made anew without anybody asking."""
_EDIT_SHOWS_WITHIN: Final = timedelta(seconds=15)
_EDIT_READ_S: Final = 1.5
_CLOCKS_DIFFER: Final = timedelta(seconds=5)
"""Offers made so little before an edit was asked for may be its own."""


def expired(purchase: Purchase, shipment: Shipment, terms: Terms, moment: Moment) -> Next:
    """Have the offers made anew, so many times; an edit takes a while to show."""
    if _was_held(purchase):
        told = announce.expired(purchase, shipment, held=purchase.reason)
        return Move(replace(at_rest(purchase, PurchaseState.held, purchase.reason), look_at=None), (told,))
    if purchase.reason == BY_PERSON:  # who holds it is still waited for
        told = announce.expired(purchase, shipment, held=BY_PERSON)
        return ended(purchase, shipment.at, PurchaseState.held, BY_PERSON, told)
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
    is_asked_for = purchase.approval is not None or purchase.answer in (Answer.asked, Answer.renew, Answer.not_taken)
    return purchase.intent is not None and not is_asked_for


def renewing(purchase: Purchase, shipment: Shipment, terms: Terms, now: datetime) -> Next | None:
    """Have the offers made anew that a person wants new, and wait for them; None where they are there, or never came.

    An edit that was written down and did not show may never have left: another one is asked for, so many times.
    """
    if purchase.edited_at is None:
        return Stale(purchase)
    newest = max((offer.expires_at for offer in shipment.offers if offer.expires_at), default=None)
    if shipment.offers and (newest is None or newest + _CLOCKS_DIFFER >= purchase.edited_at + WINDOW):
        return None
    if now < purchase.edited_at + _EDIT_SHOWS_WITHIN:
        return Move(soon(purchase, _EDIT_READ_S, now))
    if not shipment.offers:
        return None
    return Stale(purchase) if purchase.regenerations < terms.regenerations else None


def _is_abandoned(purchase: Purchase, shipment: Shipment) -> bool:
    """Say whether its offers ran out long ago, and nobody but a webhook asks for it: anybody may have sent that."""
    newest = max((offer.expires_at for offer in shipment.offers if offer.expires_at), default=None)
    is_old = newest is not None and newest + RESCUED < shipment.at
    return is_old and purchase.answer not in (Answer.asked, Answer.renew)


def edited(purchase: Purchase, terms: Terms, now: datetime) -> Purchase:
    """Count an edit that is about to be asked for: it is one, whatever comes of it.

    Until it is over, or can have left no more, nobody is to look at the purchase: `due_at` says so.
    """
    counted = replace(purchase, regenerations=purchase.regenerations + 1, edited_at=now, deadline=now + WINDOW)
    return soon(counted, (SEND_WITHIN + terms.call_within).total_seconds(), now)


def regenerated(
    purchase: Purchase, result: Literal["accepted"] | CarrierUnavailable | CarrierRefused, now: datetime
) -> Move:
    """Look for the new offers by reading, whatever came of asking for them."""
    noted = replace(purchase, note=notes.edited(purchase, result))
    return Move(soon(noted, _EDIT_READ_S, now))
