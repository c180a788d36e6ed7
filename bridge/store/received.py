"""Whose webhooks are received, as their receivers say: whoever asks what none of them told has no secrets to see it by.

Where receivers are processes of their own, they alone have the secrets of webhooks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bridge.model import OrganizationId, micros, moment
from bridge.store.database import Transaction

HOLDS: Final = timedelta(days=1)
"""How long it holds without being said again. A receiver that is away for less is missed; secrets that were taken away
are not, but for this long."""
_PREFIX: Final = "received/"


@dataclass(frozen=True, slots=True)
class Received:
    """Since when an organization's webhooks are received, and when that was said last."""

    since: datetime
    said_at: datetime

    def holds(self, now: datetime) -> bool:
        """Say whether it still is so."""
        return now - self.said_at <= HOLDS


def say(transaction: Transaction, organizations: Iterable[OrganizationId], now: datetime) -> None:
    """Say that these organizations' webhooks are received, from now on unless it was said before."""
    for organization in sorted(organizations):
        before = read(transaction, organization)
        since = before.since if before is not None and before.holds(now) else now
        transaction.run(
            "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (f"{_PREFIX}{organization}", f"{micros(since)}:{micros(now)}"),
        )


def read(transaction: Transaction, organization: OrganizationId) -> Received | None:
    """Give what was said of an organization last; None where nobody ever said anything."""
    rows = transaction.run("SELECT value FROM meta WHERE name = ?", (f"{_PREFIX}{organization}",))
    return _received(rows[0][0]) if rows else None


def received(transaction: Transaction, now: datetime) -> frozenset[OrganizationId]:
    """Give all organizations whose webhooks are received. Only reads."""
    rows = transaction.run("SELECT name, value FROM meta WHERE name LIKE ?", (f"{_PREFIX}%",))
    return frozenset(
        OrganizationId(int(name.removeprefix(_PREFIX))) for name, value in rows if _received(value).holds(now)
    )


def _received(value: str) -> Received:
    since, said_at = (moment(int(one)) for one in value.split(":"))
    return Received(since, said_at)
