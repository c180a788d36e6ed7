"""Purchases as people steer them: approved, held, asked for again; never while one is being made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final

from bridge.events.catalogue import PurchaseHeld
from bridge.model import DeliveryId, Evidence, Fact, IntentId, OfferId, OrganizationId, PurchaseWork, micros
from bridge.store import budget
from bridge.store.database import Transaction
from bridge.store.facts import Recorder
from bridge.store.listed import ROW, Listed, find
from bridge.store.orders import (
    UNAPPROVED,
    Order,
    Refused,
    Result,
    answer_of,
    end_of_intent,
    find_one,
    have_it_wanted,
    is_not_taken,
    locked,
    noted,
    only,
    put,
    refused,
    row,
    subject,
)
from bridge.store.purchase import ADOPTED_UNREAD, BY_PERSON, Answer, PurchaseState
from bridge.store.wanting import WINDOW, want


class SqlApprovals:
    """Carries out, each within a larger unit, what people want done about purchases."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def approve(
        self, transaction: Transaction, order: Order, now: datetime, intent: IntentId | None = None
    ) -> Listed | Refused:
        """Let a held purchase be made, of the service that was chosen and at its price; it is read anew first.

        Where an intent is named, only that one: what was held under another is not what was looked at.
        """
        return self._carry_out(transaction, order, "approved", partial(_approve, intent=intent), now)

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
        if not find(transaction, order.shipment, only(order)):
            return _ask(transaction, order, known, "asked_for", now)
        return self._carry_out(transaction, order, "asked_for", _buy, now)

    def pick(
        self, transaction: Transaction, order: Order, offer: OfferId, known: Sequence[OrganizationId], now: datetime
    ) -> Listed | Refused:
        """Have this very offer bought, also where a purchase is held; whatever the policy would choose."""
        ordered: dict[str, object] = {"ordered_offer": offer}
        if not find(transaction, order.shipment, only(order)):
            return _ask(transaction, order, known, "picked", now, **ordered)
        return self._carry_out(transaction, order, "picked", partial(_again, columns=ordered), now)

    def renew(
        self, transaction: Transaction, order: Order, known: Sequence[OrganizationId], now: datetime
    ) -> Listed | Refused:
        """Have offers made anew, and decide about those; what a person holds goes on being held with them."""
        answer: dict[str, object] = {"answer": Answer.renew.value}
        if not find(transaction, order.shipment, only(order)):
            return _ask(transaction, order, known, "renewed", now, **answer)
        return self._carry_out(transaction, order, "renewed", _renew, now)

    def _carry_out(
        self, transaction: Transaction, order: Order, result: Result, act: _Act, now: datetime
    ) -> Listed | Refused:
        found = find_one(transaction, order)
        if isinstance(found, Refused):
            return found
        # As the buyer does: the subject is locked before the row.
        ledgers = self._recorder.lock(transaction, [subject(found)])
        before = locked(transaction, found)
        facts = act(transaction, before, order, now)
        if isinstance(facts, Refused):
            return facts
        self._recorder.record(transaction, ledgers, facts, now)
        self._recorder.save(transaction, ledgers.values())
        transaction.notify("purchases")
        return noted(transaction, before.state.value, before, order, result, now)


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
_FRESH: Final[Mapping[str, int]] = {"attempts": 0, "reads": 0}
_ANEW: Final[Mapping[str, int | None]] = {
    **_FRESH,
    **UNAPPROVED,
    "refusals": 0,
    "regenerations": 0,
    "edited_at": None,
}
"""Nothing of what was tried before counts."""


# -- acting ----------------------------------------------------------------------------------------------------------


def _approve(
    transaction: Transaction, found: Listed, order: Order, now: datetime, *, intent: IntentId | None
) -> Sequence[Fact] | Refused:
    if found.state is not PurchaseState.held and not _is_read_again(transaction, found):
        return refused(found)
    if found.service is None or found.intent is None:
        return Refused("no offer was chosen for it yet, so there is nothing to approve: retry it, and one is")
    if intent is not None and intent != found.intent:
        return Refused(f"it was decided about anew since: look at what is held now, under the intent {found.intent}")
    approval = {
        "approved_by": order.by,
        "approved_service": found.service,
        "approved_amount": None if found.price is None else budget.tenthousandths(found.price.amount),
        "ordered_offer": None,
    }
    have_it_wanted(transaction, found, order, now, deadline=found.deadline, **_FRESH, **approval)
    return ()


def _is_read_again(transaction: Transaction, found: Listed) -> bool:
    """Say whether it is held but for a moment, in which it is read once more: its webhook came again.

    What a person asked for meanwhile is not what was held.
    """
    is_held = found.state is PurchaseState.wanted and found.service is not None and found.intent is not None
    return is_held and answer_of(transaction, found) in (None, Answer.stranger.value)


