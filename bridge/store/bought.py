"""What is known here of a shipment that matters before its label is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.events.shipment import ShipmentState
from bridge.model import OrganizationId, ShipmentId, Subject
from bridge.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Known:
    """Whose it is, whether it is bought as far as anybody told, and by which service where we bought it."""

    organization: OrganizationId
    shipment: ShipmentId
    is_bought: bool = False
    service: str | None = None


def known(transaction: Transaction, organization: OrganizationId, shipment: ShipmentId) -> Known:
    """Read it."""
    bought = transaction.run(
        "SELECT service_id FROM purchases WHERE organization = ? AND shipment = ? AND state = 'succeeded'",
        (organization, shipment),
    )
    if bought:
        return Known(organization, shipment, is_bought=True, service=bought[0][0])
    told = transaction.run(
        "SELECT state FROM subjects WHERE source = ? AND name = ?", Subject.shipment(organization, shipment)
    )
    is_confirmed = bool(told) and told[0][0] is not None and ShipmentState.load(told[0][0]).confirmed
    return Known(organization, shipment, is_bought=is_confirmed)
