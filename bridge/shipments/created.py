"""What a carrier says that it made: whatever follows, it has this id there."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.model import BatchId, ShipmentId


@dataclass(frozen=True, slots=True)
class Created:
    """A shipment that was made. What becomes of it comes by webhook, or by a read."""

    id: ShipmentId
    status: str | None
    tracking_number: str | None
    service: str | None = None
    """The service asked for, or what the carrier made of it: a point for a target gives another one."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Many made at once: taken in together, each made by itself later. `unread` is how many could not be read.

    Nothing says which of the shipments came of which draft but what a read of each tells.
    """

    id: BatchId
    status: str | None
    shipments: tuple[Created, ...]
    unread: int = 0
