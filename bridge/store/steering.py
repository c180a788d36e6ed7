"""A shipment in the hand of a person's command: while it is, nothing is bought for it, and no other one has it.

The row of its purchase says so; where there is none, one is made. What was asked for meanwhile is not forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from bridge.events.shipment import ShipmentState
from bridge.model import Fact, OfferId, OrganizationId, ShipmentId, Subject, micros, moment
from bridge.store import budget
from bridge.store.database import Transaction
from bridge.store.facts import Recorder
from bridge.store.listed import ROW, Listed, find
from bridge.store.orders import (
    UNAPPROVED,
    Order,
    Refused,
    Result,
    edit_under_way,
    end_of_intent,
    is_not_taken,
    locked,
    noted,
    put,
    refused,
)
from bridge.store.purchase import ADOPTED_UNREAD, BY_PERSON, CANCELLED, Answer, PurchaseState
from bridge.store.wanting import WINDOW

Deed = Literal["select", "cancel"]
_BEGUN: Final[dict[Deed, Result]] = {"select": "selecting", "cancel": "cancelling"}
_NEVER: Final = (PurchaseState.intended, PurchaseState.doubt, PurchaseState.steered)
"""Where nobody else may touch the shipment: money may be under way, or another command has it."""
Tell = Callable[[ShipmentState | None], Sequence[Fact]]


@dataclass(frozen=True, slots=True)
class Steer:
    """What a command does with a shipment. `order` names it, with its organization; `offer` is the one to select."""

    order: Order
    organization: OrganizationId
    deed: Deed
    offer: OfferId | None = None

    @property
    def subject(self) -> Subject:
        return Subject.shipment(self.organization, self.order.shipment)

    @property
    def by(self) -> str:
        """Name the command, as the row keeps it."""
        return f"{self.deed}/{self.order.cause}"


class SqlSteering:
    """Takes shipments in a command's hand, and out of it, within larger units."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def take(self, transaction: Transaction, steer: Steer, now: datetime) -> Listed | Refused:
        """Take one in hand before anything is sent; whoever was about to decide about its purchase loses it."""
        ledgers = self._recorder.lock(transaction, [steer.subject])
        found = _row(transaction, steer, now)
        if _holder(transaction, found) == steer.by:
            return found
        if found.state in _NEVER or (found.state is PurchaseState.succeeded and found.reason != ADOPTED_UNREAD):
            return refused(found)
        if edit_under_way(transaction, found, now) is not None:
            return _EDITED
        facts = [end_of_intent(found, steer.order, now)] if is_not_taken(transaction, found) else []
        changes: dict[str, object] = {"steered_by": steer.by, "steered_from": _kept(transaction, found, steer)}
        if facts:  # as it was asked for, so it ends
            changes |= {"intent_id": None, "answer": None}
        if steer.offer is not None:
            changes |= {"selected_offer": steer.offer}
        put(transaction, found, steer.order, now, state=PurchaseState.steered, **changes)
        if facts:
            budget.release(transaction, found.organization, found.shipment)
        self._recorder.record(transaction, ledgers, facts, now)
        self._recorder.save(transaction, ledgers.values())
        return noted(transaction, found.state.value, found, steer.order, _BEGUN[steer.deed], now)

    def selected(self, transaction: Transaction, steer: Steer, until: datetime, now: datetime) -> Listed:
        """Let go of one whose offer is selected: the policy decides about that; a person's hold goes on."""
        self._recorder.lock(transaction, [steer.subject])
        return self._wanted(transaction, steer, until, "selected", now, **_ANEW)

    def cancelled(self, transaction: Transaction, steer: Steer, tell: Tell, now: datetime) -> Listed:
        """Let go of one that is cancelled: its purchase ends."""
        found = self._told(transaction, steer, tell, now)
        changes = {"reason": CANCELLED, "intent_id": None, "answer": None, **UNAPPROVED}
        put(transaction, found, steer.order, now, state=PurchaseState.not_ours, **_FREE, **changes)
        budget.release(transaction, found.organization, found.shipment)
        return noted(transaction, found.state.value, found, steer.order, "cancelled", now)

    def not_cancelled(self, transaction: Transaction, steer: Steer, tell: Tell, now: datetime) -> Listed:
        """Let go of one that could not be cancelled: who wanted that wants nothing bought, so it is held.

        Where somebody else bought it, a read shows it.
        """
        found = self._told(transaction, steer, tell, now)
        return self._stopped(transaction, steer, found, "not_cancelled", now)

    def put_back(self, transaction: Transaction, steer: Steer, now: datetime) -> Listed:
        """Let go of one with which nothing was done: all is as it was, but for what was asked for meanwhile."""
        self._recorder.lock(transaction, [steer.subject])
        found = _row(transaction, steer, now)
        before, selected = _before(transaction, found)
        ((cause, deadline),) = transaction.run(
            f"SELECT wanted_cause, wanted_deadline FROM purchases WHERE {ROW}", (found.organization, found.shipment)
        )
        result: Result = "not_selected" if steer.deed == "select" else "not_cancelled"
        changes: dict[str, object] = {"selected_offer": selected} if steer.deed == "select" else {}
        if before is PurchaseState.wanted or (cause is not None and found.reason != BY_PERSON):
            until = found.deadline if deadline is None else moment(deadline)
            changes |= {} if before is PurchaseState.wanted else _AFRESH
            return self._wanted(transaction, steer, until, result, now, **changes)
        put(transaction, found, steer.order, now, state=before, **_FREE, **changes)
        return noted(transaction, found.state.value, found, steer.order, result, now)

    def let_go(self, transaction: Transaction, organization: OrganizationId, now: datetime) -> int:
        """Let go of what a command had in hand that is over: it was given up by the process that carried it out."""
        rows = transaction.run(
            "SELECT shipment, steered_by FROM purchases WHERE organization = ? AND state = 'steered'"
            " AND NOT EXISTS (SELECT 1 FROM commands WHERE state IN ('waiting', 'running')"
            " AND operation = CASE substr(steered_by, 1, 7) WHEN 'select/' THEN 'shipment.select_offer'"
            " ELSE 'shipment.cancel' END AND id = substr(steered_by, 8)) ORDER BY shipment",
            (organization,),
        )
        steers = [_given_up(organization, ShipmentId(shipment), by) for shipment, by in rows]
        self._recorder.lock(transaction, {one.subject for one in steers})  # all at once, as the buyer does
        for one in steers:
            self.give_up(transaction, one, now)
        return len(rows)

    def give_up(self, transaction: Transaction, steer: Steer, now: datetime) -> None:
        """Let go of one of which nobody knows what was done with it.

        Reads will show whether an offer is selected; for what was to be cancelled nothing is bought.
        """
        self._recorder.lock(transaction, [steer.subject])
        found = _row(transaction, steer, now)
        if _holder(transaction, found) != steer.by:
            return
        if steer.deed == "select":
            self._wanted(transaction, steer, now, "let_go", now, **_ANEW)
        else:
            self._stopped(transaction, steer, found, "let_go", now)

    # -- letting go ----------------------------------------------------------------------------------------------------

    def _told(self, transaction: Transaction, steer: Steer, tell: Tell, now: datetime) -> Listed:
        ledgers = self._recorder.lock(transaction, [steer.subject])
        ledger = ledgers[steer.subject]
        facts = tell(None if ledger.state is None else ShipmentState.load(ledger.state))
        self._recorder.record(transaction, ledgers, facts, now)
        self._recorder.save(transaction, ledgers.values())
        return _row(transaction, steer, now)

    def _wanted(
        self,
        transaction: Transaction,
        steer: Steer,
        until: datetime,
        result: Result,
        now: datetime,
        **columns: object,
    ) -> Listed:
        found = _row(transaction, steer, now)
        changes: dict[str, object] = {
            "deadline": micros(until if until > now else now + WINDOW),
            "due_at": micros(now),
            "reason": _reason(transaction, found),
            **columns,
        }
        put(transaction, found, steer.order, now, state=PurchaseState.wanted, **_FREE, **changes)
        transaction.notify("purchases")
        return noted(transaction, found.state.value, found, steer.order, result, now)

    def _stopped(self, transaction: Transaction, steer: Steer, found: Listed, result: Result, now: datetime) -> Listed:
        changes = {"reason": BY_PERSON, "look_at": micros(found.deadline), **UNAPPROVED}
        put(transaction, found, steer.order, now, state=PurchaseState.held, **_FREE, **changes)
        budget.release(transaction, found.organization, found.shipment)
        return noted(transaction, found.state.value, found, steer.order, result, now)


