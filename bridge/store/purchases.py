"""Purchases: one row per shipment, one hand at a time, the intent on disk before the call."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bridge.errors import LeaseLost, NoPermit
from bridge.events.shipment import ShipmentState
from bridge.model import Fact, IntentId, OfferId, OrganizationId, PurchaseWork, ShipmentId, Subject, micros, moment
from bridge.store import journal
from bridge.store.connections import is_paused, resting
from bridge.store.database import Database, Row, Transaction, marks
from bridge.store.facts import Recorder

LEASE = timedelta(seconds=8)
WINDOW = timedelta(minutes=5)
"""How long an offer can be bought. A deadline further away is nobody's: webhooks are unsigned."""
ADOPTED = "adopted"
"""The reason in the ledger of what somebody else bought, as a read showed."""
ADOPTED_UNREAD = "adopted_by_webhook"
"""The same, as a webhook alone says. It moves no money: where a read is asked for, the read decides."""


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
    """When the call had to be begun."""
    left_by: datetime | None = None
    """The last moment at which the request can have left: a bound at the intent, the call's end once that is known."""
    reads: int = 0
    attempts: int = 0
    reason: str | None = None
    token: int = 0
    """Which taking in hand this is: the next one makes it worthless."""
    note: journal.Note | None = None
    """What was just seen or done, for the journal."""

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
    """Ask for purchases. One that is intended or in doubt is left to evidence, and wanted again if it ends unbought."""
    rows = [
        (
            one.organization,
            one.shipment,
            PurchaseState.wanted.value,
            micros(min(max(one.deadline, now), now + WINDOW)),
            micros(now),
            one.cause,
            micros(now),
        )
        for one in sorted(work, key=lambda one: (one.organization, one.shipment))
    ]
    transaction.insert(
        "purchases (organization, shipment, state, deadline, due_at, cause, updated_at)",
        rows,
        tail=f"ON CONFLICT (organization, shipment) DO UPDATE SET {_ASKED_AGAIN}"
        f" WHERE purchases.state <> 'succeeded' OR purchases.reason = '{ADOPTED_UNREAD}'",
    )
    if rows:
        transaction.notify("purchases")


def adopt_unread(
    transaction: Transaction, bought: Iterable[tuple[OrganizationId, ShipmentId, str | None]], now: datetime
) -> int:
    """Enter what a webhook says is bought into the ledger, unless a purchase of ours is still to be settled by reads.

    `bought` are organization, shipment and the delivery that says so; gives how many were entered.
    """
    at = micros(now)
    rows = [
        (organization, shipment, PurchaseState.succeeded.value, at, at, cause, ADOPTED_UNREAD, at)
        for organization, shipment, cause in sorted(bought, key=lambda one: one[:2])
    ]
    return len(
        transaction.insert(
            "purchases (organization, shipment, state, deadline, due_at, cause, reason, updated_at)",
            rows,
            tail="ON CONFLICT (organization, shipment) DO UPDATE SET state = excluded.state,"
            " cause = coalesce(excluded.cause, purchases.cause), reason = excluded.reason,"
            f" updated_at = excluded.updated_at WHERE purchases.state IN ({_NAMES}) RETURNING shipment",
        )
    )


_UNBOUGHT = (
    PurchaseState.failed,
    PurchaseState.declined,
    PurchaseState.held,
    PurchaseState.expired,
    PurchaseState.not_ours,
)
"""How a purchase ends that bought nothing, as far as we knew."""
_NAMES = ", ".join(f"'{state}'" for state in _UNBOUGHT)


def _set(column: str, *, underway: str, ended: str) -> str:
    """Set a column of a purchase asked for again: to the one while it is underway, to the other when it is not."""
    return f"{column} = CASE WHEN purchases.state IN ('intended', 'doubt') THEN {underway} ELSE {ended} END"


_ASKED_AGAIN = ", ".join(
    (
        _set("wanted_cause", underway="excluded.cause", ended="NULL"),
        _set("wanted_deadline", underway="excluded.deadline", ended="NULL"),
        *(
            _set(column, underway=f"purchases.{column}", ended=f"excluded.{column}")
            for column in ("state", "deadline", "due_at", "cause", "attempts", "reads", "reason")
        ),
        # A held purchase that is asked for again is the same one; any other that ended is not.
        "intent_id = CASE WHEN purchases.state IN ('held', 'wanted', 'intended', 'doubt') THEN purchases.intent_id END",
        "updated_at = excluded.updated_at",
    )
)


