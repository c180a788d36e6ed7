"""Purchases as people steer them: approved, held, asked for again; never while one is being made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from bridge.events.catalogue import PurchaseFailed, PurchaseHeld
from bridge.model import (
    DeliveryId,
    Evidence,
    Fact,
    OrganizationId,
    PurchaseWork,
    ShipmentId,
    Subject,
    micros,
)
from bridge.store import budget, journal
from bridge.store.database import Transaction
from bridge.store.facts import Recorder
from bridge.store.listed import ROW, Listed, again, find, last_note
from bridge.store.purchase import ADOPTED_UNREAD, BY_PERSON, Answer, PurchaseState
from bridge.store.wanting import WINDOW, want

Result = Literal["approved", "held", "retried", "asked_for"]
"""What an order came to, as the journal keeps it."""


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
    """Why an order is not carried out, in words for whoever gave it."""

    why: str


class SqlApprovals:
    """Carries out, each within a larger unit, what people want done about purchases."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def approve(self, transaction: Transaction, order: Order, now: datetime) -> Listed | Refused:
        """Let a held purchase be made, of the service that was chosen and at its price; it is read anew first."""
        return self._carry_out(transaction, order, "approved", _approve, now)

    def hold(self, transaction: Transaction, order: Order, now: datetime) -> Listed | Refused:
        """Stop a purchase before it is begun, and tell so; whoever has it in hand loses it."""
        return self._carry_out(transaction, order, "held", _hold, now)

    def retry(self, transaction: Transaction, order: Order, now: datetime) -> Listed | Refused:
        """Have a purchase decided about anew that ended unbought, is held, or is bought as a webhook alone says."""
        return self._carry_out(transaction, order, "retried", _retry, now)

    def buy(
        self, transaction: Transaction, order: Order, known: Sequence[OrganizationId], now: datetime
    ) -> Listed | Refused:
        """Ask for a purchase; `known` are the organizations for which one may be asked for the first time."""
        if not find(transaction, order.shipment, _only(order)):
            return _ask(transaction, order, known, now)
        return self._carry_out(transaction, order, "asked_for", _buy, now)

    def _carry_out(
        self, transaction: Transaction, order: Order, result: Result, act: _Act, now: datetime
    ) -> Listed | Refused:
        found = _one(transaction, order)
        if isinstance(found, Refused):
            return found
        # As the buyer does: the subject is locked before the row.
        ledgers = self._recorder.lock(transaction, [_subject(found)])
        before = _locked(transaction, found)
        facts = act(transaction, before, order, now)
        if isinstance(facts, Refused):
            return facts
        self._recorder.record(transaction, ledgers, facts, now)
        self._recorder.save(transaction, ledgers.values())
        transaction.notify("purchases")
        return _noted(transaction, before.state.value, before, order, result, now)


_Act = Callable[[Transaction, Listed, Order, datetime], Sequence[Fact] | Refused]
"""Changes a locked purchase and gives what is to be told, or says why it is left alone."""
_RETRIED: Final = frozenset(
    {
        PurchaseState.failed,
        PurchaseState.declined,
        PurchaseState.expired,
        PurchaseState.not_ours,
        PurchaseState.held,
    }
)
_UNAPPROVED: Final[Mapping[str, None]] = {"approved_by": None, "approved_service": None, "approved_amount": None}
_FRESH: Final[Mapping[str, int]] = {"attempts": 0, "reads": 0}
_ASKED: Final = Answer.asked.value
"""In place of the answer to a call: a person asks, though the offers may be old."""
_ANEW: Final[Mapping[str, int | None]] = {
    **_FRESH,
    **_UNAPPROVED,
    "refusals": 0,
    "regenerations": 0,
    "edited_at": None,
}
"""Nothing of what was tried before counts."""


# -- acting ----------------------------------------------------------------------------------------------------------


def _approve(transaction: Transaction, found: Listed, order: Order, now: datetime) -> Sequence[Fact] | Refused:
    if found.state is not PurchaseState.held:
        return _refused(found)
    if found.service is None or found.intent is None:
        return Refused("no offer was chosen for it yet, so there is nothing to approve: retry it, and one is")
    approval = {
        "approved_by": order.by,
        "approved_service": found.service,
        "approved_amount": None if found.price is None else budget.tenthousandths(found.price.amount),
    }
    _want(transaction, found, order, now, deadline=found.deadline, **_FRESH, **approval)
    return ()


def _hold(transaction: Transaction, found: Listed, order: Order, now: datetime) -> Sequence[Fact] | Refused:
    if found.state is not PurchaseState.wanted:
        return _refused(found)
    changes: dict[str, object] = {"reason": BY_PERSON, "look_at": micros(found.deadline), **_UNAPPROVED}
    left = [_failed(found, order, now)] if _is_not_taken(transaction, found) else []
    if left:  # as it was asked for, so it ends: what is decided about after the hold is another intent
        found = replace(found, intent=None)
        changes |= {"intent_id": None, "answer": None}
    _set(transaction, found, order, now, state=PurchaseState.held, **changes)
    budget.release(transaction, found.organization, found.shipment)  # of an intent that was never taken in
    return [*left, _held(found, order, now)]


def _retry(transaction: Transaction, found: Listed, order: Order, now: datetime) -> Sequence[Fact] | Refused:
    if found.state not in _RETRIED and not _is_unread(found):
        return _refused(found)
    # What is held and decided about again is the same purchase; one that ended is not.
    intent = found.intent if found.state is PurchaseState.held else None
    _want(transaction, found, order, now, deadline=now, intent_id=intent, **_ANEW)
    return ()


