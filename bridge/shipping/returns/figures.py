"""Figures of a provider's as programs read them: what cannot be one is null, which is unknown, and never nothing."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from bridge.events.catalogue import Money

_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_MOST_DIGITS: Final = 18


def money(amount: Decimal | None, currency: str | None) -> Money | None:
    """Write an amount of money."""
    if amount is None or currency is None or not (_is_sane(amount) and _CURRENCY.fullmatch(currency)):
        return None
    return Money(amount=amount, currency=currency)


def plain(figure: Decimal | None) -> str | None:
    """Write a decimal without an exponent."""
    return format(figure, "f") if figure is not None and _is_sane(figure) else None


def degrees(figure: Decimal | None, most: int) -> float | None:
    """Write an angle."""
    return float(figure) if figure is not None and -most <= figure <= most else None


def _is_sane(figure: Decimal) -> bool:
    """Say whether it can be written out: an exponent may stand for a billion digits."""
    exponent = figure.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -_MOST_DIGITS and figure.adjusted() <= _MOST_DIGITS
