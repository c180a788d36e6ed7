"""Facts become rows: unique for ever, numbered per subject, each event serialized once, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.events.cloudevents import Envelope, partition, routing_key
from bridge.model import Event, Fact, Subject, micros
from bridge.store.database import Row, Transaction
from bridge.store.outbox import Made, Pending, owner


@dataclass(slots=True)
class Ledger:
    """A locked subject: the last number given out, and what the projection knows."""

    id: int
    subject: Subject
    sequence: int = 0
    state: str | None = None


Follow = Callable[[Transaction, Sequence[Fact], datetime], None]
"""Writes what follows from facts that are told for the first time, in their transaction."""


def _nothing(_transaction: Transaction, _facts: Sequence[Fact], _now: datetime) -> None:
    """Let nothing follow."""


class Recorder:
    """Writes facts and their events, and what follows from them."""

    def __init__(self, envelope: Envelope, follow: Follow = _nothing) -> None:
        self._envelope = envelope
        self._follow = follow

    def lock(self, transaction: Transaction, subjects: Collection[Subject]) -> dict[Subject, Ledger]:
        """Lock subjects, making the missing ones.

        First all are made that are missing, in order, then all are locked, in order. Who waits to make one has locked
        none, and who waits for a lock makes no more: two workers never wait for each other, unless one takes its
        deliveries apart; then the server ends one of them, which begins anew.
        """
        wanted = sorted(subjects)
        if not wanted:
            return {}
        rows = [(subject.source, subject.name, partition(subject)) for subject in wanted]
        transaction.insert("subjects (source, name, partition)", rows, tail="ON CONFLICT DO NOTHING")
        given = transaction.given(("text", "text"), wanted)
        found = transaction.run(
            f"SELECT id, source, name, sequence, state FROM {given.sql} CROSS JOIN subjects"
            f" WHERE source = column1 AND name = column2 ORDER BY source, name {transaction.for_update}",
            given.parameters,
        )
        ledgers = [Ledger(row[0], Subject(row[1], row[2]), row[3], row[4]) for row in found]
        return {ledger.subject: ledger for ledger in ledgers}

    def record(
        self, transaction: Transaction, ledgers: dict[Subject, Ledger], facts: Sequence[Fact], now: datetime
    ) -> list[Made]:
        """Store what is not stored yet, in order, and give the events that made."""
        fresh = self.fresh(transaction, ledgers, facts)
        if not fresh:
            return []
        waiting = _waiting(transaction, {ledgers[fact.subject].id: ledgers[fact.subject].sequence for fact in fresh})
        transaction.reserve_positions()
        rows = [self._event(ledgers[fact.subject], fact, now) for fact in fresh]
        returned = transaction.insert(_EVENTS, rows, tail="RETURNING position, subject_id, sequence")
        positions = {(subject_id, sequence): position for position, subject_id, sequence in returned}
        placed = [(fact, row, positions[row[2], row[3]]) for fact, row in zip(fresh, rows, strict=True)]
        transaction.insert(
            "facts (subject_id, type, key, position)",
            sorted((row[2], fact.type, fact.key, position) for fact, row, position in placed),
        )
        made = [_made(fact, row, position, now, waiting) for fact, row, position in placed]
        transaction.insert(
            "outbox (position, partition)",
            sorted((one.pending.event.position, one.pending.partition) for one in made),
        )
        transaction.notify("events")
        self._follow(transaction, fresh, now)
        return made

    def save(self, transaction: Transaction, ledgers: Iterable[Ledger]) -> None:
        """Write back the numbers and states of locked subjects."""
        saved = sorted(ledgers, key=lambda ledger: ledger.id)
        if saved:
            rows = transaction.given(("bigint", "bigint", "text"), [(one.id, one.sequence, one.state) for one in saved])
            transaction.run(
                f"UPDATE subjects SET sequence = column2, state = column3 FROM {rows.sql} WHERE id = column1",
                rows.parameters,
            )

    def fresh(self, transaction: Transaction, ledgers: dict[Subject, Ledger], facts: Sequence[Fact]) -> list[Fact]:
        """Leave out what was told before, and what is told twice here."""
        keys = [(ledgers[fact.subject].id, fact.type, fact.key) for fact in facts]
        numbered = {ledger.id for ledger in ledgers.values() if ledger.sequence}
        told = _known(transaction, [key for key in keys if key[0] in numbered])
        fresh = []
        for fact, key in zip(facts, keys, strict=True):
            if key not in told:
                told.add(key)
                fresh.append(fact)
        return fresh

    def _event(self, ledger: Ledger, fact: Fact, now: datetime) -> Row:
        ledger.sequence += 1
        event_id = self._envelope.event_id(fact)
        body = self._envelope.serialize(fact, event_id, sequence=ledger.sequence, recorded_at=now)
        return (
            event_id,
            fact.type,
            ledger.id,
            ledger.sequence,
            routing_key(fact),
            micros(fact.occurred_at),
            micros(now),
            fact.causation,
            body,
            getattr(fact.data, "organization_id", None),
        )


_EVENTS = "events (id, type, subject_id, sequence, routing_key, occurred_at, recorded_at, delivery, body, organization)"


def _made(fact: Fact, row: Row, position: int, now: datetime, waiting: set[int]) -> Made:
    """Give an event as the outbox would; the next one of its subject has this one before it."""
    event = Event(
        position=position,
        id=row[0],
        type=row[1],
        subject=fact.subject,
        sequence=row[3],
        routing_key=row[4],
        organization=owner(fact.subject, row[9]),
        recorded_at=now,
        body=row[8],
    )
    is_next = row[2] not in waiting
    waiting.add(row[2])
    return Made(Pending(event, partition(fact.subject)), is_next)


def _waiting(transaction: Transaction, last: Mapping[int, int]) -> set[int]:
    """Say which locked subjects have an event that is not published: if any, then their last one."""
    told = [(subject, sequence) for subject, sequence in last.items() if sequence]
    if not told:
        return set()
    given = transaction.given(("bigint", "bigint"), told)
    rows = transaction.run(
        f"SELECT subject_id FROM {given.sql} CROSS JOIN events CROSS JOIN outbox"
        " WHERE subject_id = column1 AND sequence = column2"
        " AND outbox.position = events.position AND outbox.state = 0",
        given.parameters,
    )
    return {row[0] for row in rows}


def _known(transaction: Transaction, keys: Sequence[tuple[int, str, str]]) -> set[tuple[int, str, str]]:
    if not keys:
        return set()
    wanted = transaction.given(("bigint", "text", "text"), keys)
    rows = transaction.run(
        f"SELECT subject_id, type, key FROM {wanted.sql} CROSS JOIN facts"
        " WHERE subject_id = column1 AND type = column2 AND key = column3",
        wanted.parameters,
    )
    return {(row[0], row[1], row[2]) for row in rows}