def _hold(transaction: Transaction, found: Listed, order: Order, now: datetime) -> Sequence[Fact] | Refused:
    if found.state is not PurchaseState.wanted:
        return refused(found)
    changes: dict[str, object] = {"reason": BY_PERSON, "look_at": micros(found.deadline), **UNAPPROVED}
    left = [end_of_intent(found, order, now)] if is_not_taken(transaction, found) else []
    if left:  # as it was asked for, so it ends: what is decided about after the hold is another intent
        found = replace(found, intent=None)
        changes |= {"intent_id": None, "answer": None}
    put(transaction, found, order, now, state=PurchaseState.held, **changes)
    budget.release(transaction, found.organization, found.shipment)  # of an intent that was never taken in
    return [*left, _held(found, order, now)]


def _retry(transaction: Transaction, found: Listed, order: Order, now: datetime) -> Sequence[Fact] | Refused:
    if found.state not in _RETRIED and not _is_unread(found):
        return refused(found)
    # What is held and decided about again is the same purchase; one that ended is not.
    intent = found.intent if found.state is PurchaseState.held else None
    have_it_wanted(transaction, found, order, now, deadline=now, intent_id=intent, **_ANEW)
    return ()


def _buy(transaction: Transaction, found: Listed, order: Order, now: datetime) -> Sequence[Fact] | Refused:
    """Ask again like a retry, but for what is held: a program does not release what waits for a person."""
    if found.state is PurchaseState.held:
        return refused(found)
    return _retry(transaction, found, order, now)


def _again(
    transaction: Transaction, found: Listed, order: Order, now: datetime, *, columns: Mapping[str, object]
) -> Sequence[Fact] | Refused:
    """Have it decided about anew, whatever waits or ended; as the same purchase where that is not over."""
    if not _may_be_decided(found):
        return refused(found)
    intent = found.intent if found.state in _UNDECIDED else None
    changes = {**_ANEW, **columns, "reason": still_held(found)}
    have_it_wanted(transaction, found, order, now, deadline=now, intent_id=intent, **changes)
    return ()


def _renew(transaction: Transaction, found: Listed, order: Order, now: datetime) -> Sequence[Fact] | Refused:
    if not _may_be_decided(found):
        return refused(found)
    left = [end_of_intent(found, order, now)] if is_not_taken(transaction, found) else []
    intent = found.intent if found.state in _UNDECIDED and not left else None
    columns = {**_ANEW, "answer": Answer.renew.value, "reason": still_held(found)}
    have_it_wanted(transaction, found, order, now, deadline=now, intent_id=intent, **columns)
    return left


def still_held(found: Listed) -> str | None:
    """Give the reason to keep where a person holds it, so that it goes on being held whatever is decided."""
    return BY_PERSON if found.state in _UNDECIDED and found.reason == BY_PERSON else None


_UNDECIDED: Final = (PurchaseState.wanted, PurchaseState.held)


def _may_be_decided(found: Listed) -> bool:
    return found.state is PurchaseState.wanted or found.state in _RETRIED or _is_unread(found)


def _ask(
    transaction: Transaction,
    order: Order,
    known: Sequence[OrganizationId],
    result: Result,
    now: datetime,
    **columns: object,
) -> Listed | Refused:
    """Ask for the first time."""
    organization = known[0] if order.organization is None and len(known) == 1 else order.organization
    if organization is None and not known:
        return Refused("no organization here has a token, so none can buy", "missing")
    if organization is None:
        return Refused("is needed: there are several organizations here", "missing")
    if organization not in known:
        return Refused("there is no such organization here that has a token", "unknown_value")
    want(transaction, [PurchaseWork(organization, order.shipment, now + WINDOW, DeliveryId(order.cause))], now)
    (found,) = find(transaction, order.shipment, frozenset({int(organization)}))
    changes = {"answer": Answer.asked.value, **columns}
    transaction.run(
        f"UPDATE purchases SET {', '.join(f'{name} = ?' for name in changes)}"
        f" WHERE {ROW} AND state = 'wanted' AND answer IS NULL",
        [*changes.values(), *row(found)],
    )
    return noted(transaction, "none", found, order, result, now)


def _is_unread(found: Listed) -> bool:
    """Say whether nothing but a webhook says that it is bought, which is unsigned: a read decides anew."""
    return found.state is PurchaseState.succeeded and found.reason == ADOPTED_UNREAD


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
    return Fact(subject(found), data.type, key, now, data, facet=BY_PERSON, causation=order.cause)
