"""What the carrier took money for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class Charge:
    """One paid offer; the amount is None for a postpaid account, whose prices the API never shows."""

    shipment_id: int
    offer_id: int
    amount: Decimal | None
    at: datetime


class Ledger:
    """Every charge in order, so that a test can show that none was made twice."""

    def __init__(self) -> None:
        self._charges: list[Charge] = []

    def charge(self, charge: Charge) -> None:
        """Write one charge down."""
        self._charges.append(charge)

    @property
    def charges(self) -> tuple[Charge, ...]:
        """List all charges, oldest first."""
        return tuple(self._charges)