def _buy(transaction: Transaction, found: Listed, order: Order, now: datetime) -> Sequence[Fact] | Refused:
    """Ask again like a retry, but for what is held: a program does not release what waits for a person."""
    if found.state is PurchaseState.held:
        return _refused(found)
    return _retry(transaction, found, order, now)


def _ask(transaction: Transaction, order: Order, known: Sequence[OrganizationId], now: datetime) -> Listed | Refused:
    """Ask for the first time."""
    organization = known[0] if order.organization is None and len(known) == 1 else order.organization
    if organization is None and not known:
        return Refused("there is no organization here that could buy: none has a token")
    if organization is None:
        return Refused("there are several organizations here: say which by organization_id")
    if organization not in known:
        return Refused(f"there is no organization {organization} here that could buy")
    want(transaction, [PurchaseWork(organization, order.shipment, now + WINDOW, DeliveryId(order.cause))], now)
    transaction.run(
        f"UPDATE purchases SET answer = '{_ASKED}' WHERE {ROW} AND state = 'wanted' AND answer IS NULL",
        (organization, order.shipment),
    )
    (found,) = find(transaction, order.shipment, frozenset({int(organization)}))
    return _noted(transaction, "none", found, order, "asked_for", now)


def _want(
    transaction: Transaction, found: Listed, order: Order, now: datetime, *, deadline: datetime, **columns: object
) -> None:
    """Have it decided about now; a window that is over, as far as we know, may have been opened again."""
    until = deadline if deadline > now else now + WINDOW
    is_left = columns.get("intent_id", found.intent) is not None and _is_not_taken(transaction, found)
    answer = Answer.not_taken.value if is_left else _ASKED  # an intent that is yet to end is not forgotten
    changes = {"deadline": micros(until), "due_at": micros(now), "reason": None, "answer": answer, **columns}
    _set(transaction, found, order, now, state=PurchaseState.wanted, **changes)


def _set(
    transaction: Transaction, found: Listed, order: Order, now: datetime, *, state: PurchaseState, **columns: object
) -> None:
    """Change a purchase, and take it out of any hand: a token that has grown makes the old one worthless."""
    changes = {"state": state.value, "cause": order.cause, "updated_at": micros(now), **columns}
    written = ", ".join(f"{name} = ?" for name in changes)
    transaction.run(
        f"UPDATE purchases SET {written}, token = token + 1, held_until = 0 WHERE {ROW}",
        [*changes.values(), *_row(found)],
    )


def _is_unread(found: Listed) -> bool:
    """Say whether nothing but a webhook says that it is bought, which is unsigned: a read decides anew."""
    return found.state is PurchaseState.succeeded and found.reason == ADOPTED_UNREAD


def _is_not_taken(transaction: Transaction, found: Listed) -> bool:
    """Say whether its intent was told of, and never taken in by the carrier."""
    rows = transaction.run(f"SELECT answer FROM purchases WHERE {ROW}", _row(found))
    return found.intent is not None and rows[0][0] == Answer.not_taken.value


def _failed(found: Listed, order: Order, now: datetime) -> Fact:
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
    return Fact(_subject(found), data.type, found.intent or "", now, data, facet=data.reason, causation=order.cause)


def _held(found: Listed, order: Order, now: datetime) -> Fact:
    data = PurchaseHeld(
        shipment_id=found.shipment,
        organization_id=found.organization,
        evidence=Evidence.webhook if found.intent is None else Evidence.carrier,
        current=True,
        first_seen=False,
        intent_id=found.intent,
        offer_id=None if found.intent is None else found.offer,
        service_id=None if found.intent is None else found.service,
        reason=BY_PERSON,
        seconds_left=round(found.seconds_left(now) or 0.0, 3),
    )
    key = f"{BY_PERSON}:{order.cause}"  # each time is a fact of its own, also of one intent
    return Fact(_subject(found), data.type, key, now, data, facet=BY_PERSON, causation=order.cause)


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
}


def _refused(found: Listed) -> Refused:
    """Say why a purchase in this state is not touched."""
    told = _REFUSALS[found.state].format(reason=found.reason or "for no reason that was kept")
    return Refused(f"the purchase is {found.state.value}: {told}")


# -- noting ----------------------------------------------------------------------------------------------------------


def _noted(transaction: Transaction, before: str, found: Listed, order: Order, result: Result, now: datetime) -> Listed:
    """Note what was done about a purchase, and give it as it stands now."""
    after = again(transaction, found)
    note = journal.Note("person", result, before)
    which = (after.offer, after.reason, order.cause, order.by)
    entry = journal.Entry(after.organization, after.shipment, now, now, 1, note, after.state.value, *which)
    journal.write(transaction, entry)
    return replace(after, note=last_note(transaction, after))


def _one(transaction: Transaction, order: Order) -> Listed | Refused:
    """Find the purchase that an order is about."""
    found = find(transaction, order.shipment, _only(order))
    if not found:
        return Refused(f"no purchase of shipment {order.shipment} was ever asked for")
    if len(found) > 1:
        return Refused(f"several organizations have a shipment {order.shipment}: say which by organization_id")
    return found[0]


def _only(order: Order) -> frozenset[int]:
    return frozenset() if order.organization is None else frozenset({int(order.organization)})


def _locked(transaction: Transaction, found: Listed) -> Listed:
    transaction.run(f"SELECT token FROM purchases WHERE {ROW} {transaction.for_update}", _row(found))
    return again(transaction, found)


def _subject(found: Listed) -> Subject:
    return Subject.shipment(found.organization, found.shipment)


def _row(found: Listed) -> tuple[OrganizationId, ShipmentId]:
    """Give the values for ROW."""
    return found.organization, found.shipment
