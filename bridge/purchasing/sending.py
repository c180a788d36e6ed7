"""What follows from a call that buys: pure, from what was sent, how that ended and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Literal

from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.limits.pause import AccountReason
from bridge.purchasing import notes
from bridge.purchasing.delays import READS
from bridge.purchasing.evidence import reason
from bridge.purchasing.moves import Move, waiting
from bridge.store.purchase import Answer, Purchase, PurchaseState

SEND_WITHIN: Final = timedelta(seconds=5)
"""From the intent to the call. Shorter than the lease, so that a process that slept cannot pay after losing it."""
_TOO_MANY: Final = 429
_ACCOUNT_WIDE: Final = {
    "debt_collection": AccountReason.debt_collection,
    "company_data_missing": AccountReason.company_data_missing,
    "no_carriers": AccountReason.no_carriers,
}
"""Refusals that are about the whole account, whichever shipment they answer (open question B16)."""

Result = Literal["accepted", "too_late"] | CarrierRefused | CarrierUnavailable


def is_account_wide(refusal: CarrierRefused) -> bool:
    """Say whether a refusal is about the account: then no shipment is in the way of others."""
    return refusal.key in _ACCOUNT_WIDE or refusal.is_unauthorized


def intended(chosen: Purchase, call_within: timedelta, now: datetime) -> Purchase:
    """Bound when the call may leave, as it is written down before it does."""
    send_before = now + SEND_WITHIN
    return replace(
        chosen, state=PurchaseState.intended, send_before=send_before, left_by=send_before + call_within, answer=None
    )


def sent(purchase: Purchase, result: Result, ended_at: datetime) -> Move:
    """Give the doubt that follows: whatever came back, reads decide what it meant, unless nothing was taken in."""
    noted = replace(purchase, note=notes.called(purchase, result))
    if result == "too_late":
        return Move(_not_taken(noted, ended_at))
    if result == "accepted":
        return Move(_doubt(noted, Answer.accepted, ended_at))
    if isinstance(result, CarrierRefused):
        refused = replace(_doubt(noted, Answer.refused, ended_at), reason=reason(result.key))
        return Move(refused, pauses=_ACCOUNT_WIDE.get(result.key))
    if result.status == _TOO_MANY:
        return Move(_not_taken(noted, ended_at + timedelta(seconds=max(result.retry_after or 0.0, READS[0]))))
    return Move(_doubt(noted, Answer.lost, ended_at))


def _not_taken(purchase: Purchase, due_at: datetime) -> Purchase:
    return replace(waiting(purchase), state=PurchaseState.wanted, answer=Answer.not_taken, due_at=due_at)


def _doubt(purchase: Purchase, answer: Answer, ended_at: datetime) -> Purchase:
    due_at = ended_at + timedelta(seconds=READS[0])
    return replace(purchase, state=PurchaseState.doubt, answer=answer, left_by=ended_at, due_at=due_at)
