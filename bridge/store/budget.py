"""What may be spent: reserved in the transaction of the intent, given back where nothing was bought.

A day is Poland's. Amounts are kept in ten-thousandths of the currency, so that sums are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal
from zoneinfo import ZoneInfo

from bridge.events.catalogue import Money
from bridge.model import OrganizationId, ShipmentId
from bridge.store.database import Transaction

POLAND: Final = ZoneInfo("Europe/Warsaw")
_FINEST: Final = 10_000
_FORGOTTEN_AFTER: Final = timedelta(hours=3)
"""Longer than clocks differ, and than an hour that comes twice in autumn."""
ANY: Final = "*"
"""The row of a minute, which counts purchases of every currency."""


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that is bought for one organization. `spend` is in PLN; unset: no such cap."""

    per_day: int
    spend: Decimal | None = None
    per_minute: int | None = None


Refusal = Literal["budget_exhausted", "price_unknown", "too_many_a_minute"]
"""Why nothing was reserved: over a day's cap; a cap on spending, and nothing says what it costs; not in this minute."""


def reserve(
    transaction: Transaction,
    organization: OrganizationId,
    shipment: ShipmentId,
    price: Money | None,
    caps: Caps,
    now: datetime,
) -> Refusal | None:
    """Reserve one purchase, instead of what was reserved for the shipment before; say why where that cannot be."""
    release(transaction, organization, shipment)
    day = day_of(now)
    _add(transaction, day, organization, CURRENCY, 0, 0)  # locks it: two replicas must not both take the last one
    currency = price.currency if price else CURRENCY
    amount = tenthousandths(price.amount) if price else 0
    if caps.spend is not None and (price is None or price.currency != CURRENCY):
        return "price_unknown"
    bought = _sum(transaction, organization, day)
    spent = sum(amount for code, _, amount in bought if code == CURRENCY)
    if sum(n for _, n, _ in bought) >= caps.per_day:
        return "budget_exhausted"
    if caps.spend is not None and spent + amount > tenthousandths(caps.spend):
        return "budget_exhausted"
    if caps.per_minute is not None and not (
        _is_intended(transaction, organization, shipment) or _counts(transaction, organization, caps.per_minute, now)
    ):
        return "too_many_a_minute"
    _add(transaction, day, organization, currency, 1, amount)
    transaction.run(
        "UPDATE purchases SET reserved_day = ?, reserved_currency = ?, reserved_amount = ?"
        " WHERE organization = ? AND shipment = ?",
        (day, currency, amount, organization, shipment),
    )
    return None


def release(transaction: Transaction, organization: OrganizationId, shipment: ShipmentId) -> None:
    """Give back what is reserved for a shipment, if anything is: nothing was bought for it."""
    rows = transaction.run(
        "SELECT reserved_day, reserved_currency, reserved_amount FROM purchases"
        " WHERE organization = ? AND shipment = ? AND reserved_day IS NOT NULL",
        (organization, shipment),
    )
    for day, currency, amount in rows:
        _add(transaction, day, organization, currency, -1, -amount)
        transaction.run(
            "UPDATE purchases SET reserved_day = NULL, reserved_currency = NULL, reserved_amount = NULL"
            " WHERE organization = ? AND shipment = ?",
            (organization, shipment),
        )


def spent(transaction: Transaction, organization: OrganizationId, now: datetime) -> tuple[int, dict[str, Decimal]]:
    """Say how many purchases stand for today, and what they cost by currency."""
    rows = _sum(transaction, organization, day_of(now))
    return sum(n for _, n, _ in rows), {code: Decimal(amount) / _FINEST for code, _, amount in rows}


CURRENCY: Final = "PLN"


def day_of(now: datetime) -> str:
    """Name the day in Poland."""
    return f"{now.astimezone(POLAND):%Y-%m-%d}"


def minute_of(now: datetime) -> str:
    """Name the minute."""
    return f"{now.astimezone(POLAND):%Y-%m-%dT%H:%M%z}"


def next_minute(now: datetime) -> datetime:
    """Say when the next minute begins."""
    return now.replace(second=0, microsecond=0) + timedelta(minutes=1)


def tenthousandths(amount: Decimal) -> int:
    """Write an amount as a whole number; a fraction beyond that counts as a whole one."""
    return -int(-(amount * _FINEST) // 1)


def _is_intended(transaction: Transaction, organization: OrganizationId, shipment: ShipmentId) -> bool:
    """Say whether it is asked for once more, as others were in the way: then its minute has counted it."""
    sql = "SELECT 1 FROM purchases WHERE organization = ? AND shipment = ? AND state = 'intended'"
    return bool(transaction.run(sql, (organization, shipment)))


def _counts(transaction: Transaction, organization: OrganizationId, most: int, now: datetime) -> bool:
    """Count one more in this minute, if it may be; the first of a minute forgets those that are long over."""
    minute = minute_of(now)
    n = sum(n for _, n, _ in _sum(transaction, organization, minute))
    if n >= most:
        return False
    if n == 0:
        transaction.run(
            "DELETE FROM budgets WHERE organization = ? AND currency = ? AND day < ?",
            (organization, ANY, minute_of(now - _FORGOTTEN_AFTER)),
        )
    _add(transaction, minute, organization, ANY, 1, 0)
    return True


def amount_of(stored: int | None) -> Decimal | None:
    """Read an amount that `tenthousandths` wrote; None stays unknown."""
    return None if stored is None else Decimal(stored) / _FINEST


def _sum(transaction: Transaction, organization: OrganizationId, period: str) -> list[tuple[str, int, int]]:
    rows = transaction.run(
        "SELECT currency, n, amount FROM budgets WHERE day = ? AND organization = ?", (period, organization)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def _add(
    transaction: Transaction, period: str, organization: OrganizationId, currency: str, n: int, amount: int
) -> None:
    transaction.insert(
        "budgets (day, organization, currency, n, amount)",
        [(period, organization, currency, n, amount)],
        tail="ON CONFLICT (day, organization, currency) DO UPDATE"
        " SET n = budgets.n + excluded.n, amount = budgets.amount + excluded.amount",
    )
