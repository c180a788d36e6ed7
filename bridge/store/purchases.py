"""Purchases: one row per shipment, one hand at a time, the intent on disk before the call."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bridge.events.catalogue import Money
from bridge.events.shipment import ShipmentState
from bridge.model import Fact, OrganizationId, ShipmentId, micros, moment
from bridge.store import budget, creations, decisions, journal, refusals
from bridge.store.budget import Caps, Refusal
from bridge.store.connections import is_paused, resting, seems_paused
from bridge.store.database import Database, Given, Row, Transaction
from bridge.store.facts import Ledger, Recorder
from bridge.store.outlook import (
    LIVE,
    Batch,
    Claimed,
    Due,
    Errand,
    Plan,
    Take,
    begun_or_not_of,
    not_of,
    outlooks,
)
from bridge.store.purchase import (
    ADOPTED,
    BY_PERSON,
    NOT_CREATED_HERE,
    PAUSED,
    UNBOUGHT,
    Answer,
    Approval,
    Intended,
    Purchase,
    PurchaseState,
    Step,
)
from bridge.store.wanting import ANOTHER_WINDOW

LEASE: Final = timedelta(seconds=8)
_SHOWN: Final = timedelta(seconds=10)
_SAMPLES: Final = 5
Decide = Callable[[ShipmentState | None], Step]


@dataclass(frozen=True, slots=True)
class Intent:
    """A purchase about to be asked for: `price` is what the budget counts, None where nobody knows."""

    purchase: Purchase
    decide: Decide
    price: Money | None


class SqlPurchases:
    """Hands out purchases that are due, and takes what was done about them.

    What a pause kept from being bought is wanted again when a purchase ends the pause, but for those `forgoing` it.
    """

    def __init__(
        self, database: Database, recorder: Recorder, holder: str, *, forgoing: Collection[OrganizationId] = ()
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._holder = holder
        self._forgoing = frozenset(forgoing)

    async def claim(self, plan: Plan, now: datetime) -> Claimed:
        """Take what the plan says of what is due, for eight seconds."""
        return await self._database.write(lambda transaction: self._claim(transaction, plan, now))

    async def renew(self, claimed: Sequence[Purchase]) -> None:
        """Hold claimed purchases for another eight seconds, as far as they are still ours."""
        await self._database.write(lambda transaction: self._renew(transaction, claimed))

    async def next_due(self, without: Collection[OrganizationId] = ()) -> datetime | None:
        """Say when the next live purchase wants to be looked at, of all organizations but some."""
        return await self._database.read(lambda transaction: _next_due(transaction, list(without)))

    async def bought(self, organization: OrganizationId, now: datetime) -> Sequence[ShipmentId]:
        """Give the last shipments that were bought, so long ago that even lists show it."""
        return await self._database.read(lambda transaction: _samples(transaction, organization, now - _SHOWN, _BOUGHT))

    async def accepted(self, organization: OrganizationId, now: datetime) -> Sequence[ShipmentId]:
        """Give the first of the shipments whose purchase was accepted, and not seen yet."""
        return await self._database.read(lambda transaction: _samples(transaction, organization, now, _ACCEPTED))

    async def step(self, steps: Sequence[tuple[Purchase, Decide]], now: datetime) -> Sequence[Purchase]:
        """Carry out decisions about what is known of each shipment; what was lost to another hand is left out."""
        while True:
            try:
                return await self._database.write(lambda transaction: self._step(transaction, steps, now))
            except _Resumed:  # seen from the beginning of the next transaction on
                continue

    async def intend(self, intents: Sequence[Intent], caps: Caps, now: datetime) -> Intended:
        """Write down what is about to be asked for, within the budget, unless the organization is paused."""
        try:
            return await self._database.write(lambda transaction: self._intend(transaction, intents, caps, now))
        except _Paused:
            return Intended(is_paused=True)

    # -- claiming ----------------------------------------------------------------------------------------------------

    def _claim(self, transaction: Transaction, plan: Plan, now: datetime) -> Claimed:
        due = Due.now(transaction, now)
        batches, found = [], outlooks(transaction, due)
        refusals.want_one_to_try(transaction, now, self._forgoing)
        for outlook in found:
            takes, is_tried = refusals.tried(transaction, outlook.organization, plan(outlook))
            for take in takes:
                is_try = is_tried and take.errand is Errand.buy
                is_paused = outlook.organization in due.paused and not is_try
                order = refusals.CANDIDATES_FIRST if is_try else _FIRST[take.errand]
                taken = self._take(transaction, outlook.organization, take, due, order)
                if taken:
                    which = outlook.organization, take.errand, tuple(taken)
                    batches.append(Batch(*which, is_paused=is_paused, is_try=is_try))
        return Claimed(batches, found)

    def _take(
        self, transaction: Transaction, organization: OrganizationId, take: Take, due: Due, order: str
    ) -> list[Purchase]:
        those = due.of(take.errand)
        rows = transaction.run(
            f"SELECT {_COLUMNS} FROM purchases WHERE organization = ? AND {those.sql}"
            f" ORDER BY {order} LIMIT ? {transaction.skip_locked('purchases')}",
            (organization, *those.parameters, take.size),
        )
        if not rows:
            return []
        found = {row[1]: _purchase(row) for row in rows}
        chosen = transaction.among("shipment", sorted(found))
        taken = transaction.run(
            "UPDATE purchases SET holder = ?, held_until = ?, token = token + 1"
            f" WHERE organization = ? AND {chosen.sql} RETURNING shipment, token",
            (self._holder, _lease(transaction), organization, *chosen.parameters),
        )
        tokens: dict[ShipmentId, int] = dict(taken)
        made = creations.among(transaction, organization, sorted(tokens))
        return [
            replace(one, token=tokens[shipment], is_created_here=shipment in made)
            for shipment, one in found.items()
            if shipment in tokens
        ]

    def _renew(self, transaction: Transaction, claimed: Sequence[Purchase]) -> None:
        for one in sorted(claimed, key=lambda one: (one.organization, one.shipment)):  # as webhooks change them
            transaction.run(
                f"UPDATE purchases SET held_until = ? WHERE {_HELD}",
                (_lease(transaction), *self._held(transaction, one)),
            )

    def _held(self, transaction: Transaction, claimed: Purchase) -> tuple[object, ...]:
        """Give the values for _HELD."""
        return claimed.organization, claimed.shipment, self._holder, claimed.token, transaction.now

    # -- stepping ----------------------------------------------------------------------------------------------------

    def _step(
        self, transaction: Transaction, steps: Sequence[tuple[Purchase, Decide]], now: datetime
    ) -> list[Purchase]:
        ledgers = self._recorder.lock(transaction, {claimed.subject for claimed, _ in steps})
        counted, facts = list[Step](), list[Fact]()
        for claimed, decide in steps:
            ledger = ledgers[claimed.subject]
            known = None if ledger.state is None else ShipmentState.load(ledger.state)
            step = decide(known)
            if self._is_outdated(transaction, step.purchase):
                self._look_anew(transaction, claimed, now)
                continue
            if self._write(transaction, step.purchase, now, keeps=step.keeps):
                self._tell(transaction, ledger, step, now)
                facts += step.facts
                counted.append(step)
        self._recorder.record(transaction, ledgers, facts, now)
        self._recorder.save(transaction, ledgers.values())
        is_resumed = [self._hear(transaction, step, now) for step in counted]
        if not any(is_resumed):  # what that pause kept back is wanted again with it
            _stay_paused(transaction, [step.purchase for step in counted])
        return [step.purchase for step in counted]

    def _is_outdated(self, transaction: Transaction, one: Purchase) -> bool:
        """Say whether what a purchase would end for is not so any more: then it is looked at once more."""
        if one.was_looked_at:
            return False
        if one.state is PurchaseState.held and one.reason == NOT_CREATED_HERE:
            return bool(creations.among(transaction, one.organization, [one.shipment]))
        return one.reason == PAUSED and not seems_paused(transaction, one.organization)

    def _look_anew(self, transaction: Transaction, one: Purchase, now: datetime) -> None:
        """Let go of one that is to be decided about at once."""
        sql = f"UPDATE purchases SET held_until = 0, due_at = ? WHERE {_HELD}"
        transaction.run(sql, (micros(now), *self._held(transaction, one)))

    def _hear(self, transaction: Transaction, step: Step, now: datetime) -> bool:
        """Pause the account that was refused, or end its pause where a purchase succeeded in spite of it.

        Says whether a pause was ended.
        """
        one = step.purchase
        if step.pauses is not None:
            refusals.pause_account(transaction, self._recorder, one.organization, step.pauses)
            return False
        if one.state is not PurchaseState.succeeded or one.reason == ADOPTED:
            return False
        regenerate = one.organization not in self._forgoing
        which = one.organization, one.send_before, now
        return refusals.resume_account(transaction, self._recorder, *which, regenerate=regenerate)

    def _tell(self, transaction: Transaction, ledger: Ledger, step: Step, now: datetime) -> None:
        """Write what goes with a step that counts."""
        one = step.purchase
        if step.state is not None:
            ledger.state = step.state.dump()
        if step.decided is not None:
            decisions.write(transaction, step.decided)
        self._note(transaction, one, now)
        if one.state in UNBOUGHT or one.reason == ADOPTED:
            budget.release(transaction, one.organization, one.shipment)

    def _intend(self, transaction: Transaction, intents: Sequence[Intent], caps: Caps, now: datetime) -> Intended:
        self._recorder.lock(transaction, {one.purchase.subject for one in intents})
        refused: dict[ShipmentId, Refusal] = {}
        steps: list[tuple[Purchase, Decide]] = []
        for one in intents:
            if not self._is_held(transaction, one.purchase):
                continue
            who = one.purchase.organization, one.purchase.shipment
            why = budget.reserve(transaction, *who, one.price, caps, now)
            if why is None:
                steps.append((one.purchase, one.decide))
            else:
                refused[one.purchase.shipment] = why
        done = self._step(transaction, steps, now)
        # Last, because all calls of the organization wait for that row.
        if is_paused(transaction, intents[0].purchase.organization, len(intents)):
            raise _Paused
        return Intended(tuple(done), refused)

    def _is_held(self, transaction: Transaction, one: Purchase) -> bool:
        held = f"SELECT 1 FROM purchases WHERE {_HELD} {transaction.for_update}"
        return bool(transaction.run(held, self._held(transaction, one)))

    def _note(self, transaction: Transaction, one: Purchase, now: datetime) -> None:
        if (note := one.note) is None:
            return
        which = (one.offer, note.reason or one.reason, one.cause, self._holder)
        entry = journal.Entry(one.organization, one.shipment, now, now, 1, note, one.state.value, *which)
        journal.write(transaction, entry)

    def _write(self, transaction: Transaction, one: Purchase, now: datetime, *, keeps: bool) -> bool:
        """Write a purchase that is still ours; say whether it is."""
        self._put_aside(transaction, one)
        kept = _lease(transaction) if keeps or one.state is PurchaseState.intended else 0
        columns = _columns(one) | {"held_until": kept}
        if not one.was_looked_at:  # a look changes nothing about when it ended
            columns |= {"updated_at": micros(now)}
        look = _look(one)
        changed = transaction.run(
            f"UPDATE purchases SET {', '.join(f'{name} = ?' for name in columns)}{look.sql}"
            f" WHERE {_HELD} RETURNING shipment",
            (*columns.values(), *look.parameters, *self._held(transaction, one)),
        )
        if changed and one.state not in _STAYS_ITS_OWN:
            self._want_again(transaction, one, now)
        return bool(changed)

    def _want_again(self, transaction: Transaction, one: Purchase, now: datetime) -> None:
        """Decide anew about what was asked for meanwhile, but not about what a person holds: that stays held.

        Nor about what failed, where that was asked for within the same window.
        """
        which = one.organization, one.shipment
        if one.state is PurchaseState.held and one.reason == BY_PERSON:
            sql = f"UPDATE purchases SET {_FORGOTTEN} WHERE organization = ? AND shipment = ?"
            transaction.run(sql, which)
            return
        if one.state is PurchaseState.failed:
            over = micros(one.deadline + ANOTHER_WINDOW)
            sql = f"UPDATE purchases SET {_FORGOTTEN} WHERE organization = ? AND shipment = ? AND wanted_deadline <= ?"
            transaction.run(sql, (*which, over))
        transaction.run(
            "UPDATE purchases SET state = 'wanted', deadline = wanted_deadline, due_at = ?, cause = wanted_cause,"
            f" attempts = 0, reads = 0, reason = {_HOLD}, {_FORGOTTEN},"
            " intent_id = CASE WHEN state IN ('held', 'wanted') THEN intent_id END"
            " WHERE organization = ? AND shipment = ? AND wanted_cause IS NOT NULL",
            (micros(now), *which),
        )

    def _put_aside(self, transaction: Transaction, one: Purchase) -> None:
        """Keep apart what was asked for while an older read was being decided about: it is decided about anew."""
        transaction.run(
            "UPDATE purchases SET wanted_cause = cause, wanted_deadline = deadline, cause = ?"
            f" WHERE {_HELD} AND coalesce(cause, '') <> ?",
            (one.cause, *self._held(transaction, one), one.cause or ""),
        )


class _Paused(Exception):
    """Undo it: somebody paused the organization meanwhile."""


class _Resumed(Exception):
    """Undo it: the pause is over that something would have ended for, and nobody would want that again."""


def _stay_paused(transaction: Transaction, ended: Sequence[Purchase]) -> None:
    """Keep the pauses that purchases end for until the commit. Last, because all calls wait for those rows."""
    of = {one.organization for one in ended if one.reason == PAUSED and not one.was_looked_at}
    if not all(is_paused(transaction, organization) for organization in sorted(of)):
        raise _Resumed


_STAYS_ITS_OWN = (PurchaseState.intended, PurchaseState.doubt, PurchaseState.succeeded)
"""Where nothing asked for meanwhile may begin another purchase: nobody knows yet, or it is bought."""
_FORGOTTEN: Final = "wanted_cause = NULL, wanted_deadline = NULL"
_HOLD: Final = f"CASE WHEN state = 'wanted' AND reason = '{BY_PERSON}' THEN reason END"
"""A person's hold goes on with what is asked for meanwhile; any other reason was about what is over."""
_HELD = "organization = ? AND shipment = ? AND holder = ? AND token = ? AND held_until > ?"
_FIRST: Final = {
    Errand.settle: "due_at, deadline",
    Errand.buy: "coalesce(answer, '') = 'stranger', deadline",
    Errand.confirm: "due_at, deadline",
    Errand.renew: "deadline DESC",
    Errand.look: "look_at",
}
_BOUGHT: Final = "state = 'succeeded' ORDER BY updated_at DESC"
_ACCEPTED: Final = f"{LIVE} AND state = 'doubt' AND answer = 'accepted' ORDER BY deadline"
_COLUMNS: Final = (
    "organization, shipment, state, deadline, due_at, cause, intent_id, offer_id, service_id,"
    " payments, send_before, left_by, reads, attempts, reason, answer, refusals, regenerations, edited_at,"
    " approved_by, approved_service, approved_amount, doubted_at, look_at, said_at, selected_offer, ordered_offer,"
    " steered_from"
)


