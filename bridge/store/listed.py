"""Purchases as people see them: how each stands, at which price, and what was done about it last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from pydantic_core import from_json

from bridge.events.catalogue import Money
from bridge.model import OfferId, OrganizationId, ShipmentId, moment
from bridge.store import budget
from bridge.store.database import Database, Row, Transaction, marks
from bridge.store.purchase import BY_PERSON, Approval, PurchaseState

_OPEN: Final = frozenset({PurchaseState.wanted, PurchaseState.intended, PurchaseState.doubt, PurchaseState.held})


@dataclass(frozen=True, slots=True)
class LastNote:
    """The last step that the journal has: when, what it came from, what came of it, and whose hand it was."""

    at: datetime
    what: str
    result: str
    reason: str | None
    by: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A purchase as it stands. `in_hand` names the process that works on it now."""

    organization: OrganizationId
    shipment: ShipmentId
    state: PurchaseState
    reason: str | None
    intent: str | None
    offer: OfferId | None
    service: str | None
    price: Money | None
    deadline: datetime
    updated_at: datetime
    cause: str | None
    in_hand: str | None
    approval: Approval | None
    note: LastNote | None

    @property
    def held_by(self) -> str | None:
        """Say who holds it, where a person does."""
        is_held = self.state is PurchaseState.held and self.reason == BY_PERSON
        return self.note.by if is_held and self.note is not None and self.note.what == "person" else None

    def seconds_left(self, now: datetime) -> float | None:
        """Say how long it can still be bought; None where that is over and done with."""
        return max((self.deadline - now).total_seconds(), 0.0) if self.state in _OPEN else None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which purchases a reader wants; `before` is the cursor: organization and shipment of the last one seen."""

    state: PurchaseState | None = None
    organizations: frozenset[int] = frozenset()
    before: tuple[int, int] | None = None


class SqlListed:
    """Lists purchases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, wanted: Wanted, limit: int) -> list[Listed]:
        """Give purchases by organization and shipment, the highest numbers first."""
        return await self._database.read(lambda transaction: _list(transaction, wanted, limit))

    async def find(self, shipment: ShipmentId, organizations: frozenset[int] = frozenset()) -> Sequence[Listed]:
        """Give the purchases of a shipment's number: one, where not several organizations have it."""
        return await self._database.read(lambda transaction: find(transaction, shipment, organizations))


ROW: Final = "organization = ? AND shipment = ?"
_PRICE: Final = (
    "(SELECT events.body FROM subjects JOIN facts ON facts.subject_id = subjects.id"
    " JOIN events ON events.position = facts.position"
    " WHERE subjects.source = '/shipx/' || purchases.organization AND subjects.name = 'shipment/' || purchases.shipment"
    " AND facts.type IN ('shipment.offer_selected', 'shipment.purchase_succeeded') AND facts.key = purchases.intent_id"
    " ORDER BY facts.position DESC LIMIT 1)"
)
"""The event that told the price of the present intent."""
_COLUMNS: Final = (
    "organization, shipment, state, reason, intent_id, offer_id, service_id, deadline, updated_at, cause, holder,"
    f" held_until, approved_by, approved_service, approved_amount, {_PRICE}"
)


def _list(transaction: Transaction, wanted: Wanted, limit: int) -> list[Listed]:
    conditions, values = ["1 = 1"], list[object]()
    if wanted.state is not None:
        conditions.append(f"state = '{wanted.state.value}'")  # in the text, so that an index for it is used
    if wanted.organizations:
        conditions.append(f"organization IN ({marks(list(wanted.organizations))})")
        values += sorted(wanted.organizations)
    if wanted.before is not None:
        conditions.append("(organization, shipment) < (?, ?)")
        values += wanted.before
    rows = transaction.run(
        f"SELECT {_COLUMNS} FROM purchases WHERE {' AND '.join(conditions)}"
        " ORDER BY organization DESC, shipment DESC LIMIT ?",
        [*values, limit],
    )
    return [_listed(transaction, row) for row in rows]


def find(transaction: Transaction, shipment: ShipmentId, organizations: frozenset[int]) -> list[Listed]:
    """Look under each organization that has purchases: the key begins with it."""
    found = []
    for organization in sorted(organizations) or _organizations(transaction):
        rows = transaction.run(f"SELECT {_COLUMNS} FROM purchases WHERE {ROW}", (organization, shipment))
        found += [_listed(transaction, row) for row in rows]
    return found


def _organizations(transaction: Transaction) -> list[int]:
    """List the few organizations of many purchases, from one to the next."""
    found = [0]
    while rows := transaction.run(
        "SELECT organization FROM purchases WHERE organization > ? ORDER BY organization LIMIT 1", (found[-1],)
    ):
        found.append(rows[0][0])
    return found[1:]


def again(transaction: Transaction, found: Listed) -> Listed:
    """Read a purchase once more, as it stands now."""
    (row,) = transaction.run(f"SELECT {_COLUMNS} FROM purchases WHERE {ROW}", (found.organization, found.shipment))
    return _listed(transaction, row)


def _listed(transaction: Transaction, row: Row) -> Listed:
    organization, shipment, state, reason, intent, offer, service, deadline, updated_at, cause, *rest = row
    holder, held_until, by, approved_service, approved_amount, told = rest
    listed = Listed(
        organization=organization,
        shipment=shipment,
        state=PurchaseState(state),
        reason=reason,
        intent=intent,
        offer=offer,
        service=service,
        price=None if told is None else _price(from_json(told)["data"]),
        deadline=moment(deadline),
        updated_at=moment(updated_at),
        cause=cause,
        in_hand=holder if held_until > transaction.now else None,
        approval=None if by is None else Approval(by, approved_service, budget.amount_of(approved_amount)),
        note=None,
    )
    return replace(listed, note=last_note(transaction, listed))


def last_note(transaction: Transaction, found: Listed) -> LastNote | None:
    rows = transaction.run(
        f"SELECT last_at, what, result, reason, holder FROM journal WHERE {ROW} ORDER BY id DESC LIMIT 1",
        (found.organization, found.shipment),
    )
    return LastNote(moment(rows[0][0]), *rows[0][1:]) if rows else None


def _price(told: Mapping[str, Any]) -> Money | None:
    return None if told.get("price") is None else Money.model_validate(told["price"])
