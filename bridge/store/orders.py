"""Orders about a shipment's purchase: what they are about, why one is not carried out, and what they write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from bridge.events.catalogue import PurchaseFailed
from bridge.model import Evidence, Fact, Micros, OrganizationId, ShipmentId, Subject, micros
from bridge.store import journal
from bridge.store.database import Transaction
from bridge.store.listed import ROW, Listed, again, find, last_note
from bridge.store.purchase import Answer, PurchaseState
from bridge.store.wanting import WINDOW

Result = Literal[
    "approved",
    "held",
    "retried",
    "asked_for",
    "picked",
    "renewed",
    "selecting",
    "selected",
    "not_selected",
    "cancelling",
    "cancelled",
    "not_cancelled",
    "let_go",
]
"""What an order came to, as the journal keeps it."""


UNAPPROVED: Final[Mapping[str, None]] = {
    "approved_by": None,
    "approved_service": None,
    "approved_amount": None,
    "ordered_offer": None,
}
"""Nothing that a person let be bought counts any more."""


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants done about a shipment's purchase. `cause` is the command; facts that follow carry it.

    Without an organization it is the only one that has a purchase of this number.
    """

    shipment: ShipmentId
    organization: OrganizationId | None
    by: str
    cause: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Why an order is not carried out, in words for whoever gave it.

    `organization` is what is wrong with whose shipment it names, where that is all.
    """

    why: str
    organization: Literal["missing", "unknown_value"] | None = None


def have_it_wanted(
    transaction: Transaction, found: Listed, order: Order, now: datetime, *, deadline: datetime, **columns: object
) -> None:
    """Have it decided about now; a window that is over, as far as we know, may have been opened again."""
    until = deadline if deadline > now else now + WINDOW
    is_left = columns.get("intent_id", found.intent) is not None and is_not_taken(transaction, found)
    answer = Answer.not_taken.value if is_left else Answer.asked.value  # an intent that is yet to end is not forgotten
    changes = {"deadline": micros(until), "due_at": micros(now), "reason": None, "answer": answer, **columns}
    if (edit := edit_under_way(transaction, found, now)) is not None:  # nothing is bought until that is over
        changes |= {"edited_at": edit.at, "due_at": edit.until}
    put(transaction, found, order, now, state=PurchaseState.wanted, **changes)


def put(
    transaction: Transaction, found: Listed, order: Order, now: datetime, *, state: PurchaseState, **columns: object
) -> None:
    """Change a purchase, and take it out of any hand: a token that has grown makes the old one worthless.

    While the hand may be making its offers anew, the lease goes on saying so.
    """
    changes = {"state": state.value, "cause": order.cause, "updated_at": micros(now), **columns}
    written = ", ".join(f"{name} = ?" for name in changes)
    transaction.run(
        f"UPDATE purchases SET {written}, token = token + 1,"
        f" held_until = CASE WHEN {_IS_EDITED} THEN held_until ELSE 0 END WHERE {ROW}",
        [*changes.values(), micros(now), *row(found)],
    )


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit that makes a shipment's offers anew: when it was noted, and until when it may be under way."""

    at: Micros
    until: Micros


def edit_under_way(transaction: Transaction, found: Listed, now: datetime) -> Edit | None:
    """Give the edit that a hand may be asking for just now, whoever took the purchase out of that hand since."""
    sql = f"SELECT edited_at, due_at FROM purchases WHERE {ROW} AND {_IS_EDITED}"
    rows = transaction.run(sql, (*row(found), micros(now)))
    return Edit(*rows[0]) if rows else None


_IS_EDITED: Final = "held_until <> 0 AND edited_at IS NOT NULL AND due_at > ?"
"""What is in hand is due, but where that hand has noted an edit: then not before the edit is over."""


def is_not_taken(transaction: Transaction, found: Listed) -> bool:
    """Say whether its intent was told of, and never taken in by the carrier."""
    return found.intent is not None and answer_of(transaction, found) == Answer.not_taken.value


def answer_of(transaction: Transaction, found: Listed) -> str | None:
    """Say how its last call ended, or who asks for it."""
    rows = transaction.run(f"SELECT answer FROM purchases WHERE {ROW}", row(found))
    answer: str | None = rows[0][0]
    return answer


def end_of_intent(found: Listed, order: Order, now: datetime) -> Fact:
    """Tell the end of such an intent, as the buyer does."""
    data = PurchaseFailed.model_validate(
        {
            "shipment_id": found.shipment,
            "organization_id": found.organization,
            "evidence": Evidence.carrier,
            "current": True,
            "first_seen": False,
            "intent_id": found.intent,
            "offer_id": found.offer,
            "service_id": found.service,
            "reason": "other",
        }
    )
    return Fact(subject(found), data.type, found.intent or "", now, data, facet=data.reason, causation=order.cause)


_REFUSALS: Final[Mapping[PurchaseState, str]] = {
    PurchaseState.wanted: "it is being decided about, and waits for nobody",
    PurchaseState.intended: "it is being bought",
    PurchaseState.doubt: "it is being bought: whether it was is in doubt until reads settle it",
    PurchaseState.succeeded: "it is bought",
    PurchaseState.held: "it is held ({reason}): approve it, or retry it to have it decided about anew",
    PurchaseState.failed: "it was not bought ({reason}): retry it",
    PurchaseState.declined: "nothing acceptable was on offer ({reason}): retry it",
    PurchaseState.expired: "its window closed unbought: retry it",
    PurchaseState.not_ours: "it is left to others ({reason}): retry it",
    PurchaseState.steered: "an offer is being selected for it, or it is being cancelled, just now",
}


def refused(found: Listed) -> Refused:
    """Say why a purchase in this state is not touched."""
    told = _REFUSALS[found.state].format(reason=found.reason or "for no reason that was kept")
    return Refused(f"the purchase is {found.state.value}: {told}")


# -- noting ----------------------------------------------------------------------------------------------------------


def noted(transaction: Transaction, before: str, found: Listed, order: Order, result: Result, now: datetime) -> Listed:
    """Note what was done about a purchase, and give it as it stands now."""
    after = again(transaction, found)
    note = journal.Note("person", result, before)
    which = (after.offer, after.reason, order.cause, order.by)
    entry = journal.Entry(after.organization, after.shipment, now, now, 1, note, after.state.value, *which)
    journal.write(transaction, entry)
    return replace(after, note=last_note(transaction, after))


def find_one(transaction: Transaction, order: Order) -> Listed | Refused:
    """Find the purchase that an order is about."""
    found = find(transaction, order.shipment, only(order))
    if not found:
        return Refused(f"no purchase of shipment {order.shipment} was ever asked for")
    if len(found) > 1:
        return Refused(f"is needed: several organizations have a shipment {order.shipment}", "missing")
    return found[0]


def only(order: Order) -> frozenset[int]:
    return frozenset() if order.organization is None else frozenset({int(order.organization)})


def locked(transaction: Transaction, found: Listed) -> Listed:
    transaction.run(f"SELECT token FROM purchases WHERE {ROW} {transaction.for_update}", row(found))
    return again(transaction, found)


def subject(found: Listed) -> Subject:
    return Subject.shipment(found.organization, found.shipment)


def row(found: Listed) -> tuple[OrganizationId, ShipmentId]:
    """Give the values for ROW."""
    return found.organization, found.shipment