_EDITED: Final = Refused("its offers are being made anew just now: try again in a moment")
_BRIDGE: Final = "bridge"
"""Who lets go where nobody does it in person."""
_NEVER_ASKED_FOR: Final = "not_asked_for"
_FREE: Final = {"steered_by": None, "steered_from": None, "wanted_cause": None, "wanted_deadline": None}
_AFRESH: Final[Mapping[str, object]] = {"answer": Answer.asked.value, "attempts": 0, "reads": 0, "refusals": 0}
_ANEW: Final[Mapping[str, object]] = {**_AFRESH, "ordered_offer": None}
"""What was ordered before an offer was selected is over: the others are gone."""


def selected_here(transaction: Transaction, organization: OrganizationId, shipment: ShipmentId) -> OfferId | None:
    """Give the offer of a shipment that a person selected here last."""
    rows = transaction.run(f"SELECT selected_offer FROM purchases WHERE {ROW}", (organization, shipment))
    return rows[0][0] if rows else None


def has_any(transaction: Transaction, organization: OrganizationId) -> bool:
    """Say whether any shipment is in a command's hand."""
    sql = "SELECT 1 FROM purchases WHERE organization = ? AND state = 'steered' LIMIT 1"
    return bool(transaction.run(sql, (organization,)))


def _row(transaction: Transaction, steer: Steer, now: datetime) -> Listed:
    """Lock the row, which is made where there is none."""
    transaction.insert(
        "purchases (organization, shipment, state, deadline, due_at, cause, reason, updated_at)",
        [
            (
                steer.organization,
                steer.order.shipment,
                PurchaseState.not_ours.value,
                micros(now),
                micros(now),
                steer.order.cause,
                _NEVER_ASKED_FOR,
                micros(now),
            )
        ],
        tail="ON CONFLICT DO NOTHING",
    )
    (found,) = find(transaction, steer.order.shipment, frozenset({int(steer.organization)}))
    return locked(transaction, found)


