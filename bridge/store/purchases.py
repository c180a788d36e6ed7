"""Purchases: one row per shipment, one hand at a time, the intent on disk before the call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bridge.errors import LeaseLost
from bridge.events.shipment import ShipmentState
from bridge.model import Fact, IntentId, OfferId, OrganizationId, PurchaseWork, ShipmentId, Subject, micros, moment
from bridge.store.database import Database, Row, Transaction
from bridge.store.facts import Recorder

LEASE = timedelta(seconds=8)


class PurchaseState(StrEnum):
    """Where a purchase stands. The first three are live: somebody will work on them."""

    wanted = "wanted"
    intended = "intended"
    doubt = "doubt"
    succeeded = "succeeded"
    failed = "failed"
    declined = "declined"
    held = "held"
    expired = "expired"
    not_ours = "not_ours"


@dataclass(frozen=True, slots=True)
class Purchase:
    """A claimed purchase. `due_at` is when it is to be looked at next; `reads` counts those since the doubt began."""

    organization: OrganizationId
    shipment: ShipmentId
    state: PurchaseState
    deadline: datetime
    due_at: datetime
    cause: str | None
    intent: IntentId | None = None
    offer: OfferId | None = None
    service: str | None = None
    payments: tuple[int, ...] = ()
    """The payments that were there already when this one was intended: they prove nothing about it."""
    send_before: datetime | None = None
    reads: int = 0
    attempts: int = 0
    reason: str | None = None

    @property
    def subject(self) -> Subject:
        return Subject.shipment(self.organization, self.shipment)


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of a purchase changes: the row from now on, the facts, and what is known of the shipment."""

    purchase: Purchase
    facts: tuple[Fact, ...] = ()
    state: ShipmentState | None = None


def want(transaction: Transaction, work: Iterable[PurchaseWork], now: datetime) -> None:
    """Ask for purchases. One that is intended, in doubt or done is left alone: evidence ends it, not a new webhook."""
    rows = [
        (one.organization, one.shipment, "wanted", micros(one.deadline), micros(now), one.cause, micros(now))
        for one in sorted(work, key=lambda one: (one.organization, one.shipment))
    ]
    transaction.insert(
        "purchases (organization, shipment, state, deadline, due_at, cause, updated_at)",
        rows,
        tail="ON CONFLICT (organization, shipment) DO UPDATE SET state = 'wanted', deadline = excluded.deadline,"
        " due_at = excluded.due_at, cause = excluded.cause, attempts = 0, reads = 0, reason = NULL,"
        # A held purchase that is asked for again is the same one; any other that ended is not.
        " intent_id = CASE WHEN purchases.state IN ('held', 'wanted') THEN purchases.intent_id END,"
        " updated_at = excluded.updated_at"
        " WHERE purchases.state NOT IN ('intended', 'doubt', 'succeeded')",
    )


