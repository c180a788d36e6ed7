"""What a return costs whom: paid by the customer, owed to the provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Entry:
    """One amount, which may be negative."""

    amount: Decimal
    currency: str
    comment: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """Entries, and their sum: the same one in every currency, so never add them up."""

    entries: tuple[Entry, ...] = ()
    total: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bill:
    """One return's. `invoice` is about what will be invoiced: one sum in every currency."""

    reference: str | None
    tracking_number: str | None
    external_id: str | None
    status: str | None
    created_at: datetime | None
    customer: Account
    contract: Account
    invoice: Mapping[str, Decimal]
