"""Carrier connections: one row each, from which the replicas take permits and which a person can pause."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from bridge.events.catalogue import ConnectionPaused, ConnectionResumed
from bridge.limits.breaker import MOST_OPEN, Breaker, BreakerState
from bridge.limits.connection import (
    LONGEST_REST_S,
    Connection,
    Exchange,
    Exchanged,
    Held,
    Limits,
    Purpose,
    Waiting,
)
from bridge.limits.exchange import exchange
from bridge.limits.pause import Pause
from bridge.model import Fact, Micros, OrganizationId, Subject, moment
from bridge.store.database import Database, Row, Transaction
from bridge.store.facts import Recorder
from bridge.store.resuming import rewant

_SHIPX: Final = "shipx/"


def shipx(organization: OrganizationId) -> str:
    """Name the connection of a ShipX organization."""
    return f"{_SHIPX}{organization}"


def organization_of(name: str) -> OrganizationId | None:
    """Give the ShipX organization of a connection, where it is one's."""
    provider, _, number = name.partition("/")
    is_one = provider == "shipx" and number.isascii() and number.isdecimal()
    return OrganizationId(int(number)) if is_one else None


@dataclass(frozen=True, slots=True)
class Seen:
    """A connection as it was at a moment of the database's clock."""

    connection: Connection
    at: Micros
    is_configured: bool = True
    """Whether the settings still name it. Nobody asks on one that they do not: what is known of it stays as it is."""

    @property
    def name(self) -> str:
        return self.connection.name

    @property
    def breaker(self) -> BreakerState:
        return self.connection.breaker.state(self.at)

    @property
    def is_away(self) -> bool:
        """Whether the carrier is left alone, because a probe gave no usable answer."""
        return self.breaker in ("open", "half_open")

    @property
    def in_flight(self) -> int:
        return sum(one.until > self.at for one in self.connection.held)


