"""What may follow for a purchase, as values that a hand carries out; and how one ends.

A purchase goes wanted → intended → doubt → succeeded or failed. From `intended` on, only evidence moves it: a lost
answer, a refusal and a crash all look the same, and are settled by the same reads. What follows from a read is said by
`deciding` while it is wanted and by `settling` while it is in doubt; from a read that brought nothing, by `unread`; and
from the call that buys, by `sending`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bridge.limits.pause import AccountReason
from bridge.model import Evidence
from bridge.purchasing import announce
from bridge.purchasing.policy import Buy
from bridge.purchasing.shipment import Shipment
from bridge.purchasing.terms import Terms
from bridge.store.decisions import Decided
from bridge.store.purchase import (
    BY_PERSON,
    NO_LEAVE,
    PAUSED,
    UNBOUGHT,
    UNREACHED,
    WANTED_AGAIN,
    Answer,
    Purchase,
    PurchaseState,
)

GIVE_UP_AFTER: Final = timedelta(minutes=10)
"""From the end of the window to the end of waiting for a carrier that lets nothing be decided."""
UNKNOWN_AFTER: Final = timedelta(seconds=60)
CLOSED_FOR: Final = timedelta(seconds=5)
"""How long a window is over before a read is asked to show that: the carrier's clock may be behind."""
WHILE_PAUSED: Final = (PAUSED, PAUSED, Evidence.carrier)
WITHOUT_LEAVE: Final = (NO_LEAVE, PAUSED, Evidence.carrier)
UNREACHABLE: Final = (UNREACHED, "carrier_unavailable", Evidence.webhook)
"""Why nothing was decided: as kept, as published, and what the event goes by."""


@dataclass(frozen=True, slots=True)
class Move:
    """A purchase from now on, and what is told of it. `pauses` is why the whole account is paused, where it is."""

    purchase: Purchase
    tell: tuple[announce.Tell, ...] = ()
    pauses: AccountReason | None = None
    decided: Decided | None = None
    keeps: bool = False
    """Whether the purchase stays in this hand."""


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


def ended(
    purchase: Purchase,
    at: datetime,
    state: PurchaseState,
    why: str | None,
    *tell: announce.Tell,
    decided: Decided | None = None,
) -> Move:
    """End a purchase; an intent that was never taken in ends with it, and so does what a person ordered."""
    left = left_behind(purchase, at)
    rest = at_rest(replace(purchase, intent=None) if left and purchase.hold else purchase, state, why)
    return Move(replace(rest, answer=None), (*left, *tell), decided=decided)


def at_rest(purchase: Purchase, state: PurchaseState, why: str | None) -> Purchase:
    """Have nobody work on it. It is looked at after the window where it is held, and where a webhook says it is bought.

    A webhook's word is not looked into twice: `look_at` is unset once that is done. What a person holds stays held,
    whatever it would end in: nothing but a person lets it go on.
    """
    if purchase.hold is not None and state in UNBOUGHT:
        is_over = state is PurchaseState.failed
        held = replace(purchase, intent=None if is_over else purchase.intent, is_held=False)
        return _left(held, PurchaseState.held, BY_PERSON)
    return _left(replace(purchase, is_held=False), state, why)


def _left(purchase: Purchase, state: PurchaseState, why: str | None) -> Purchase:
    """Take back what a person ordered and approved, but where it may be wanted again by itself: that is as it was."""
    look_at = _look_at(purchase, state)
    is_kept = state is not PurchaseState.held and why in WANTED_AGAIN
    approval = purchase.approval if is_kept or state is PurchaseState.succeeded else None
    ordered = purchase.ordered if is_kept else None
    return replace(purchase, state=state, reason=why, look_at=look_at, ordered=ordered, approval=approval)


def _look_at(purchase: Purchase, state: PurchaseState) -> datetime | None:
    said = purchase.look_at if purchase.said_at is not None else None
    over = purchase.deadline + CLOSED_FOR if state is PurchaseState.held else None
    return min((at for at in (said, over) if at is not None), default=None)


def waiting(purchase: Purchase) -> Purchase:
    """Give one that is not being bought any more: a person's hold is its reason again."""
    return replace(purchase, reason=purchase.hold, is_held=False)


def left_behind(purchase: Purchase, at: datetime) -> tuple[announce.Tell, ...]:
    """Tell the end of an intent that was told of and never taken in by the carrier."""
    return (announce.failed(purchase, "other", at),) if purchase.answer is Answer.not_taken else ()


def given_up(purchase: Purchase, why: tuple[str, str, Evidence], terms: Terms, now: datetime) -> Move:
    """End what was wanted and could not be decided about, and let consumers hear of it."""
    kept, published, found = why
    told = announce.given_up(purchase, published, found, terms.policy, now)
    return ended(purchase, now, PurchaseState.expired, kept, told)


def is_hopeless(purchase: Purchase, now: datetime) -> bool:
    """Say whether a wanted purchase has waited for too long beyond its window."""
    return purchase.state is PurchaseState.wanted and now >= purchase.deadline + GIVE_UP_AFTER


def unknown(purchase: Purchase, now: datetime) -> tuple[announce.Tell, ...]:
    """Say that nobody knows, where a purchase has been in doubt for long; the fact is kept once."""
    if purchase.state is PurchaseState.wanted or purchase.send_before is None:
        return ()
    overdue = purchase.send_before + UNKNOWN_AFTER < now
    return (announce.unknown(purchase, now),) if overdue else ()
