"""A shipment that is asked about: how urgent that is, and its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from bridge.events.shipment import ShipmentState
from bridge.model import OrganizationId, ShipmentId, micros, moment
from bridge.store.database import Row, Transaction


class Phase(StrEnum):
    """How urgent a shipment is."""

    waiting = "waiting"
    """What a webhook said of it is told only once a read shows it."""
    open = "open"
    """Offers, or the outcome of a purchase, are awaited."""
    tracking = "tracking"
    """It is under way, or nothing is open for now."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A shipment that is asked about, and what is known of it.

    `is_wanted`: a purchase is to be made or settled. `quiet` is how many reads in a row brought no news.
    """

    state: ShipmentState | None
    is_wanted: bool
    since: datetime
    news_at: datetime
    quiet: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """How urgent a shipment is, and after how long it is to be asked about again."""

    phase: Phase
    after: timedelta


class Pace(Protocol):
    """When to look; None where no more is expected."""

    def look(self, watched: Watched, now: datetime) -> Look | None: ...

    def missed(self, misses: int, for_so_long: timedelta) -> Look | None: ...


SWEEPS: Final = "sweeps (organization, shipment, phase, due_at, quiet, since, news_at, misses, missed_since)"
AGAIN: Final = (
    "ON CONFLICT (organization, shipment) DO UPDATE SET phase = excluded.phase, due_at = excluded.due_at,"
    " quiet = excluded.quiet, news_at = excluded.news_at, misses = 0, missed_since = NULL"
)


def before(
    transaction: Transaction, organization: OrganizationId, shipments: Sequence[ShipmentId]
) -> dict[ShipmentId, Row]:
    """Give the rows of those of them that are asked about: shipment, quiet, since, news_at, phase."""
    if not shipments:
        return {}
    those = transaction.among("shipment", shipments)
    rows = transaction.run(
        f"SELECT shipment, quiet, since, news_at, phase FROM sweeps WHERE organization = ? AND {those.sql}",
        (organization, *those.parameters),
    )
    return {ShipmentId(row[0]): row for row in rows}


def wanted(transaction: Transaction, organization: OrganizationId, shipments: Sequence[ShipmentId]) -> set[ShipmentId]:
    """Say of which shipments a purchase is to be made or settled."""
    if not shipments:
        return set()
    those = transaction.among("shipment", shipments)
    rows = transaction.run(
        f"SELECT shipment FROM purchases WHERE organization = ? AND {those.sql}"
        " AND state IN ('wanted', 'intended', 'doubt')",
        (organization, *those.parameters),
    )
    return {ShipmentId(row[0]) for row in rows}


def after_read(
    row: Row | None, state: ShipmentState | None, *, is_wanted: bool, has_news: bool, now: datetime
) -> Watched:
    """Say how a shipment stands after a read."""
    since = now if row is None else moment(row[2])
    if has_news or row is None:
        return Watched(state, is_wanted, since, now if has_news else moment(0))
    return Watched(state, is_wanted, since, moment(row[3]), row[1] + 1)


def row(organization: OrganizationId, shipment: ShipmentId, look: Look, one: Watched, now: datetime) -> Row:
    """Write a shipment as a row, for SWEEPS."""
    due_at = micros(now + look.after)
    return organization, shipment, look.phase.value, due_at, one.quiet, micros(one.since), micros(one.news_at), 0, None


def strike_out(transaction: Transaction, organization: OrganizationId, shipments: Sequence[ShipmentId]) -> None:
    """Ask about these no more."""
    if shipments:
        those = transaction.among("shipment", shipments)
        transaction.run(f"DELETE FROM sweeps WHERE organization = ? AND {those.sql}", (organization, *those.parameters))


def put_off(
    transaction: Transaction, organization: OrganizationId, shipments: Sequence[ShipmentId], until: datetime
) -> None:
    """Ask about these later."""
    if shipments:
        those = transaction.among("shipment", shipments)
        transaction.run(
            f"UPDATE sweeps SET due_at = ? WHERE organization = ? AND {those.sql}",
            (micros(until), organization, *those.parameters),
        )
