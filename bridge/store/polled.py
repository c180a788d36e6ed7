"""What reads found before any webhook told it: kept for a moment, until it is clear whether one does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from bridge.events.statuses import TrackingStatus
from bridge.model import Fact, Micros, OrganizationId, micros, moment
from bridge.store import received
from bridge.store.database import Row, Transaction

PATIENCE: Final = timedelta(seconds=60)
"""How long a webhook may take, and by how much it may be earlier than what it tells: clocks differ."""
_MOST: Final = 500
_UNANNOUNCED: Final = (TrackingStatus.cancelled, TrackingStatus.pending)
"""Nobody knows whether webhooks tell these."""


def keep(
    transaction: Transaction,
    organization: OrganizationId,
    facts: Sequence[Fact],
    heard_since: datetime,
    now: datetime,
) -> None:
    """Keep news that a webhook should tell, if it happened while we listened: one row for each shipment.

    Nobody listened before the organization's webhooks were received, nor where they are not.
    """
    told = received.read(transaction, organization) if facts else None
    if told is None or not told.holds(now):
        return
    heard_since = max(heard_since, told.since)
    newest: dict[int, Micros] = {}
    for fact in facts:
        if fact.occurred_at >= heard_since and fact.facet not in _UNANNOUNCED:
            shipment = int(fact.subject.name.rpartition("/")[2])
            newest[shipment] = max(newest.get(shipment, Micros(0)), micros(fact.occurred_at))
    rows: list[Row] = [(organization, shipment, newest[shipment], micros(now)) for shipment in sorted(newest)]
    transaction.insert(
        "polled (organization, shipment, occurred_at, found_at)",
        rows,
        tail="ON CONFLICT (organization, shipment) DO NOTHING",
    )


def due(transaction: Transaction, organization: OrganizationId, now: datetime) -> list[Row]:
    """Give what was found long enough ago: shipments, and when what was found there happened."""
    return transaction.run(
        "SELECT shipment, occurred_at FROM polled WHERE organization = ? AND found_at <= ? ORDER BY found_at LIMIT ?",
        (organization, micros(now - PATIENCE), _MOST),
    )


def untold(transaction: Transaction, organization: OrganizationId, rows: Iterable[Row]) -> int:
    """Say of how many of these no webhook came since it happened, and forget them all."""
    missed = 0
    for shipment, occurred_at in rows:
        told = transaction.run(
            "SELECT 1 FROM deliveries WHERE shipment = ? AND organization = ? AND received_at >= ? LIMIT 1",
            (shipment, organization, micros(moment(occurred_at) - PATIENCE)),
        )
        missed += not told
        transaction.run("DELETE FROM polled WHERE organization = ? AND shipment = ?", (organization, shipment))
    return missed
