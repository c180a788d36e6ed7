"""A purchase as programs read it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from typing_extensions import TypedDict

from bridge.events.catalogue import Money
from bridge.purchasing.policy.document import Document
from bridge.store.decisions import Decided
from bridge.store.listed import LastNote, Listed
from bridge.store.purchase import Approval, PurchaseState


class ShownApproval(TypedDict):
    """What was approved, and by whom; `amount` is null where the price was unknown."""

    by: str
    service_id: str
    amount: str | None


class ShownNote(TypedDict):
    """The last step: when, what it came from, what came of it, and whose hand it was."""

    at: datetime
    what: str
    result: str
    reason: str | None
    by: str


class ShownPurchase(TypedDict):
    """A purchase as it stands. `seconds_left` is null where it is over; `in_hand` names who works on it."""

    shipment_id: int
    organization_id: int
    state: PurchaseState
    reason: str | None
    intent_id: str | None
    offer_id: int | None
    service_id: str | None
    price: Money | None
    deadline: datetime
    seconds_left: float | None
    held_by: str | None
    approved: ShownApproval | None
    in_hand: str | None
    cause: str | None
    updated_at: datetime
    last_note: ShownNote | None


class PurchasePage(TypedDict):
    """Some purchases."""

    items: Sequence[ShownPurchase]
    next: str | None


def document(one: Listed, now: datetime) -> ShownPurchase:
    """Describe a purchase for programs."""
    left = one.seconds_left(now)
    return {
        "shipment_id": one.shipment,
        "organization_id": one.organization,
        "state": one.state,
        "reason": one.reason,
        "intent_id": one.intent,
        "offer_id": one.offer,
        "service_id": one.service,
        "price": one.price,
        "deadline": one.deadline,
        "seconds_left": None if left is None else round(left, 3),
        "held_by": one.held_by,
        "approved": _approval(one.approval),
        "in_hand": one.in_hand,
        "cause": one.cause,
        "updated_at": one.updated_at,
        "last_note": _note(one.note),
    }


def decision(decided: Decided) -> dict[str, object]:
    """Describe what was decided about it last, and by which policy."""
    said = Document.model_validate_json(decided.body).verdict.model_dump()
    return {"at": decided.at, "policy_sha256": decided.policy_sha256, **said}


def amount(amount: Decimal) -> str:
    """Write an amount as it is said: without zeros behind it."""
    return format(amount.normalize(), "f")


def _approval(approval: Approval | None) -> ShownApproval | None:
    if approval is None:
        return None
    most = None if approval.amount is None else amount(approval.amount)
    return {"by": approval.by, "service_id": approval.service, "amount": most}


def _note(note: LastNote | None) -> ShownNote | None:
    if note is None:
        return None
    return {"at": note.at, "what": note.what, "result": note.result, "reason": note.reason, "by": note.by}
