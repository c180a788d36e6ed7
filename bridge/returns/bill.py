"""What a return costs whom: paid by the customer, owed to the provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def bill_of(bills: Sequence[Bill], external_id: str, tracking_number: str | None) -> Bill | None:
    """Choose that of one return among what was answered; one without an `external_id` has to be of its number."""
    named = [one for one in bills if one.external_id == external_id]
    of_number = [one for one in bills if one.external_id is None and one.tracking_number == tracking_number]
    return next(iter(named or of_number), None)
