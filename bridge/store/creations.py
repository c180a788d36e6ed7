"""Shipments that were made on demand: which of them came of which command, each of one alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bridge.model import OrganizationId, ShipmentId, micros
from bridge.store.database import Transaction


def join(
    transaction: Transaction,
    organization: OrganizationId,
    command: str,
    made: Mapping[int, ShipmentId],
    now: datetime,
) -> dict[int, ShipmentId]:
    """Write down which shipment each item of a command became, and give those that nobody else had."""
    rows = [(organization, shipment, command, item, micros(now)) for item, shipment in sorted(made.items())]
    kept = transaction.insert(
        "creations (organization, shipment, command, item, created_at)",
        rows,
        tail="ON CONFLICT DO NOTHING RETURNING item, shipment",
    )
    return {item: ShipmentId(shipment) for item, shipment in kept}


def of_command(transaction: Transaction, command: str, since: datetime) -> dict[int, ShipmentId]:
    """Give what a command made since it was begun, by item: its key may be known from long before."""
    sql = "SELECT item, shipment FROM creations WHERE command = ? AND created_at >= ? ORDER BY item"
    rows = transaction.run(sql, (command, micros(since)))
    return {item: ShipmentId(shipment) for item, shipment in rows}


def among(transaction: Transaction, organization: OrganizationId, shipments: Sequence[ShipmentId]) -> set[ShipmentId]:
    """Say which of these were made on demand."""
    if not shipments:
        return set()
    those = transaction.among("shipment", shipments)
    rows = transaction.run(
        f"SELECT shipment FROM creations WHERE organization = ? AND {those.sql}", (organization, *those.parameters)
    )
    return {ShipmentId(row[0]) for row in rows}
