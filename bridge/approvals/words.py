"""A purchase as it is shown: to programs as a document, to people as a row of a table."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from bridge.store.approvals import Approval, LastNote, Listed

HEADS = ("organization", "shipment", "state", "reason", "offer", "service", "price", "seconds left", "by", "last step")


def document(one: Listed, now: datetime) -> dict[str, object]:
    """Describe a purchase for programs."""
    left = one.seconds_left(now)
    return {
        "shipment_id": one.shipment,
        "organization_id": one.organization,
        "state": one.state.value,
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


def row(one: Listed, now: datetime) -> tuple[object, ...]:
    """Describe a purchase for people, a cell for each of HEADS."""
    left = one.seconds_left(now)
    price = None if one.price is None else f"{one.price.amount:f} {one.price.currency}"
    seconds = None if left is None else round(left)
    by = one.held_by or (one.approval.by if one.approval else None)
    what = (one.organization, one.shipment, one.state.value, one.reason, one.offer, one.service)
    return *what, price, seconds, by, _step(one.note)


def lines(one: Listed, now: datetime) -> dict[str, object]:
    """Describe a purchase for people who look at one alone."""
    left, note = one.seconds_left(now), one.note
    return {
        **dict(zip(HEADS[:-3], row(one, now), strict=False)),
        "deadline": one.deadline,
        "seconds left": None if left is None else round(left),
        "held by": one.held_by,
        "approved": None if one.approval is None else _approved(one.approval),
        "in the hand of": one.in_hand,
        "cause": one.cause,
        "last step": None
        if note is None
        else f"{_step(note)}{f' ({note.reason})' if note.reason else ''}, by {note.by}",
        "at": one.updated_at,
    }


def _approved(approval: Approval) -> str:
    amount = "at any price" if approval.amount is None else f"up to {_amount(approval.amount)}"
    return f"{approval.service} {amount}, by {approval.by}"


def _amount(amount: Decimal) -> str:
    return format(amount.normalize(), "f")


def _approval(approval: Approval | None) -> dict[str, object] | None:
    if approval is None:
        return None
    amount = None if approval.amount is None else _amount(approval.amount)
    return {"by": approval.by, "service_id": approval.service, "amount": amount}


def _note(note: LastNote | None) -> dict[str, object] | None:
    if note is None:
        return None
    return {"at": note.at, "what": note.what, "result": note.result, "reason": note.reason, "by": note.by}


def _step(note: LastNote | None) -> str | None:
    return None if note is None else f"{note.what}: {note.result.replace('_', ' ')}"
