"""Shipments that became known, and that nobody asks about yet: read off the subjects, page after page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bridge.events.shipment import ShipmentState
from bridge.model import OrganizationId, ShipmentId, Subject, micros, moment
from bridge.store import watched
from bridge.store.database import Row, Transaction
from bridge.store.watched import Pace, Watched

_PAGE: Final = 500
"""Subjects that are looked at together."""
_SETTLED: Final = timedelta(seconds=30)
"""After this nobody adds a subject any more whose id was given out before."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far the subjects were looked through: up to `low` for good, because up to `high` all were there at `at`.

    Ids are given out before their rows are committed, so that a lower one may appear after a higher one.
    """

    low: int = 0
    high: int = 0
    at: int | None = None

    @classmethod
    def read(cls, transaction: Transaction, organization: OrganizationId) -> Place:
        rows = transaction.run("SELECT value FROM meta WHERE name = ?", (_name(organization),))
        return cls(*map(int, rows[0][0].split(":"))) if rows else cls()

    def after(self, last: int, highest: int, now: datetime) -> Place:
        """Go on after having looked at everything up to `last`."""
        at = micros(now)
        if self.at is None:
            return Place(self.low, highest, at)
        if now - moment(self.at) < _SETTLED:
            return self
        low = max(self.low, min(last, self.high))
        return Place(low, highest, at) if low >= self.high and highest > self.high else replace(self, low=low)

    def write(self, transaction: Transaction, organization: OrganizationId) -> None:
        transaction.run(
            "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (_name(organization), f"{self.low}:{self.high}:{self.at}"),
        )


@dataclass(frozen=True, slots=True)
class Unwatched:
    """Shipments that nobody asks about yet, and how far the subjects were looked through before and after."""

    before: Place
    place: Place
    rows: Sequence[Row]

    def enter(self, transaction: Transaction, organization: OrganizationId) -> None:
        """Have them asked about from now on, and write down how far it came."""
        transaction.insert(watched.SWEEPS, self.rows, tail="ON CONFLICT DO NOTHING")
        self.place.write(transaction, organization)


def unwatched(transaction: Transaction, organization: OrganizationId, pace: Pace, now: datetime) -> Unwatched:
    """Look through the next page of subjects."""
    before = Place.read(transaction, organization)
    subjects = transaction.run(
        "SELECT id, source, name, state FROM subjects WHERE id > ? ORDER BY id LIMIT ?", (before.low, _PAGE)
    )
    highest = transaction.run("SELECT coalesce(max(id), 0) FROM subjects")[0][0]
    last = subjects[-1][0] if subjects else before.low
    known = _shipments(organization, subjects)
    known_before = watched.before(transaction, organization, list(known))
    wanted = watched.wanted(transaction, organization, list(known))
    rows = []
    for shipment in sorted(known.keys() - known_before.keys()):
        one = Watched(known[shipment], shipment in wanted, since=now, news_at=moment(0))
        look = pace.look(one, now)
        if look is not None:
            rows.append(watched.row(organization, shipment, replace(look, after=timedelta(0)), one, now))
    return Unwatched(before, before.after(last, highest, now), rows)


def _name(organization: OrganizationId) -> str:
    return f"sweeps/{organization}"


def _shipments(organization: OrganizationId, subjects: Sequence[Row]) -> dict[ShipmentId, ShipmentState]:
    """Choose the shipments of an organization of which something is known."""
    first = Subject.shipment(organization, ShipmentId(0))
    prefix = first.name.removesuffix("0")
    return {
        ShipmentId(int(name.removeprefix(prefix))): ShipmentState.load(state)
        for _, source, name, state in subjects
        if source == first.source and name.startswith(prefix) and state is not None
    }
