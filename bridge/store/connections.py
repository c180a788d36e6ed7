"""Carrier connections: one row each, from which the replicas take permits and which a person can pause."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bridge.events.catalogue import ConnectionPaused, ConnectionResumed
from bridge.limits.breaker import MOST_OPEN, Breaker, BreakerState
from bridge.limits.connection import (
    LONGEST_REST_S,
    Connection,
    Exchange,
    Exchanged,
    Held,
    Limits,
    Pause,
    Purpose,
    Waiting,
)
from bridge.limits.exchange import exchange
from bridge.model import Fact, Micros, OrganizationId, Subject, moment
from bridge.store.database import Database, Row, Transaction
from bridge.store.facts import Recorder

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
    """Gives out permits, pauses, resumes and lists."""

    def __init__(self, database: Database, recorder: Recorder) -> None:
        self._database = database
        self._recorder = recorder

    async def prepare(self, names: Iterable[str]) -> None:
        """Make the rows that are missing, so that a connection can be seen and paused before its first call."""
        rows = sorted((name,) for name in set(names))
        await self._database.write(
            lambda transaction: transaction.insert("connections (name)", rows, tail="ON CONFLICT DO NOTHING")
        )

    async def exchange(self, name: str, limits: Limits, brought: Exchange, dice: float) -> Exchanged:
        """Take back, renew and give out permits in one transaction."""
        return await self._database.write(lambda transaction: _exchange(transaction, name, limits, brought, dice))

    async def list(self) -> Sequence[Seen]:
        """Give every connection."""
        return await self._database.read(_list)

    async def pause(self, name: str, *, reason: str, by: str) -> Seen | None:
        """Let nothing be bought, in any replica, from now on; one that is paused stays as it is. None: no such one."""
        return await self._database.write(lambda transaction: self._pause(transaction, name, reason, by))

    async def resume(self, name: str) -> Seen | None:
        """Let things be bought again. None: no such connection."""
        return await self._database.write(lambda transaction: self._resume(transaction, name))

    def _pause(self, transaction: Transaction, name: str, reason: str, by: str) -> Seen | None:
        found = _locked(transaction, name)
        now = transaction.now
        if found is not None and found.pause is None:
            transaction.run(
                "UPDATE connections SET paused_since = ?, paused_reason = ?, paused_by = ? WHERE name = ?",
                (now, reason, by, name),
            )
            self._tell(transaction, ConnectionPaused(connection=name, reason=reason, since=moment(now)), now)
        return _seen(transaction, name, now)

    def _resume(self, transaction: Transaction, name: str) -> Seen | None:
        found = _locked(transaction, name)
        now = transaction.now
        if found is not None and found.pause is not None:
            transaction.run(
                "UPDATE connections SET paused_since = NULL, paused_reason = NULL, paused_by = NULL WHERE name = ?",
                (name,),
            )
            since = moment(found.pause.since)
            self._tell(transaction, ConnectionResumed(connection=name, reason=found.pause.reason, since=since), now)
            transaction.notify("purchases")
        return _seen(transaction, name, now)

    def _tell(self, transaction: Transaction, data: ConnectionPaused | ConnectionResumed, now: Micros) -> None:
        """Record what happened to a pause: each begins and ends once."""
        subject = Subject.connection(data.connection)
        key = data.since.isoformat()
        fact = Fact(subject, data.type, key, occurred_at=moment(now), data=data, facet=data.reason)
        ledgers = self._recorder.lock(transaction, [subject])
        self._recorder.record(transaction, ledgers, [fact], moment(now))
        self._recorder.save(transaction, ledgers.values())


def resting(transaction: Transaction, now: Micros) -> list[OrganizationId]:
    """Name the organizations for which no purchase is begun now: paused, or their carrier is left alone for a while."""
    rows = transaction.run(
        "SELECT name FROM connections WHERE paused_since IS NOT NULL"
        " OR (open_until > ? AND open_until <= ?) OR (not_before > ? AND not_before <= ?)",
        (now, now + MOST_OPEN, now, now + LONGEST_REST_S * 1_000_000),
    )
    found = (organization_of(row[0]) for row in rows)
    return [organization for organization in found if organization is not None]


def is_paused(transaction: Transaction, organization: OrganizationId) -> bool:
    """Say whether nothing may be bought for an organization. Until the commit that stays so: a pause waits for it."""
    # Only the name chooses the row: one that is left out is not locked, and could be paused a moment later.
    sql = f"SELECT paused_since FROM connections WHERE name = ? {transaction.for_share}"
    return any(since is not None for (since,) in transaction.run(sql, (shipx(organization),)))


def _exchange(transaction: Transaction, name: str, limits: Limits, brought: Exchange, dice: float) -> Exchanged:
    found = _locked(transaction, name)
    if found is None:
        transaction.insert("connections (name)", [(name,)], tail="ON CONFLICT DO NOTHING")
        found = _locked(transaction, name) or Connection(name)
    exchanged = exchange(found, limits, brought, transaction.now, dice)
    if exchanged.connection != found:
        _save(transaction, exchanged.connection)
    if exchanged.has_made_room:
        transaction.notify("connections")
    return exchanged


_COLUMNS = (
    "name, last_turn, not_before, last_token, held, first_in_line, failures, trips, open_until, degraded_since,"
    " paused_since, paused_reason, paused_by"
)


def _locked(transaction: Transaction, name: str) -> Connection | None:
    rows = transaction.run(f"SELECT {_COLUMNS} FROM connections WHERE name = ? {transaction.for_update}", (name,))
    return _connection(rows[0]) if rows else None


def _list(transaction: Transaction) -> Sequence[Seen]:
    now = transaction.now
    rows = transaction.run(f"SELECT {_COLUMNS} FROM connections ORDER BY name")
    return [Seen(_connection(row), now) for row in rows]


def _seen(transaction: Transaction, name: str, now: Micros) -> Seen | None:
    rows = transaction.run(f"SELECT {_COLUMNS} FROM connections WHERE name = ?", (name,))
    return Seen(_connection(rows[0]), now) if rows else None


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
        pause=None if row[10] is None else Pause(row[10], row[11], row[12]),
    )


def _waiting(purpose: int, holder: str, until: Micros) -> Waiting:
    return Waiting(Purpose(purpose), holder, until)


def _save(transaction: Transaction, one: Connection) -> None:
    """Write everything but the pause, which an exchange does not change."""
    first = one.first_in_line
    held = [[each.token, each.holder, each.until, each.turn, each.is_probe] for each in one.held]
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
