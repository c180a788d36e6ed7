"""Whose a shipment is: as somebody says, or as is known here."""

from __future__ import annotations

from collections.abc import Collection

from bridge.model import OrganizationId, ShipmentId, Subject
from bridge.shipping import refusals
from bridge.store.database import Transaction
from bridge.store.story import sources
from bridge.web.problems import FieldError


def owner_of(
    transaction: Transaction, shipment: ShipmentId, asked: int | None, among: Collection[OrganizationId]
) -> OrganizationId | FieldError:
    """Say whose it is: that was named, or of several organizations the only one that anything is known of it to."""
    if asked is not None or len(among) < 2:
        return refusals.organization(asked, among)
    known = frozenset(sources(transaction, f"shipment/{shipment}"))
    found = [one for one in sorted(among) if Subject.shipment(one, shipment).source in known]
    if len(found) == 1:
        return found[0]
    why = "several organizations have this shipment" if found else "nothing is known here of this shipment"
    return FieldError("organization_id", "missing", f"is needed: {why}")
