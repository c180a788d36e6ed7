"""A purchase as it is shown: to programs as a document, to people as a row of a table."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from bridge.purchasing.policy.document import Document
from bridge.store.decisions import Decided
from bridge.store.listed import LastNote, Listed
from bridge.store.purchase import Approval

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


def decision(decided: Decided) -> dict[str, object]:
    """Describe what was decided about it last, and by which policy."""
    said = Document.model_validate_json(decided.body).verdict.model_dump()
    return {"at": decided.at, "policy_sha256": decided.policy_sha256, **said}


def decided_lines(decided: Decided) -> dict[str, object]:
    """Describe the same for people, as further lines."""
    said = Document.model_validate_json(decided.body).verdict
    chosen = f" offer {said.offer_id}" if said.offer_id is not None else ""
    rule = f" by the rule {said.rule_id}" if said.rule_id is not None else ""
    reason = f": {said.reason}" if said.reason is not None else ""
    others = ", ".join(f"{one.offer_id} {one.reason}" for one in said.rejected)
    return {
        "decided": f"{said.decision.replace('_', ' ')}{chosen}{rule}{reason}",
        "decided at": decided.at,
        "not taken": others or None,
        "policy": decided.policy_sha256,
    }


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
    amount = "at an unknown price" if approval.amount is None else f"up to {_amount(approval.amount)}"
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
