"""The outbox: which events the broker has confirmed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bridge.errors import LeaseLost
from bridge.model import Event, Subject, micros, moment
from bridge.store.database import Database, Row, Transaction
from bridge.store.leases import still_held
from bridge.store.migrate import has_table

_START = "amqp_start"
PENDING, PUBLISHED, DEAD = 0, 1, 2
"""The states of an event in the outbox."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An event to publish, with the partition whose lease covers it."""

    event: Event
    partition: int


@dataclass(frozen=True, slots=True)
class Made:
    """An event that was just committed. `is_next`: nothing of its subject that came before waits to be published."""

    pending: Pending
    is_next: bool


class SqlOutbox:
    """Gives out what is to be published and takes what was confirmed."""

    def __init__(self, database: Database, holder: str) -> None:
        self._database = database
        self._holder = holder

    async def begin(self, start: Literal["now", "earliest"]) -> int:
        """Fix, the first time a broker is configured, where publishing begins; gives the position before it."""
        return await self._database.write(lambda transaction: _begin(transaction, start))

    async def pending(self, after: int, limit: int, partitions: Collection[int]) -> Sequence[Pending]:
        """Give unpublished events of these partitions beyond a position, in order."""
        return await self._database.read(lambda transaction: _pending(transaction, after, limit, partitions))

    async def decided(self) -> int:
        """Give the position up to which no more events will appear."""
        return await self._database.decided()

    async def confirm(self, positions: Sequence[int], tokens: Mapping[str, int], now: datetime) -> None:
        """Mark events as published. Raises LeaseLost where one of the leases is not ours any more."""
        await self._database.write(
            lambda transaction: self._confirm(transaction, positions, tokens, now), at_leisure=True
        )

    def _confirm(
        self, transaction: Transaction, positions: Sequence[int], tokens: Mapping[str, int], now: datetime
    ) -> None:
        if not still_held(transaction, self._holder, tokens):
            raise LeaseLost("the relay's partitions belong to another replica")
        published = transaction.among("position", positions)
        transaction.run(
            f"UPDATE outbox SET state = 1, published_at = ? WHERE {published.sql}",
            [micros(now), *published.parameters],
        )


def begun(transaction: Transaction, environment: str) -> str:
    """Note whose events this database holds, the first time, and say whose they are."""
    transaction.run("INSERT INTO meta (name, value) VALUES ('environment', ?) ON CONFLICT DO NOTHING", (environment,))
    return str(transaction.run("SELECT value FROM meta WHERE name = 'environment'")[0][0])


def whose(transaction: Transaction) -> str | None:
    """Say which environment's events this database holds; None where no bridge has served from it yet."""
    if not has_table(transaction, "meta"):
        return None
    rows = transaction.run("SELECT value FROM meta WHERE name = 'environment'")
    return str(rows[0][0]) if rows else None


def started_at(transaction: Transaction) -> int | None:
    """Give the position after which events belong to the broker; None while no broker was ever configured."""
    rows = transaction.run("SELECT value FROM meta WHERE name = ?", (_START,))
    return int(rows[0][0]) if rows else None


def _begin(transaction: Transaction, start: Literal["now", "earliest"]) -> int:
    last = transaction.run("SELECT coalesce(max(position), 0) FROM events")[0][0] if start == "now" else 0
    transaction.run("INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", (_START, str(last)))
    begun = started_at(transaction)
    return last if begun is None else begun


def _pending(transaction: Transaction, after: int, limit: int, partitions: Collection[int]) -> list[Pending]:
    ours = transaction.among("outbox.partition", list(partitions))
    rows = transaction.run(
        f"SELECT {EVENT}, outbox.partition FROM outbox"
        " JOIN events ON events.position = outbox.position"
        " JOIN subjects ON subjects.id = events.subject_id"
        f" WHERE outbox.state = 0 AND outbox.position > ? AND {ours.sql}"
        " ORDER BY outbox.position LIMIT ?",
        [after, *ours.parameters, limit],
    )
    return [Pending(event(row), row[-1]) for row in rows]


EVENT = (
    "events.position, events.id, events.type, subjects.source, subjects.name, events.sequence,"
    " events.routing_key, events.organization, events.recorded_at, events.body"
)


def owner(subject: Subject, organization: int | None) -> str:
    """Say whose an event is: the organization that it tells, or the end of its source (a connection's name)."""
    return subject.source.rsplit("/", 1)[-1] if organization is None else str(organization)


def event(row: Row) -> Event:
    """Read an event from the columns named by EVENT."""
    subject = Subject(row[3], row[4])
    return Event(
        position=row[0],
        id=row[1],
        type=row[2],
        subject=subject,
        sequence=row[5],
        routing_key=row[6],
        organization=owner(subject, row[7]),
        recorded_at=moment(row[8]),
        body=row[9],
    )
