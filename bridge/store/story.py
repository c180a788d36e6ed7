"""All that is kept of one subject: the deliveries about it, its events, the steps of its purchase. Only reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from pydantic_core import from_json

from bridge.model import OrganizationId, ShipmentId, moment
from bridge.store import journal
from bridge.store.database import EVERYTHING, Row, Transaction
from bridge.store.outbox import DEAD, PUBLISHED, started_at
from bridge.store.subjects import named

MOST: Final = 1000
"""Of each kind, the newest: more than any parcel has, and forged webhooks are many."""
Publishing = Literal["published", "pending", "dead", "feed"]
"""Where an event stands; `feed`: it was recorded before there was a broker."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A delivery about the subject. `verdict` is None while it waits to be worked off."""

    id: str
    event: str
    occurred_at: datetime
    received_at: datetime
    repeats: int
    verdict: str | None
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Told:
    """An event of the subject, with what it says."""

    id: str
    type: str
    sequence: int
    occurred_at: datetime
    recorded_at: datetime
    cause: str | None
    data: Mapping[str, Any]
    publishing: Publishing
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How the purchase of a shipment stands."""

    state: str
    reason: str | None
    cause: str | None
    offer: int | None
    service: str | None
    intent: str | None
    deadline: datetime
    due_at: datetime
    send_before: datetime | None
    left_by: datetime | None
    reads: int
    attempts: int
    holder: str | None
    held_until: datetime | None
    updated_at: datetime
    wanted_again: str | None


@dataclass(frozen=True, slots=True)
class Story:
    """What is kept of a subject. `deleted` are the types of its events that were deleted for their age."""

    source: str
    name: str
    deliveries: Sequence[Arrived]
    events: Sequence[Told]
    steps: Sequence[journal.Entry]
    purchase: Standing | None
    deleted: Sequence[str]


def sources(transaction: Transaction, name: str) -> list[str]:
    """Say under which sources a subject is known, by its events or by what was received about it."""
    known = list(named(transaction, name))
    shipment = _shipment(name)
    if shipment is not None:
        rows = transaction.run("SELECT DISTINCT organization FROM deliveries WHERE shipment = ?", (shipment,))
        known += [f"/shipx/{row[0]}" for row in rows]
    return sorted(set(known))


def story(transaction: Transaction, source: str, name: str) -> Story:
    """Read all that is kept of one subject."""
    subject = _subject(transaction, source, name)
    shipment, number = _shipment(name), source.removeprefix("/shipx/")
    events = [] if subject is None else _events(transaction, subject)
    deleted = [] if subject is None else _deleted(transaction, subject)
    if shipment is None or not number.isdecimal():
        return Story(source, name, (), events, (), None, deleted)
    organization = OrganizationId(int(number))
    arrived = _deliveries(transaction, organization, shipment)
    steps = journal.entries(transaction, organization, shipment)[-MOST:]
    return Story(source, name, arrived, events, steps, _purchase(transaction, organization, shipment), deleted)


def _shipment(name: str) -> ShipmentId | None:
    kind, _, number = name.partition("/")
    return ShipmentId(int(number)) if kind == "shipment" and number.isdecimal() and len(number) <= 18 else None


def _subject(transaction: Transaction, source: str, name: str) -> int | None:
    rows = transaction.run("SELECT id FROM subjects WHERE source = ? AND name = ?", (source, name))
    return rows[0][0] if rows else None


def _deliveries(transaction: Transaction, organization: OrganizationId, shipment: ShipmentId) -> list[Arrived]:
    rows = transaction.run(
        "SELECT id, event, occurred_at, received_at, repeats, verdict, done_at FROM deliveries"
        " WHERE shipment = ? AND organization = ? ORDER BY received_at DESC, id DESC LIMIT ?",
        (shipment, organization, MOST),
    )
    return [
        Arrived(row[0], row[1], moment(row[2]), moment(row[3]), row[4], row[5], _moment(row[6]))
        for row in reversed(rows)
    ]


def _events(transaction: Transaction, subject: int) -> list[Told]:
    start = started_at(transaction)
    rows = transaction.run(
        "SELECT events.id, events.type, events.sequence, events.occurred_at, events.recorded_at, events.delivery,"
        " events.body, outbox.state, outbox.published_at, events.position FROM events"
        " LEFT JOIN outbox ON outbox.position = events.position"
        " WHERE events.subject_id = ? ORDER BY events.sequence DESC LIMIT ?",
        (subject, MOST),
    )
    return [_told(row, EVERYTHING if start is None else start) for row in reversed(rows)]


def _told(row: Row, start: int) -> Told:
    told = (row[0], row[1], row[2], moment(row[3]), moment(row[4]), row[5], from_json(row[6])["data"])
    if row[7] == PUBLISHED:
        return Told(*told, "published", _moment(row[8]))
    if row[7] == DEAD:
        return Told(*told, "dead", None)
    return Told(*told, "feed" if row[9] <= start else "pending", None)


def _deleted(transaction: Transaction, subject: int) -> list[str]:
    """Name what was told in events that are gone: their facts stay."""
    rows = transaction.run(
        "SELECT facts.type FROM facts LEFT JOIN events ON events.position = facts.position"
        " WHERE facts.subject_id = ? AND events.position IS NULL ORDER BY facts.position",
        (subject,),
    )
    return [row[0] for row in rows]


def _purchase(transaction: Transaction, organization: OrganizationId, shipment: ShipmentId) -> Standing | None:
    rows = transaction.run(
        "SELECT state, reason, cause, offer_id, service_id, intent_id, deadline, due_at, send_before, left_by, reads,"
        " attempts, holder, held_until, updated_at, wanted_cause FROM purchases"
        " WHERE organization = ? AND shipment = ?",
        (organization, shipment),
    )
    if not rows:
        return None
    state, reason, cause, offer, service, intent, deadline, due_at, send_before, left_by, *rest = rows[0]
    reads, attempts, holder, held_until, updated_at, wanted = rest
    return Standing(
        state=state,
        reason=reason,
        cause=cause,
        offer=offer,
        service=service,
        intent=intent,
        deadline=moment(deadline),
        due_at=moment(due_at),
        send_before=_moment(send_before),
        left_by=_moment(left_by),
        reads=reads,
        attempts=attempts,
        holder=holder,
        held_until=_moment(held_until),
        updated_at=moment(updated_at),
        wanted_again=wanted,
    )


def _moment(value: int | None) -> datetime | None:
    return moment(value) if value else None
