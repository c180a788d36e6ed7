"""What a step saw and concluded, in the words that the journal keeps: no free text, nothing of a person."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal

from bridge.errors import CarrierRefused, CarrierUnavailable, NoPermit
from bridge.purchasing.evidence import Bought, Evidence, Nothing, NotPaid, Underway, reason
from bridge.purchasing.policy import Adopt, Buy, Decision, Decline, Expired, Hold, NotOurs, Wait
from bridge.purchasing.shipment import Payment, Shipment
from bridge.store.budget import Refusal
from bridge.store.journal import Note
from bridge.store.purchase import Purchase

_RESULTS: Final[dict[type[Decision | Evidence], str]] = {
    Adopt: "adopt",
    Buy: "buy",
    Decline: "decline",
    Expired: "expired",
    Hold: "hold",
    NotOurs: "not_ours",
    Wait: "wait",
    Bought: "bought",
    NotPaid: "not_paid",
    Nothing: "nothing",
    Underway: "underway",
}


def read(purchase: Purchase, shipment: Shipment, found: Decision | Evidence) -> Note:
    """Note what a read showed, and what followed from it."""
    payments = tuple(map(_payment, shipment.payments))
    return Note("read", _RESULTS[type(found)], purchase.state.value, None, shipment.status, payments)


def unread(purchase: Purchase, error: CarrierUnavailable | CarrierRefused) -> Note:
    """Note a read that brought nothing. Errors of the carrier speak in our words and its listed keys."""
    result = "refused" if isinstance(error, CarrierRefused) else "no_answer"
    return Note("read", result, purchase.state.value, str(error))


def not_asked(purchase: Purchase, error: NoPermit, *, after: Note | None) -> Note:
    """Note that the carrier was not asked, and why; `after` is what was concluded just before, if anything was."""
    if after is not None and after.what == "read" and after.result == "buy":
        return replace(after, reason=str(error))
    return Note("read", "not_asked", purchase.state.value, str(error))


def called(
    purchase: Purchase,
    result: Literal["accepted", "too_late"] | CarrierUnavailable | CarrierRefused,
) -> Note:
    """Note how asking for the purchase ended; whatever it says, reads decide what it meant."""
    if isinstance(result, str):
        return Note("call", result, purchase.state.value)
    ended = "refused" if isinstance(result, CarrierRefused) else "no_answer"
    return Note("call", ended, purchase.state.value, str(result))


def edited(purchase: Purchase, result: Literal["accepted"] | CarrierUnavailable | CarrierRefused) -> Note:
    """Note how asking for new offers ended, after a read which showed that the old ones had expired."""
    seen = purchase.note or Note("edit", "accepted", purchase.state.value)
    if isinstance(result, str):
        return replace(seen, what="edit", result=result, reason=None)
    ended = "refused" if isinstance(result, CarrierRefused) else "no_answer"
    return replace(seen, what="edit", result=ended, reason=str(result))


def unaffordable(purchase: Purchase, why: Refusal) -> Note | None:
    """Note why what a read led to is not bought."""
    return None if purchase.note is None else replace(purchase.note, reason=why)


def _payment(payment: Payment) -> str:
    why = f":{reason(payment.error)}" if payment.error else ""
    return f"{payment.id}:{payment.state}{why}"
