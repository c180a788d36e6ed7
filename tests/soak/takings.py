"""What the carrier knows in the end: its own ledger, which is what bridges are judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Takings:
    """Every shipment that was created, and the shipment of every charge; and what was asked and told on the way."""

    shipments: Sequence[int]
    charges: Sequence[int]
    paid: Decimal
    """The sum of all charges, in PLN."""
    single_purchases: int = 0
    bulk_purchases: int = 0
    """Calls, not shipments."""
    faults: int = 0
    """How often a call, an effect, an offer or a webhook met one."""
    webhooks: int = 0
    webhooks_lost: int = 0
    """Sent, and acknowledged by nobody."""
