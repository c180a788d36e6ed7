"""A purchase as people see it: a row of a table, or further lines of it alone."""

from __future__ import annotations

from datetime import datetime

from bridge.approvals.document import amount
from bridge.purchasing.policy.document import Document
from bridge.store.decisions import Decided
from bridge.store.listed import LastNote, Listed
from bridge.store.purchase import Approval

HEADS = ("organization", "shipment", "state", "reason", "offer", "service", "price", "seconds left", "by", "last step")


def row(one: Listed, now: datetime) -> tuple[object, ...]:
    """Describe a purchase for people, a cell for each of HEADS."""
    left = one.seconds_left(now)
    price = None if one.price is None else f"{one.price.amount:f} {one.price.currency}"
    seconds = None if left is None else round(left)
    by = one.held_by or (one.approval.by if one.approval else None)
    what = (one.organization, one.shipment, one.state.value, one.reason, one.offer, one.service)
    return *what, price, seconds, by, _step(one.note)


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
    most = "at an unknown price" if approval.amount is None else f"up to {amount(approval.amount)}"
    return f"{approval.service} {most}, by {approval.by}"


def _step(note: LastNote | None) -> str | None:
    return None if note is None else f"{note.what}: {note.result.replace('_', ' ')}"