def _given_up(organization: OrganizationId, shipment: ShipmentId, by: str) -> Steer:
    """Give what a command was to do with a shipment, from what its row says."""
    cause = by.partition("/")[2]
    deed: Deed = "select" if by.startswith("select/") else "cancel"
    return Steer(Order(shipment, organization, _BRIDGE, cause), organization, deed)


def _holder(transaction: Transaction, found: Listed) -> str | None:
    rows = transaction.run(
        f"SELECT steered_by FROM purchases WHERE {ROW} AND state = 'steered'", (found.organization, found.shipment)
    )
    return rows[0][0] if rows else None


def _reason(transaction: Transaction, found: Listed) -> str | None:
    """Keep a person's hold: its reason stayed on the row."""
    before, _ = _before(transaction, found)
    is_held = before in (PurchaseState.held, PurchaseState.wanted) and found.reason == BY_PERSON
    return BY_PERSON if is_held else None


def _kept(transaction: Transaction, found: Listed, steer: Steer) -> str:
    """Give what is kept of how it stood: its state, and the offer that was selected here where another is to be."""
    selected = selected_here(transaction, found.organization, found.shipment)
    is_another = steer.offer is not None and selected is not None
    return f"{found.state.value}/{selected}" if is_another else found.state.value


def _before(transaction: Transaction, found: Listed) -> tuple[PurchaseState, OfferId | None]:
    """Say how one in hand stood before, and which offer was selected here."""
    ((kept,),) = transaction.run(
        f"SELECT steered_from FROM purchases WHERE {ROW}", (found.organization, found.shipment)
    )
    state, _, selected = kept.partition("/")
    return PurchaseState(state), OfferId(int(selected)) if selected else None