class SqlPurchases:
    """Hands out purchases that are due, and takes what was done about them."""

    def __init__(self, database: Database, recorder: Recorder, holder: str) -> None:
        self._database = database
        self._recorder = recorder
        self._holder = holder

    async def claim(self, limit: int, now: datetime) -> Sequence[Purchase]:
        """Take purchases that are due, the earliest deadline first, for eight seconds."""
        return await self._database.write(lambda transaction: self._claim(transaction, limit, now))

    async def renew(self, claimed: Purchase, now: datetime) -> None:
        """Hold a claimed purchase for another eight seconds, if it is still ours."""
        await self._database.write(
            lambda transaction: transaction.run(
                "UPDATE purchases SET held_until = ? WHERE organization = ? AND shipment = ?"
                " AND holder = ? AND held_until > ?",
                (micros(now + LEASE), claimed.organization, claimed.shipment, self._holder, micros(now)),
            )
        )

    async def next_due(self) -> datetime | None:
        """Say when the next live purchase wants to be looked at."""
        rows = await self._database.read(
            lambda transaction: transaction.run(
                # What somebody else holds is not due before its lease ends.
                "SELECT min(CASE WHEN held_until > due_at THEN held_until ELSE due_at END)"
                f" FROM purchases WHERE {_LIVE}"
            )
        )
        return None if rows[0][0] is None else moment(rows[0][0])

    async def step(self, claimed: Purchase, decide: Callable[[ShipmentState | None], Step], now: datetime) -> Purchase:
        """Carry out a decision about what is known of the shipment. Raises LeaseLost, and then nothing counted."""
        return await self._database.write(lambda transaction: self._step(transaction, claimed, decide, now))

    def _claim(self, transaction: Transaction, limit: int, now: datetime) -> list[Purchase]:
        rows = transaction.run(
            f"SELECT {_COLUMNS} FROM purchases WHERE {_LIVE} AND due_at <= ? AND held_until <= ?"
            f" ORDER BY deadline LIMIT ? {transaction.skip_locked}",
            (micros(now), micros(now), limit),
        )
        claimed = [_purchase(row) for row in rows]
        for one in claimed:
            transaction.run(
                "UPDATE purchases SET holder = ?, held_until = ? WHERE organization = ? AND shipment = ?",
                (self._holder, micros(now + LEASE), one.organization, one.shipment),
            )
        return claimed

    def _step(
        self,
        transaction: Transaction,
        claimed: Purchase,
        decide: Callable[[ShipmentState | None], Step],
        now: datetime,
    ) -> Purchase:
        ledgers = self._recorder.lock(transaction, [claimed.subject])
        ledger = ledgers[claimed.subject]
        step = decide(None if ledger.state is None else ShipmentState.load(ledger.state))
        if step.state is not None:
            ledger.state = step.state.dump()
        self._recorder.record(transaction, ledgers, step.facts, now)
        self._recorder.save(transaction, ledgers.values())
        self._write(transaction, step.purchase, now)
        return step.purchase

    def _write(self, transaction: Transaction, one: Purchase, now: datetime) -> None:
        kept = (micros(now + LEASE)) if one.state is PurchaseState.intended else 0
        changed = transaction.run(
            "UPDATE purchases SET state = ?, deadline = ?, due_at = ?, intent_id = ?, offer_id = ?, service_id = ?,"
            " payments = ?, send_before = ?, reads = ?, attempts = ?, reason = ?, held_until = ?, updated_at = ?"
            " WHERE organization = ? AND shipment = ? AND holder = ? AND held_until > ? RETURNING shipment",
            (
                one.state.value,
                micros(one.deadline),
                micros(one.due_at),
                one.intent,
                one.offer,
                one.service,
                ",".join(map(str, one.payments)),
                _stored(one.send_before),
                one.reads,
                one.attempts,
                one.reason,
                kept,
                micros(now),
                one.organization,
                one.shipment,
                self._holder,
                micros(now),
            ),
        )
        if not changed:
            raise LeaseLost(f"the purchase of shipment {one.shipment} belongs to another worker")
        if one.state in _ENDED_UNBOUGHT:
            # What was asked for while an older read was being decided about is decided about anew.
            transaction.run(
                "UPDATE purchases SET state = 'wanted', due_at = ? WHERE organization = ? AND shipment = ?"
                " AND coalesce(cause, '') <> ?",
                (micros(now), one.organization, one.shipment, one.cause or ""),
            )


_ENDED_UNBOUGHT = (PurchaseState.declined, PurchaseState.expired, PurchaseState.held, PurchaseState.not_ours)
_LIVE = "state IN ('wanted', 'intended', 'doubt')"
_COLUMNS = (
    "organization, shipment, state, deadline, due_at, cause, intent_id, offer_id, service_id,"
    " payments, send_before, reads, attempts, reason"
)


def _purchase(row: Row) -> Purchase:
    bare = Purchase(row[0], row[1], PurchaseState(row[2]), moment(row[3]), moment(row[4]), row[5])
    return replace(
        bare,
        intent=row[6],
        offer=row[7],
        service=row[8],
        payments=tuple(int(number) for number in row[9].split(",") if number),
        send_before=_read(row[10]),
        reads=row[11],
        attempts=row[12],
        reason=row[13],
    )


def _stored(value: datetime | None) -> int | None:
    return None if value is None else micros(value)


def _read(value: int | None) -> datetime | None:
    return None if value is None else moment(value)