class SqlPurchases:
    """Hands out purchases that are due, and takes what was done about them."""

    def __init__(self, database: Database, recorder: Recorder, holder: str) -> None:
        self._database = database
        self._recorder = recorder
        self._holder = holder

    async def claim(
        self, limit: int, now: datetime, in_hand: Mapping[OrganizationId, int] | None = None
    ) -> Sequence[Purchase]:
        """Take purchases that are due for eight seconds, so many of each organization less those it has `in_hand`.

        Those in doubt come first, then the earliest deadline, and last those whose window is over.
        """
        return await self._database.write(lambda transaction: self._claim(transaction, limit, now, in_hand or {}))

    async def renew(self, claimed: Purchase) -> None:
        """Hold a claimed purchase for another eight seconds, if it is still ours."""
        await self._database.write(
            lambda transaction: transaction.run(
                f"UPDATE purchases SET held_until = ? WHERE {_HELD}",
                (_lease(transaction), *self._held(transaction, claimed)),
            )
        )

    async def next_due(self, without: Collection[OrganizationId] = ()) -> datetime | None:
        """Say when the next live purchase wants to be looked at, of all organizations but some."""
        return await self._database.read(lambda transaction: _next_due(transaction, list(without)))

    async def step(self, claimed: Purchase, decide: Callable[[ShipmentState | None], Step], now: datetime) -> Purchase:
        """Carry out a decision about what is known of the shipment.

        Raises LeaseLost, or NoPermit for an intent on a connection that is paused, and then nothing counted.
        """
        return await self._database.write(lambda transaction: self._step(transaction, claimed, decide, now))

    def _claim(
        self, transaction: Transaction, limit: int, now: datetime, in_hand: Mapping[OrganizationId, int]
    ) -> list[Purchase]:
        at, clock = micros(now), transaction.now
        idle = resting(transaction, clock)
        # What was never bought by the end of its window is looked at all the same, so that it ends.
        due = f"{_LIVE} AND due_at <= ? AND held_until <= ? AND ({_begun_or_not_of(idle)} OR deadline <= ?)"
        those = (at, clock, *idle, at)
        claimed: list[Purchase] = []
        for (organization,) in transaction.run(
            f"SELECT DISTINCT organization FROM purchases WHERE {due} ORDER BY organization", those
        ):
            rows = transaction.run(
                f"SELECT {_COLUMNS} FROM purchases WHERE organization = ? AND {due}"
                f" ORDER BY state = 'wanted', deadline <= ?, deadline LIMIT ? {transaction.skip_locked('purchases')}",
                (organization, *those, at, max(limit - in_hand.get(organization, 0), 0)),
            )
            claimed += [self._take(transaction, _purchase(row)) for row in rows]
        return claimed

    def _take(self, transaction: Transaction, found: Purchase) -> Purchase:
        rows = transaction.run(
            "UPDATE purchases SET holder = ?, held_until = ?, token = token + 1"
            " WHERE organization = ? AND shipment = ? RETURNING token",
            (self._holder, _lease(transaction), found.organization, found.shipment),
        )
        return replace(found, token=rows[0][0])

    def _held(self, transaction: Transaction, claimed: Purchase) -> tuple[object, ...]:
        """Give the values for _HELD."""
        return claimed.organization, claimed.shipment, self._holder, claimed.token, transaction.now

    def _step(
        self,
        transaction: Transaction,
        claimed: Purchase,
        decide: Callable[[ShipmentState | None], Step],
        now: datetime,
    ) -> Purchase:
        ledgers = self._recorder.lock(transaction, [claimed.subject])
        ledger = ledgers[claimed.subject]
        known = None if ledger.state is None else ShipmentState.load(ledger.state)
        step = decide(known)
        if step.purchase.state is PurchaseState.intended:
            _require_leave(transaction, step.purchase)
        if step.state is not None:
            ledger.state = step.state.dump()
        self._recorder.record(transaction, ledgers, step.facts, now)
        self._recorder.save(transaction, ledgers.values())
        self._write(transaction, step.purchase, now)
        self._note(transaction, step.purchase, now)
        if known is not None and known.confirmed and step.purchase.state in _UNBOUGHT:
            adopt_unread(transaction, [(claimed.organization, claimed.shipment, None)], now)
        return step.purchase

    def _note(self, transaction: Transaction, one: Purchase, now: datetime) -> None:
        if (note := one.note) is None:
            return
        which = (one.offer, note.reason or one.reason, one.cause, self._holder)
        entry = journal.Entry(one.organization, one.shipment, now, now, 1, note, one.state.value, *which)
        journal.write(transaction, entry)

    def _write(self, transaction: Transaction, one: Purchase, now: datetime) -> None:
        self._put_aside(transaction, one)
        kept = _lease(transaction) if one.state is PurchaseState.intended else 0
        changed = transaction.run(
            "UPDATE purchases SET state = ?, deadline = ?, due_at = ?, intent_id = ?, offer_id = ?, service_id = ?,"
            " payments = ?, send_before = ?, left_by = ?, reads = ?, attempts = ?, reason = ?, held_until = ?,"
            f" updated_at = ? WHERE {_HELD} RETURNING shipment",
            (
                one.state.value,
                micros(one.deadline),
                micros(one.due_at),
                one.intent,
                one.offer,
                one.service,
                ",".join(map(str, one.payments)),
                _stored(one.send_before),
                _stored(one.left_by),
                one.reads,
                one.attempts,
                one.reason,
                kept,
                micros(now),
                *self._held(transaction, one),
            ),
        )
        if not changed:
            raise LeaseLost(f"the purchase of shipment {one.shipment} belongs to another worker")
        if one.state not in _STAYS_ITS_OWN:
            transaction.run(
                "UPDATE purchases SET state = 'wanted', deadline = wanted_deadline, due_at = ?, cause = wanted_cause,"
                " attempts = 0, reads = 0, reason = NULL, wanted_cause = NULL, wanted_deadline = NULL,"
                " intent_id = CASE WHEN state IN ('held', 'wanted') THEN intent_id END"
                " WHERE organization = ? AND shipment = ? AND wanted_cause IS NOT NULL",
                (micros(now), one.organization, one.shipment),
            )

    def _put_aside(self, transaction: Transaction, one: Purchase) -> None:
        """Keep apart what was asked for while an older read was being decided about: it is decided about anew."""
        transaction.run(
            "UPDATE purchases SET wanted_cause = cause, wanted_deadline = deadline, cause = ?"
            f" WHERE {_HELD} AND coalesce(cause, '') <> ?",
            (one.cause, *self._held(transaction, one), one.cause or ""),
        )


