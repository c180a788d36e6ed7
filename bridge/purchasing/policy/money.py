"""Money in a policy: exact decimals with their currency. What is unknown is None, and never 0."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator

from bridge.events.catalogue import Money

_MOST: Final = Decimal(10**9)
_FINEST: Final = Decimal("0.0001")


def is_comparable(price: Money | None, currency: str) -> bool:
    """Say whether a price can be compared with the policy's."""
    return price is not None and price.currency == currency


def is_within(price: Money, limit: Money) -> bool:
    """Say whether a price is known to be no higher than a limit: one in another currency is not."""
    return price.currency == limit.currency and price.amount <= limit.amount


def _written(value: Any) -> Any:
    """Take text or an exact number, written `{ amount = "12.50", currency = "PLN" }`."""
    if isinstance(value, dict):
        return value
    raise ValueError('money is written { amount = "12.50", currency = "PLN" }')


def _bounded(value: Money) -> Money:
    if not 0 <= value.amount < _MOST:
        raise ValueError("an amount is at least 0 and below 1,000,000,000")
    if value.amount != value.amount.quantize(_FINEST):
        raise ValueError("an amount has at most four decimal places")
    return value


Limit = Annotated[Money, BeforeValidator(_written), AfterValidator(_bounded)]
"""An amount of a policy, as written."""
