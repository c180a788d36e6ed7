"""What a doctor wants to know of the rows: whose they are, what came last, and what was parked lately. Only reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bridge.model import OrganizationId, micros, moment
from bridge.store import vocabulary
from bridge.store.database import Transaction
from bridge.store.hearing import Hearing, unheard
from bridge.store.outbox import whose
from bridge.store.received import received

LATELY: Final = timedelta(hours=24)
_NEWEST: Final = 10_000
"""How many deliveries are looked through for an organization's last one: ids sort by time, organizations do not."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The last webhook of an organization that took effect: its day, and the moment unless it is long ago."""

    day: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class ParkedLately:
    """Webhooks of an organization that were kept without effect for one reason, and who sent them."""

    organization: OrganizationId
    reason: str
    times: int
    last: datetime
    peers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """What the rows say. `environment` is None in a database that no bridge has served from yet."""

    environment: str | None = None
    accepted: Mapping[OrganizationId, Accepted] = field(default_factory=dict)
    parked: tuple[ParkedLately, ...] = ()
    unheard: Mapping[OrganizationId, Hearing] = field(default_factory=dict)
    received: frozenset[OrganizationId] = frozenset()
    """Whose webhooks are received by any process."""
    words: str | None = None
    """What the last comparison of the carrier's words with ours found, as it was written."""


def condition(transaction: Transaction, now: datetime) -> Condition:
    """Read it all."""
    return Condition(
        whose(transaction),
        _accepted(transaction),
        _parked(transaction, now),
        unheard(transaction),
        received(transaction, now),
        vocabulary.kept(transaction),
    )


def _accepted(transaction: Transaction) -> dict[OrganizationId, Accepted]:
    days = transaction.run("SELECT organization, max(day) FROM tallies WHERE name = 'accepted' GROUP BY organization")
    moments: dict[int, int] = dict(
        transaction.run(
            "SELECT organization, max(received_at) FROM"
            " (SELECT organization, received_at FROM deliveries ORDER BY id DESC LIMIT ?) AS newest"
            " GROUP BY organization",
            (_NEWEST,),
        )
    )
    return {
        OrganizationId(organization): Accepted(day, moment(moments[organization]) if organization in moments else None)
        for organization, day in days
    }


def _parked(transaction: Transaction, now: datetime) -> tuple[ParkedLately, ...]:
    rows = transaction.run(
        "SELECT organization, reason, peer, sum(repeats + 1), max(received_at) FROM parked"
        " WHERE received_at >= ? AND replayed_as IS NULL"
        " GROUP BY organization, reason, peer ORDER BY organization, reason, max(received_at) DESC, peer",
        (micros(now - LATELY),),
    )
    groups: dict[tuple[int, str], list[tuple[str, int, int]]] = {}
    for organization, reason, *rest in rows:
        groups.setdefault((organization, reason), []).append((rest[0], int(rest[1]), rest[2]))
    return tuple(
        ParkedLately(
            OrganizationId(organization),
            reason,
            sum(times for _, times, _ in found),
            moment(max(last for _, _, last in found)),
            tuple(peer for peer, _, _ in found),
        )
        for (organization, reason), found in groups.items()
    )
