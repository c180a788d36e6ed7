"""What it would cost to have shipments collected."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.events.catalogue import Money
from bridge.model import ShipmentId


@dataclass(frozen=True, slots=True)
class PricePart:
    """What some of the shipments cost together; None where the carrier names no price."""

    shipments: tuple[ShipmentId, ...]
    price: Money | None


@dataclass(frozen=True, slots=True)
class Price:
    """The sum, None where the carrier names none; how many it holds for, and how many cannot be collected at all."""

    total: Money | None
    priced: int
    refused: int
    parts: tuple[PricePart, ...] = ()
