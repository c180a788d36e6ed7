"""The words every module shares: ids, subjects, facts. Values only; nothing here does I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple, NewType
from uuid import UUID

from pydantic import BaseModel

DeliveryId = NewType("DeliveryId", str)
"""The dedupe key of a delivery as text: time-prefixed, so that inserts stay local and ids sort by time."""
EventId = NewType("EventId", str)
IntentId = NewType("IntentId", str)
OrganizationId = NewType("OrganizationId", int)
ShipmentId = NewType("ShipmentId", int)
OfferId = NewType("OfferId", int)
BatchId = NewType("BatchId", int)
DispatchOrderId = NewType("DispatchOrderId", int)
CommentId = NewType("CommentId", int)
"""A comment on a dispatch order."""
Micros = NewType("Micros", int)
"""A moment as microseconds since 1970 in UTC: what the database stores and compares."""

PARTITIONS = 64

OUTSIDE_NETWORKS: Final = "outside_networks"
FOREIGN_ORGANIZATION: Final = "foreign_organization"
"""Reasons for parking a webhook that are asked for among the rows; the others are in `ingress.verification`."""


def micros(moment: datetime) -> Micros:
    """Turn an aware datetime into what the database stores."""
    return Micros((moment - _EPOCH) // _MICROSECOND)


def moment(value: int) -> datetime:
    """Turn stored microseconds into an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=value)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Evidence(StrEnum):
    """Who stands behind a fact: the unsigned webhook, or the carrier's own answer to a read of ours."""

    webhook = "webhook"
    carrier = "carrier"


class Subject(NamedTuple):
    """What an event is about. `source` is `/shipx/{organization}`, `name` is `shipment/{id}`."""

    source: str
    name: str

    @classmethod
    def shipment(cls, organization: OrganizationId, shipment: ShipmentId) -> Subject:
        return cls(f"/shipx/{organization}", f"shipment/{shipment}")

    @classmethod
    def dispatch_order(cls, organization: OrganizationId, order: DispatchOrderId | UUID) -> Subject:
        """Name an order to a courier, by a UUID where the carrier gave it no number."""
        return cls(f"/shipx/{organization}", f"dispatch_order/{order}")

    @classmethod
    def returned(cls, connection: str, return_id: str) -> Subject:
        """Name a return, by our own id; `connection` is who makes it: `inpost_returns/main`."""
        return cls(f"/{connection}", f"return/{return_id}")

    @classmethod
    def connection(cls, name: str) -> Subject:
        return cls(f"/{name}", f"connection/{name}")


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, once: unique on (environment, source, subject, type, key)."""

    subject: Subject
    type: str
    """Entity and event without version: `shipment.status_changed`."""
    key: str
    occurred_at: datetime
    data: BaseModel
    facet: str | None = None
    causation: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A fact as it is published: the bytes are made once and never again."""

    position: int
    id: EventId
    type: str
    subject: Subject
    sequence: int
    routing_key: str
    organization: str
    recorded_at: datetime
    body: bytes


class DeliveryState(IntEnum):
    """Where a delivery stands in the inbox."""

    pending = 0
    done = 1
    failed = 2


@dataclass(frozen=True, slots=True)
class Arrival:
    """A verified webhook on its way into the inbox."""

    id: DeliveryId
    organization: OrganizationId
    event: str
    shipment: ShipmentId | None
    occurred_at: datetime
    received_at: datetime
    body: bytes = field(repr=False)
    body_sha256: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Parked:
    """A webhook behind a right secret that may not take effect: kept with its reason until somebody decides."""

    id: DeliveryId
    reason: str
    organization: OrganizationId
    peer: str
    received_at: datetime
    size: int
    body: bytes = field(repr=False)


class Receipt(StrEnum):
    """What became of a delivery, as the carrier is told."""

    accepted = "accepted"
    duplicate = "duplicate"
    parked = "parked"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of the inbox, claimed by a worker."""

    id: DeliveryId
    organization: OrganizationId
    event: str
    received_at: datetime
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PurchaseWork:
    """A shipment whose offers may be bought until `deadline`."""

    organization: OrganizationId
    shipment: ShipmentId
    deadline: datetime
    cause: DeliveryId


class Redriven(StrEnum):
    """What became of a dead message that was to go back where it came from."""

    redriven = "redriven"
    no_origin = "no_origin"
    """It does not say where it came from."""
    unroutable = "unroutable"
    """Nothing takes it there any more."""
    refused = "refused"


class CommandState(StrEnum):
    """Where a command stands. The first two are live: somebody will carry it out."""

    waiting = "waiting"
    running = "running"
    done = "done"
    rejected = "rejected"
    """Understood, and not to be done: the same command will be rejected again."""
    failed = "failed"
    unknown = "unknown"
    """Nobody knows how far it went."""
    withdrawn = "withdrawn"
    """Taken back. Its key is not used up: the same one may be given again."""

    @property
    def is_over(self) -> bool:
        """Say whether it will not change any more."""
        return self not in (CommandState.waiting, CommandState.running)


@dataclass(frozen=True, slots=True)
class Command:
    """Something to be done once: `id` is unique for each operation, `body` is JSON in its one canonical form.

    The earliest deadline comes first; without one, somebody waits for the answer. What is not begun within the time
    given is not begun any more.
    """

    operation: str
    id: str
    body: bytes = field(repr=False)
    given_by: str
    deadline: datetime | None = None
    begin_within: timedelta | None = None


@dataclass(frozen=True, slots=True)
class CommandMessage:
    """A command as it lies in the broker's queue. `tag` says something to that queue alone, `user` who sent it.

    `user` is what the broker has checked; None where the sender did not say.
    """

    name: str
    body: bytes = field(repr=False)
    reply_to: str | None
    correlation_id: str | None
    user: str | None
    tag: object = field(repr=False)

    @property
    def is_answered_directly(self) -> bool:
        """Whether the answer goes to the sender's own connection (`amq.rabbitmq.reply-to`), which is no queue.

        What the broker makes of that name: https://www.rabbitmq.com/docs/direct-reply-to
        """
        return self.reply_to is not None and self.reply_to.startswith("amq.rabbitmq.reply-to.")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a command has come: how many, which share of all, and where to go on. Never anything personal.

    `is_sent`: something of it may be at a carrier, so it is carried through, and nobody may take it back.
    """

    done: int = 0
    share: float | None = None
    at: Mapping[str, object] = field(default_factory=dict)
    is_sent: bool = False


@dataclass(frozen=True, slots=True)
class ClaimedCommand:
    """A command in hand. `token` is worthless once somebody else took it; `progress` is how far the one before came."""

    operation: str
    id: str
    given_by: str
    body: bytes = field(repr=False)
    token: int
    progress: Progress


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended. `error` is in our own words, without anything personal."""

    state: CommandState
    result: Mapping[str, object] | None = field(default=None, repr=False)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A command as whoever gave it sees it. `unattended_s` is for how long nobody has had it in hand."""

    operation: str
    id: str
    state: CommandState
    progress: Progress
    result: Mapping[str, object] | None = field(repr=False)
    error: str | None
    unattended_s: float
    given_by: str = ""