def _next_due(transaction: Transaction, without: Sequence[OrganizationId]) -> datetime | None:
    idle = resting(transaction, transaction.now)
    rows = transaction.run(
        # What somebody else holds is not due before its lease ends.
        "SELECT min(CASE WHEN held_until > due_at THEN held_until ELSE due_at END)"
        f" FROM purchases WHERE {LIVE} AND {not_of(without)} AND {begun_or_not_of(idle)}",
        [*without, *idle],
    )
    return None if rows[0][0] is None else moment(rows[0][0])


def _samples(transaction: Transaction, organization: OrganizationId, until: datetime, which: str) -> list[ShipmentId]:
    sql = f"SELECT shipment FROM purchases WHERE organization = ? AND updated_at <= ? AND {which} LIMIT ?"
    return [ShipmentId(row[0]) for row in transaction.run(sql, (organization, micros(until), _SAMPLES))]


def _lease(transaction: Transaction) -> int:
    """Say until when what is taken now is held, by the clock that all replicas share."""
    return micros(moment(transaction.now) + LEASE)


def _look(one: Purchase) -> Given:
    """Say in SQL when it is to be read though nobody works on it; what a webhook said since it was taken stands."""
    if one.state is PurchaseState.succeeded:
        return Given(", look_at = NULL, said_at = NULL", ())
    if one.state not in UNBOUGHT:
        return Given("", ())
    at = (_stored(one.said_at) or 0, _stored(one.look_at))
    return Given(", look_at = CASE WHEN coalesce(said_at, 0) <> ? THEN look_at ELSE ? END", at)


