"""Orders to couriers as the carrier had them last: kept by their numbers, with what came of them and the next look."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bridge.model import DispatchOrderId, OrganizationId, ShipmentId, micros, moment
from bridge.store.database import Row, Transaction, marks


@dataclass(frozen=True, slots=True)
class Entered:
    """A status that an order was in, and since when."""

    word: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """An order as it is kept. `command` made it; None where somebody else did.

    `due_at` is when the carrier is asked next, None where nothing more is expected. `quiet` looks in a row brought no
    news, `misses` were answered that there is no such order, since `missed_since`.
    """

    organization: OrganizationId
    id: DispatchOrderId
    state: str
    carrier_status: str | None
    shipments: tuple[ShipmentId, ...]
    statuses: tuple[Entered, ...]
    command: str | None
    created_at: datetime | None
    known_since: datetime
    news_at: datetime
    read_at: datetime
    due_at: datetime | None
    quiet: int = 0
    misses: int = 0
    missed_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders a reader wants; `before` is the cursor: organization and number of the last one seen."""

    state: str | None = None
    shipment: ShipmentId | None = None
    organizations: frozenset[int] = frozenset()
    before: tuple[int, int] | None = None


_COLUMNS: Final = (
    "organization, id, state, carrier_status, statuses, command, created_at, known_since, news_at, read_at, due_at,"
    " quiet, misses, missed_since"
)
_KEY: Final = "organization = ? AND id = ?"


def find(transaction: Transaction, order: DispatchOrderId, organizations: Collection[int] = ()) -> list[Kept]:
    """Give the orders of this number: one, where not several organizations have it."""
    theirs = f" AND organization IN ({marks(list(organizations))})" if organizations else ""
    rows = transaction.run(
        f"SELECT {_COLUMNS} FROM dispatch_orders WHERE id = ?{theirs} ORDER BY organization",
        [order, *sorted(organizations)],
    )
    return [_kept(transaction, row) for row in rows]


def claimed(
    transaction: Transaction, organization: OrganizationId, orders: Collection[DispatchOrderId]
) -> set[DispatchOrderId]:
    """Say which of these came of a command."""
    if not orders:
        return set()
    those = transaction.among("id", sorted(orders))
    rows = transaction.run(
        f"SELECT id FROM dispatch_orders WHERE organization = ? AND command IS NOT NULL AND {those.sql}",
        [organization, *those.parameters],
    )
    return {DispatchOrderId(row[0]) for row in rows}


def due(transaction: Transaction, organization: OrganizationId, by: datetime, limit: int) -> list[DispatchOrderId]:
    """Give orders to ask about, the longest overdue first."""
    rows = transaction.run(
        "SELECT id FROM dispatch_orders WHERE organization = ? AND due_at <= ? ORDER BY due_at LIMIT ?",
        (organization, micros(by), limit),
    )
    return [DispatchOrderId(row[0]) for row in rows]


def page(transaction: Transaction, wanted: Wanted, limit: int) -> list[Kept]:
    """List orders by organization and number, the highest first."""
    conditions, values = ["1 = 1"], list[object]()
    if wanted.state is not None:
        conditions.append("state = ?")
        values.append(wanted.state)
    if wanted.organizations:
        conditions.append(f"organization IN ({marks(list(wanted.organizations))})")
        values += sorted(wanted.organizations)
    if wanted.shipment is not None:
        conditions.append(_COLLECTS)
        values.append(wanted.shipment)
    if wanted.before is not None:
        conditions.append("(organization, id) < (?, ?)")
        values += wanted.before
    rows = transaction.run(
        f"SELECT {_COLUMNS} FROM dispatch_orders WHERE {' AND '.join(conditions)}"
        " ORDER BY organization DESC, id DESC LIMIT ?",
        [*values, limit],
    )
    return [_kept(transaction, row) for row in rows]


def save(transaction: Transaction, kept: Kept) -> None:
    """Write an order down as it is now."""
    changed = [one for one in _COLUMNS.split(", ") if one not in ("organization", "id")]
    transaction.insert(
        f"dispatch_orders ({_COLUMNS})",
        [_row(kept)],
        tail="ON CONFLICT (organization, id) DO UPDATE SET " + ", ".join(f"{one} = excluded.{one}" for one in changed),
    )
    transaction.insert(
        "dispatched (organization, dispatch_order, shipment)",
        [(kept.organization, kept.id, shipment) for shipment in sorted(kept.shipments)],
        tail="ON CONFLICT DO NOTHING",
    )


def put_off(transaction: Transaction, organization: OrganizationId, order: DispatchOrderId, until: datetime) -> None:
    """Ask about an order later."""
    transaction.run(
        f"UPDATE dispatch_orders SET due_at = ? WHERE {_KEY} AND due_at IS NOT NULL",
        (micros(until), organization, order),
    )


_COLLECTS: Final = "(organization, id) IN (SELECT organization, dispatch_order FROM dispatched WHERE shipment = ?)"


def _row(kept: Kept) -> Row:
    return (
        kept.organization,
        kept.id,
        kept.state,
        kept.carrier_status,
        json.dumps([[one.word, micros(one.at)] for one in kept.statuses]),
        kept.command,
        _micros(kept.created_at),
        micros(kept.known_since),
        micros(kept.news_at),
        micros(kept.read_at),
        _micros(kept.due_at),
        kept.quiet,
        kept.misses,
        _micros(kept.missed_since),
    )


def _kept(transaction: Transaction, row: Row) -> Kept:
    organization, number, state, status, statuses, command, created_at, known_since, *rest = row
    news_at, read_at, due_at, quiet, misses, missed_since = rest
    return Kept(
        organization=OrganizationId(organization),
        id=DispatchOrderId(number),
        state=state,
        carrier_status=status,
        shipments=_shipments(transaction, organization, number),
        statuses=tuple(Entered(word, moment(at)) for word, at in json.loads(statuses)),
        command=command,
        created_at=_moment(created_at),
        known_since=moment(known_since),
        news_at=moment(news_at),
        read_at=moment(read_at),
        due_at=_moment(due_at),
        quiet=quiet,
        misses=misses,
        missed_since=_moment(missed_since),
    )


def _shipments(transaction: Transaction, organization: int, order: int) -> tuple[ShipmentId, ...]:
    rows: Sequence[Row] = transaction.run(
        "SELECT shipment FROM dispatched WHERE organization = ? AND dispatch_order = ? ORDER BY shipment",
        (organization, order),
    )
    return tuple(ShipmentId(row[0]) for row in rows)


def _micros(at: datetime | None) -> int | None:
    return None if at is None else micros(at)


def _moment(value: int | None) -> datetime | None:
    return None if value is None else moment(value)