_STAYS_ITS_OWN = (PurchaseState.intended, PurchaseState.doubt, PurchaseState.succeeded)
"""Where nothing asked for meanwhile may begin another purchase: nobody knows yet, or it is bought."""
_HELD = "organization = ? AND shipment = ? AND holder = ? AND token = ? AND held_until > ?"
_LIVE = "state IN ('wanted', 'intended', 'doubt')"
_COLUMNS = (
    "organization, shipment, state, deadline, due_at, cause, intent_id, offer_id, service_id,"
    " payments, send_before, left_by, reads, attempts, reason"
)


def _begun_or_not_of(organizations: Sequence[OrganizationId]) -> str:
    """Choose, in SQL, what is underway already, and what is wanted of other organizations than these."""
    return f"(state <> 'wanted' OR {_not_of(organizations)})"


def _not_of(organizations: Sequence[OrganizationId]) -> str:
    return f"organization NOT IN ({marks(organizations)})" if organizations else "1 = 1"


def _next_due(transaction: Transaction, without: Sequence[OrganizationId]) -> datetime | None:
    idle = resting(transaction, transaction.now)
    rows = transaction.run(
        # What somebody else holds is not due before its lease ends.
        "SELECT min(CASE WHEN held_until > due_at THEN held_until ELSE due_at END)"
        f" FROM purchases WHERE {_LIVE} AND {_not_of(without)} AND {_begun_or_not_of(idle)}",
        [*without, *idle],
    )
    return None if rows[0][0] is None else moment(rows[0][0])


def _require_leave(transaction: Transaction, one: Purchase) -> None:
    """Let no purchase begin on a paused connection. What was intended before stays so. Raises NoPermit."""
    rows = transaction.run(
        "SELECT state FROM purchases WHERE organization = ? AND shipment = ?", (one.organization, one.shipment)
    )
    begins = any(state != PurchaseState.intended for (state,) in rows)
    if begins and is_paused(transaction, one.organization):
        raise NoPermit("paused")


def _lease(transaction: Transaction) -> int:
    """Say until when what is taken now is held, by the clock that all replicas share."""
    return micros(moment(transaction.now) + LEASE)


def _purchase(row: Row) -> Purchase:
    bare = Purchase(row[0], row[1], PurchaseState(row[2]), moment(row[3]), moment(row[4]), row[5])
    return replace(
        bare,
        intent=row[6],
        offer=row[7],
        service=row[8],
        payments=tuple(int(number) for number in row[9].split(",") if number),
        send_before=_read(row[10]),
        left_by=_read(row[11]),
        reads=row[12],
        attempts=row[13],
        reason=row[14],
    )


def _stored(value: datetime | None) -> int | None:
    return None if value is None else micros(value)


def _read(value: int | None) -> datetime | None:
    return None if value is None else moment(value)
