"""What follows where the carrier did not show a shipment, or was not even asked. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bridge.errors import CarrierRefused, CarrierUnavailable, NoPermit
from bridge.purchasing import notes
from bridge.purchasing.delays import RETRIES, STRANGERS, again
from bridge.purchasing.moves import (
    UNREACHABLE,
    WHILE_PAUSED,
    WITHOUT_LEAVE,
    Move,
    ended,
    given_up,
    is_hopeless,
    unknown,
)
from bridge.purchasing.terms import Terms
from bridge.store.purchase import Answer, Purchase, PurchaseState

NO_TOKEN: Final = CarrierUnavailable("no_token")
NOT_LISTED: Final = CarrierUnavailable("not_in_list")
"""A list did not have it, and it was not read alone."""
_NOT_FOUND: Final = 404


def unread(purchase: Purchase, error: CarrierUnavailable | CarrierRefused, terms: Terms, now: datetime) -> Move:
    """Say what follows where the carrier did not show the shipment."""
    noted = replace(purchase, note=notes.unread(purchase, error))
    if error is NO_TOKEN and purchase.state is PurchaseState.wanted:
        return ended(noted, now, PurchaseState.not_ours, "no_token")
    if isinstance(error, NoPermit):
        return not_now(noted, error, terms, now)
    if isinstance(error, CarrierUnavailable) or noted.state is not PurchaseState.wanted:
        return _later(noted, error, terms, now)
    is_over = now >= purchase.deadline
    if error.is_unauthorized:
        return given_up(noted, WITHOUT_LEAVE, terms, now) if is_over else Move(again(noted, RETRIES, now))
    if error.status == _NOT_FOUND:  # nobody is told of a forged id
        quiet = ended(noted, now, PurchaseState.not_ours, "not_found")
        return quiet if is_over else Move(again(_stranger(noted), STRANGERS, now))
    return _later(noted, error, terms, now)


def unlisted(purchase: Purchase, now: datetime) -> Move:
    """Let what a list does not have wait behind the rest: most likely its id is forged, and it is read all the same."""
    noted = replace(purchase, note=notes.unread(purchase, NOT_LISTED))
    return Move(again(_stranger(noted), STRANGERS, now))


def _stranger(purchase: Purchase) -> Purchase:
    """Let it wait behind what the carrier knows, unless more than a webhook asks for it."""
    return replace(purchase, answer=Answer.stranger) if purchase.answer is None else purchase


def not_now(purchase: Purchase, error: NoPermit, terms: Terms, now: datetime) -> Move:
    """Nobody was asked: come again when there may be a turn. What is paused until its window ends is given up."""
    if is_hopeless(purchase, now):
        return given_up(purchase, UNREACHABLE, terms, now)
    if error.reason == "paused" and now >= purchase.deadline:
        return given_up(purchase, WHILE_PAUSED, terms, now)
    due = now + timedelta(seconds=max(error.retry_after or 0.0, RETRIES[0]))
    note = notes.not_asked(purchase, error, after=purchase.note)
    return Move(replace(purchase, due_at=due, note=note), unknown(purchase, now))


def _later(purchase: Purchase, error: CarrierUnavailable | CarrierRefused, terms: Terms, now: datetime) -> Move:
    """Try again later and later, and say so when a purchase hangs on it."""
    if is_hopeless(purchase, now):
        return given_up(purchase, UNREACHABLE, terms, now)
    wait = getattr(error, "retry_after", None)
    not_before = None if wait is None else now + timedelta(seconds=wait)
    return Move(again(purchase, RETRIES, now, not_before=not_before), unknown(purchase, now))
