"""Deliveries whose facts wait until a read shows them: put into the sweep, and taken up again after the read.

`waits_for_read` is the verdict on them meanwhile. Once the carrier has shown the shipment they are worked off again,
so that what needs no read any more is told, and the others end with what became of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from bridge.events.readback import WAITS
from bridge.model import DeliveryState, OrganizationId, ShipmentId, micros, moment
from bridge.store.database import Row, Transaction
from bridge.store.watched import SWEEPS, Phase

READ: Final = "was_read"
"""Stands where the verdict does while a delivery waits to be worked off again after a read."""
UNKNOWN: Final = "unknown_to_carrier"
"""The verdict where the carrier did not know the shipment for so long that nobody asks any more."""
PATIENCE: Final = timedelta(seconds=60)
"""For how long after a webhook came reads may lag behind it."""
AGAIN: Final = timedelta(seconds=10)
"""How soon the carrier is asked again what it did not show yet."""

Due = dict[tuple[OrganizationId, ShipmentId], datetime]


def await_read(transaction: Transaction, due: Due, now: datetime) -> None:
    """Have shipments read by then. What the carrier did not know is asked for no sooner than it would be."""
    rows: list[Row] = [
        (organization, shipment, Phase.waiting.value, micros(due[organization, shipment]), 0, micros(now), 0, 0, None)
        for organization, shipment in sorted(due)
    ]
    transaction.insert(
        SWEEPS,
        rows,
        tail="ON CONFLICT (organization, shipment) DO UPDATE SET phase = excluded.phase, due_at ="
        " CASE WHEN sweeps.misses > 0 OR sweeps.due_at < excluded.due_at THEN sweeps.due_at ELSE excluded.due_at END",
    )


def take_up(transaction: Transaction, organization: OrganizationId, shipments: Sequence[ShipmentId]) -> None:
    """Have the deliveries about these worked off again, because the carrier has shown the shipments."""
    if shipments and _close(transaction, organization, shipments, DeliveryState.pending, READ):
        transaction.notify("deliveries")


def give_up(transaction: Transaction, organization: OrganizationId, shipments: Sequence[ShipmentId]) -> None:
    """End the deliveries about these, because the carrier does not know the shipments."""
    if shipments:
        _close(transaction, organization, shipments, DeliveryState.done, UNKNOWN)


def awaited(rows: Iterable[Row]) -> set[ShipmentId]:
    """Choose, of rows of shipments that are asked about, those that a delivery waits for."""
    return {ShipmentId(row[0]) for row in rows if row[4] == Phase.waiting}


def is_late(received_at: int, now: datetime) -> bool:
    """Say whether reads had time enough to show what came then."""
    return now - moment(received_at) > PATIENCE


def _close(
    transaction: Transaction,
    organization: OrganizationId,
    shipments: Sequence[ShipmentId],
    state: DeliveryState,
    verdict: str,
) -> int:
    """Give those that wait another state and verdict; say how many there were."""
    those = transaction.among("shipment", shipments)
    changed = transaction.run(
        "UPDATE deliveries SET state = ?, verdict = ?, reopened_at = ?"
        f" WHERE {those.sql} AND organization = ? AND verdict = '{WAITS}' RETURNING id",
        (state, verdict, transaction.now, *those.parameters, organization),
    )
    return len(changed)
