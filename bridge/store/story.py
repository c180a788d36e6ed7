"""All that is kept of one subject: deliveries, events, decisions, the steps of its purchase, pauses. Only reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from pydantic_core import from_json

from bridge.events.shipment import ShipmentState
from bridge.limits.pause import Pause
from bridge.model import DispatchOrderId, OrganizationId, ShipmentId, moment
from bridge.store import decisions, dispatches, journal, labels, listed, pauses, return_story
from bridge.store.connections import pause_of, shipx
from bridge.store.database import EVERYTHING, Row, Transaction
from bridge.store.decisions import Decided
from bridge.store.dispatches import Kept, Wanted
from bridge.store.labels import Kept as KeptLabel
from bridge.store.listed import Listed
from bridge.store.outbox import DEAD, PUBLISHED, started_at
from bridge.store.pauses import Paused
from bridge.store.purchase import LIVE
from bridge.store.return_story import Course
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
    regenerations: int = 0
    look_at: datetime | None = None
    said_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """When the carrier is asked about a shipment next, of our own accord. `misses`: how often it was not known."""

    phase: str
    due_at: datetime
    misses: int


@dataclass(frozen=True, slots=True)
class Story:
    """What is kept of a subject. `deleted` are the types of its events that were deleted for their age.

    `listed` is its purchase as it is listed, with its price, and who approved or holds it. `pauses` are those of its
    account that fell into its time, `account` is the one that holds now. `couriers` are the orders to collect it, or
    the order that it is. `returned` is how it came to be, where it is a return.
    """

    source: str
    name: str
    deliveries: Sequence[Arrived]
    events: Sequence[Told]
    steps: Sequence[journal.Entry]
    purchase: Standing | None
    deleted: Sequence[str]
    listed: Listed | None = None
    known: ShipmentState | None = None
    decisions: Sequence[Decided] = ()
    pauses: Sequence[Paused] = ()
    account: Pause | None = None
    asked: Asked | None = None
    couriers: Sequence[Kept] = ()
    labels: Sequence[KeptLabel] = ()
    returned: Course | None = None

    @property
    def shipment(self) -> ShipmentId | None:
        """Give its number, where it is about a shipment."""
        number = _number("shipment", self.name)
        return None if number is None else ShipmentId(number)

    @property
    def dispatch_order(self) -> DispatchOrderId | None:
        """Give its number, where it is about an order to a courier that the carrier gave one."""
        number = _number("dispatch_order", self.name)
        return None if number is None else DispatchOrderId(number)

    @property
    def organization(self) -> OrganizationId | None:
        """Give whose it is, where the source is one of our organizations there."""
        number = self.source.removeprefix("/shipx/")
        return OrganizationId(int(number)) if number.isdecimal() else None


def sources(transaction: Transaction, name: str) -> list[str]:
    """Say under which sources a subject is known: by its events, by what was received about it, or by its purchase."""
    known = list(named(transaction, name))
    number = _number("shipment", name)
    if number is not None:
        shipment = ShipmentId(number)
        rows = transaction.run("SELECT DISTINCT organization FROM deliveries WHERE shipment = ?", (shipment,))
        known += [f"/shipx/{row[0]}" for row in rows]
        known += [f"/shipx/{one.organization}" for one in listed.find(transaction, shipment, frozenset())]
    course = _course(transaction, name)
    known += [] if course is None else [f"/{course.connection}"]
    return sorted(set(known))


def story(transaction: Transaction, source: str, name: str) -> Story:
    """Read all that is kept of one subject."""
    subject, known = _subject(transaction, source, name)
    events = [] if subject is None else _events(transaction, subject)
    deleted = [] if subject is None else _deleted(transaction, subject)
    bare = Story(source, name, (), events, (), None, deleted)
    if bare.organization is not None and bare.dispatch_order is not None:
        return replace(bare, couriers=dispatches.find(transaction, bare.dispatch_order, [bare.organization]))
    if bare.shipment is None or bare.organization is None:
        return replace(bare, returned=_course(transaction, name))
    return _with_pauses(transaction, _of_shipment(transaction, bare, bare.organization, bare.shipment, known))


def _of_shipment(
    transaction: Transaction, bare: Story, organization: OrganizationId, shipment: ShipmentId, known: str | None
) -> Story:
    """Add what is kept of a shipment alone."""
    return replace(
        bare,
        deliveries=_deliveries(transaction, organization, shipment),
        steps=journal.entries(transaction, organization, shipment)[-MOST:],
        purchase=_purchase(transaction, organization, shipment),
        listed=next(iter(listed.find(transaction, shipment, frozenset({int(organization)}))), None),
        known=None if known is None else ShipmentState.load(known),
        decisions=decisions.every(transaction, organization, shipment, MOST),
        account=pause_of(transaction, shipx(organization)),
        asked=_asked(transaction, organization, shipment),
        couriers=dispatches.page(transaction, Wanted(None, shipment, frozenset({organization})), MOST),
        labels=labels.of_shipment(transaction, organization, shipment),
    )


def _with_pauses(transaction: Transaction, told: Story) -> Story:
    """Add the pauses that touched the time from the first that is known of it until its purchase ended, if it did."""
    begins = [one.received_at for one in told.deliveries[:1]] + [one.recorded_at for one in told.events[:1]]
    begins += [one.at for one in told.steps[:1]]
    if not begins or told.organization is None or told.purchase is None:
        return told
    end = None if told.purchase.state in LIVE else told.purchase.updated_at
    return replace(told, pauses=pauses.within(transaction, shipx(told.organization), min(begins), end))


def _course(transaction: Transaction, name: str) -> Course | None:
    """Tell how a return came to be, where it is about one that is kept."""
    kind, _, id_ = name.partition("/")
    return return_story.find(transaction, id_) if kind == "return" else None


def _number(wanted: str, name: str) -> int | None:
    """Give the carrier's number of a subject, where it is of this kind."""
    kind, _, number = name.partition("/")
    return int(number) if kind == wanted and number.isdecimal() and len(number) <= 18 else None


def _subject(transaction: Transaction, source: str, name: str) -> tuple[int | None, str | None]:
    """Find a subject's row, and what the projection knows of it."""
    rows = transaction.run("SELECT id, state FROM subjects WHERE source = ? AND name = ?", (source, name))
    return (rows[0][0], rows[0][1]) if rows else (None, None)


def _asked(transaction: Transaction, organization: OrganizationId, shipment: ShipmentId) -> Asked | None:
    rows = transaction.run(
        "SELECT phase, due_at, misses FROM sweeps WHERE organization = ? AND shipment = ?", (organization, shipment)
    )
    return Asked(rows[0][0], moment(rows[0][1]), rows[0][2]) if rows else None


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
        " attempts, holder, held_until, updated_at, wanted_cause, regenerations, look_at, said_at"
        " FROM purchases WHERE organization = ? AND shipment = ?",
        (organization, shipment),
    )
    if not rows:
        return None
    state, reason, cause, offer, service, intent, deadline, due_at, send_before, left_by, *rest = rows[0]
    reads, attempts, holder, held_until, updated_at, wanted, regenerations, look_at, said_at = rest
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
        regenerations=regenerations,
        look_at=_moment(look_at),
        said_at=_moment(said_at),
    )


def _moment(value: int | None) -> datetime | None:
    return moment(value) if value else None