def _columns(one: Purchase) -> dict[str, object]:
    approval = one.approval
    return {
        "state": one.state.value,
        "deadline": micros(one.deadline),
        "due_at": micros(one.due_at),
        "intent_id": one.intent,
        "offer_id": one.offer,
        "service_id": one.service,
        "payments": ",".join(map(str, one.payments)),
        "send_before": _stored(one.send_before),
        "left_by": _stored(one.left_by),
        "doubted_at": _stored(one.doubted_at),
        "reads": one.reads,
        "attempts": one.attempts,
        "reason": one.reason,
        "answer": None if one.answer is None else one.answer.value,
        "refusals": one.refusals,
        "regenerations": one.regenerations,
        "edited_at": _stored(one.edited_at),
        "approved_by": approval.by if approval else None,
        "approved_service": approval.service if approval else None,
        "selected_offer": one.selected,
        "ordered_offer": one.ordered,
        "steered_from": PurchaseState.held.value if one.is_held else None,
        "approved_amount": budget.tenthousandths(approval.amount) if approval and approval.amount is not None else None,
    }


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
        answer=None if row[15] is None else Answer(row[15]),
        refusals=row[16],
        regenerations=row[17],
        edited_at=_read(row[18]),
        approval=None if row[19] is None else Approval(row[19], row[20], budget.amount_of(row[21])),
        doubted_at=_read(row[22]),
        look_at=_read(row[23]),
        said_at=_read(row[24]),
        selected=row[25],
        ordered=row[26],
        is_held=row[27] == PurchaseState.held,
    )


def _stored(value: datetime | None) -> int | None:
    return None if value is None else micros(value)


def _read(value: int | None) -> datetime | None:
    return None if value is None else moment(value)
