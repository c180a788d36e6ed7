"""Orders as the carrier answers them, and the moments of a story."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from bridge.dispatch.order import Collected, DispatchOrder
from bridge.model import DispatchOrderId, OrganizationId, ShipmentId

OURS: Final = OrganizationId(4821)
ORDER: Final = DispatchOrderId(500123)
SHIPMENTS: Final = (ShipmentId(3900000017), ShipmentId(3900000018))
T0: Final = datetime(2026, 11, 26, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def found(status: str | None, updated_at: datetime | None = None) -> DispatchOrder:
    """Give the order as a read finds it."""
    shipments = tuple(Collected(one, None) for one in SHIPMENTS)
    return DispatchOrder(ORDER, status, shipments, created_at=T0, updated_at=updated_at)