class SqlConnections:
    """Gives out permits, pauses, resumes and lists. `configured` are those the settings name; None: any.

    What a pause kept from being bought is wanted again when it ends, but for those `forgoing` it.
    """

    def __init__(
        self,
        database: Database,
        recorder: Recorder,
        configured: Collection[str] | None = None,
        *,
        forgoing: Collection[OrganizationId] = (),
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._configured = configured
        self._forgoing = frozenset(forgoing)

    async def prepare(self, names: Iterable[str]) -> None:
        """Make the rows that are missing, so that a connection can be seen and paused before its first call."""
        rows = sorted((name,) for name in set(names))
        await self._database.write(
            lambda transaction: transaction.insert("connections (name)", rows, tail="ON CONFLICT DO NOTHING")
        )

    async def exchange(self, name: str, limits: Limits, brought: Exchange, dice: float) -> Exchanged:
        """Take back, renew and give out permits in one transaction."""
        return await self._database.write(lambda transaction: self._exchange(transaction, name, limits, brought, dice))

    async def list(self) -> Sequence[Seen]:
        """Give every connection."""
        return await self._database.read(self._list)

    def pause(self, transaction: Transaction, name: str, *, reason: str, by: str) -> Seen | None:
        """Let nothing be bought, in any replica, from the commit on, until somebody resumes it.

        A person's pause stays as it is; what the carrier's refusal began is the person's from now on, and not tried.
        A part of a larger unit. None: no such connection.
        """
        found = locked(transaction, name)
        if found is not None and (found.pause is None or found.pause.ends_by_itself):
            since = transaction.now if found.pause is None else found.pause.since
            set_pause(transaction, self._recorder, found, Pause(since, reason, by))
        return self._seen(transaction, name, transaction.now)

    def resume(self, transaction: Transaction, name: str) -> Seen | None:
        """Let things be bought again, as a part of a larger unit. None: no such connection."""
        found = locked(transaction, name)
        if found is not None and found.pause is not None:
            now = moment(transaction.now)
            regenerate = organization_of(name) not in self._forgoing
            end_pause(transaction, self._recorder, found, found.pause, now, regenerate=regenerate)
        return self._seen(transaction, name, transaction.now)

    def _exchange(
        self, transaction: Transaction, name: str, limits: Limits, brought: Exchange, dice: float
    ) -> Exchanged:
        found = made(transaction, name)
        exchanged = exchange(found, limits, brought, transaction.now, dice)
        if exchanged.connection != found:
            _save(transaction, exchanged.connection)
        pause = exchanged.connection.pause
        if found.pause is None and pause is not None:
            set_pause(transaction, self._recorder, found, pause)
        elif pause != found.pause:
            write_pause(transaction, name, pause)
        if exchanged.has_made_room:
            transaction.notify("connections")
        return exchanged

    def _list(self, transaction: Transaction) -> Sequence[Seen]:
        now = transaction.now
        rows = transaction.run(f"SELECT {_COLUMNS} FROM connections ORDER BY name")
        return [self._as_seen(row, now) for row in rows]

    def _seen(self, transaction: Transaction, name: str, now: Micros) -> Seen | None:
        rows = transaction.run(f"SELECT {_COLUMNS} FROM connections WHERE name = ?", (name,))
        return self._as_seen(rows[0], now) if rows else None

    def _as_seen(self, row: Row, now: Micros) -> Seen:
        found = _connection(row)
        return Seen(found, now, self._configured is None or found.name in self._configured)


def set_pause(transaction: Transaction, recorder: Recorder, found: Connection, pause: Pause) -> None:
    """Begin a pause of a connection that is locked, or give the one it has to somebody else, and tell of it."""
    write_pause(transaction, found.name, pause)
    since = moment(pause.since)
    key = since.isoformat() if found.pause is None else f"{since.isoformat()}/{pause.reason}"
    _tell(transaction, recorder, ConnectionPaused(connection=found.name, reason=pause.reason, since=since), key)


def end_pause(
    transaction: Transaction, recorder: Recorder, found: Connection, pause: Pause, now: datetime, *, regenerate: bool
) -> None:
    """End the pause of a connection that is locked, and tell of it; what it kept from being bought is wanted again.

    `now` is by the clock that purchases go by.
    """
    write_pause(transaction, found.name, None)
    since = moment(pause.since)
    ended = ConnectionResumed(connection=found.name, reason=pause.reason, since=since)
    _tell(transaction, recorder, ended, since.isoformat())
    organization = organization_of(found.name)
    if regenerate and organization is not None:
        rewant(transaction, organization, now - timedelta(microseconds=transaction.now - pause.since), now)
    transaction.notify("purchases")


def write_pause(transaction: Transaction, name: str, pause: Pause | None) -> None:
    """Write the pause of a connection that is locked."""
    columns = ", ".join(f"{column} = ?" for column in _PAUSE.split(", "))
    values = _NO_PAUSE if pause is None else astuple(pause)
    transaction.run(f"UPDATE connections SET {columns} WHERE name = ?", (*values, name))


def _tell(transaction: Transaction, recorder: Recorder, data: ConnectionPaused | ConnectionResumed, key: str) -> None:
    """Record what happened to a pause: each begins and ends once.

    The subject comes after the connection's row, and after the subjects of shipments where the caller locked some: who
    has it waits for neither.
    """
    subject, now = Subject.connection(data.connection), moment(transaction.now)
    fact = Fact(subject, data.type, key, occurred_at=now, data=data, facet=data.reason)
    ledgers = recorder.lock(transaction, [subject])
    recorder.record(transaction, ledgers, [fact], now)
    recorder.save(transaction, ledgers.values())


def resting(transaction: Transaction, now: Micros) -> list[OrganizationId]:
    """Name the organizations for which no purchase is begun now: paused, or their carrier is left alone for a while.

    One whose pause is to be tried with a purchase is not among them.
    """
    is_away = "(open_until > ? AND open_until <= ?) OR (not_before > ? AND not_before <= ?)"
    away = (now, now + MOST_OPEN, now, now + LONGEST_REST_S * 1_000_000)
    rows = transaction.run(
        f"SELECT name, CASE WHEN {is_away} THEN 1 ELSE 0 END, {_PAUSE} FROM connections"
        f" WHERE paused_since IS NOT NULL OR {is_away}",
        (*away, *away),
    )
    found = {organization_of(name): bool(is_away) or not _is_tried(_pause(rest), now) for name, is_away, *rest in rows}
    return [organization for organization, rests in found.items() if rests and organization is not None]


def every_paused(transaction: Transaction) -> list[OrganizationId]:
    """Name the organizations for which nothing may be bought."""
    rows = transaction.run("SELECT name FROM connections WHERE paused_since IS NOT NULL")
    return [organization for row in rows if (organization := organization_of(row[0])) is not None]


def to_be_tried(transaction: Transaction) -> list[tuple[OrganizationId, Pause]]:
    """Give the organizations whose pause is to be tried with a purchase now."""
    rows = transaction.run(f"SELECT name, {_PAUSE} FROM connections WHERE probe_at IS NOT NULL")
    pauses = [(organization_of(name), _pause(rest)) for name, *rest in rows]
    return [
        (organization, pause)
        for organization, pause in pauses
        if organization is not None and pause is not None and pause.is_due_to_buy(transaction.now)
    ]


def is_paused(transaction: Transaction, organization: OrganizationId, intents: int = 1) -> bool:
    """Say whether so many purchases may not be begun together. Until the commit that stays so: a pause waits for it.

    The one purchase that a pause is tried with may, and alone.
    """
    # Only the name chooses the row: one that is left out is not locked, and could be paused a moment later.
    rows = transaction.run(
        f"SELECT {_PAUSE} FROM connections WHERE name = ? {transaction.for_share}", (shipx(organization),)
    )
    return any(_stops(_pause(row), intents, transaction.now) for row in rows)


def seems_paused(transaction: Transaction, organization: OrganizationId) -> bool:
    """Say the same of one purchase as it is now, without keeping anybody from changing it."""
    return _stops(pause_of(transaction, shipx(organization)), 1, transaction.now)


def _stops(pause: Pause | None, intents: int, now: Micros) -> bool:
    return pause is not None and not (intents == 1 and pause.lets_begin(now))


_PAUSE: Final = "paused_since, paused_reason, paused_by, probe_at, probes, probing_until"
"""The columns of a pause, in the order of its fields."""
_NO_PAUSE: Final = (None, None, None, None, 0, None)
_COLUMNS: Final = (
    "name, last_turn, not_before, last_token, held, first_in_line, failures, trips, open_until, degraded_since,"
    f" {_PAUSE}"
)


def locked(transaction: Transaction, name: str) -> Connection | None:
    """Lock a connection until the commit. All calls to the carrier wait for that, so it comes late in a transaction."""
    rows = transaction.run(f"SELECT {_COLUMNS} FROM connections WHERE name = ? {transaction.for_update}", (name,))
    return _connection(rows[0]) if rows else None


def made(transaction: Transaction, name: str) -> Connection:
    """Lock a connection, and make its row where it is missing."""
    found = locked(transaction, name)
    if found is None:
        transaction.insert("connections (name)", [(name,)], tail="ON CONFLICT DO NOTHING")
        found = locked(transaction, name)
    return found or Connection(name)


def pause_of(transaction: Transaction, name: str) -> Pause | None:
    """Look at a connection's pause, without keeping anybody from changing it."""
    rows = transaction.run(f"SELECT {_PAUSE} FROM connections WHERE name = ?", (name,))
    return _pause(rows[0]) if rows else None


def _connection(row: Row) -> Connection:
    return Connection(
        name=row[0],
        last_turn=row[1],
        not_before=row[2],
        last_token=row[3],
        held=tuple(Held(*one) for one in json.loads(row[4])),
        first_in_line=None if row[5] is None else _waiting(*json.loads(row[5])),
        breaker=Breaker(row[6], row[7], row[8]),
        degraded_since=row[9],
        pause=_pause(row[10:]),
    )


def _pause(row: Sequence[Any]) -> Pause | None:
    return None if row[0] is None else Pause(*row)


def _is_tried(pause: Pause | None, now: Micros) -> bool:
    return pause is not None and pause.is_due_to_buy(now)


def _waiting(purpose: int, holder: str, until: Micros) -> Waiting:
    """Read who is first in line. A replica of a newer version may wait for something that this one has no word for."""
    return Waiting(Purpose(min(purpose, max(Purpose))), holder, until)


def _save(transaction: Transaction, one: Connection) -> None:
    """Write everything but the pause, which an exchange seldom changes."""
    first = one.first_in_line
    held = [[each.token, each.holder, each.until, each.turn, each.is_probe, each.is_patient] for each in one.held]
    transaction.run(
        "UPDATE connections SET last_turn = ?, not_before = ?, last_token = ?, held = ?, first_in_line = ?,"
        " failures = ?, trips = ?, open_until = ?, degraded_since = ? WHERE name = ?",
        (
            one.last_turn,
            one.not_before,
            one.last_token,
            json.dumps(held, separators=(",", ":")),
            None if first is None else json.dumps([first.purpose, first.holder, first.until]),
            one.breaker.failures,
            one.breaker.trips,
            one.breaker.open_until,
            one.degraded_since,
            one.name,
        ),
    )
