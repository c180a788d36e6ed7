"""Figures of a provider's: whatever it writes, what is answered can be read, and nothing unknown becomes nothing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.events.catalogue import Money
from bridge.returns.service import Quote
from bridge.shipping.returns.figures import degrees, money, plain

HUGE, TINY = Decimal("1E+999999"), Decimal("1E-999999")
MONEY: list[tuple[Decimal | None, str | None, Money | None]] = [
    (Decimal("-12.50"), "PLN", Money(amount=Decimal("-12.50"), currency="PLN")),
    (Decimal("0"), "EUR", Money(amount=Decimal(0), currency="EUR")),
    (None, "EUR", None),
    (Decimal(1), None, None),
    (Decimal(1), "", None),
    (Decimal(1), "eur", None),
    (Decimal(1), "EURO", None),
    (HUGE, "EUR", None),
    (TINY, "EUR", None),
    (Decimal("NaN"), "EUR", None),
]


@pytest.mark.parametrize(("amount", "currency", "found"), MONEY)
def test_an_amount_is_written_or_unknown(amount: Decimal | None, currency: str | None, found: Money | None) -> None:
    assert money(amount, currency) == found


@pytest.mark.parametrize(
    ("figure", "text"), [(Decimal("1E+2"), "100"), (Decimal("0.30"), "0.30"), (HUGE, None), (TINY, None), (None, None)]
)
def test_a_decimal_is_written_without_an_exponent(figure: Decimal | None, text: str | None) -> None:
    assert plain(figure) == text


@pytest.mark.parametrize(
    ("figure", "found"), [(Decimal("-33.86"), -33.86), (Decimal(90), 90.0), (Decimal("90.1"), None), (HUGE, None)]
)
def test_an_angle_is_one_or_unknown(figure: Decimal, found: float | None) -> None:
    assert degrees(figure, 90) == found


ONE = Money(amount=Decimal("1.10"), currency="EUR")
QUOTE = Quote(243, "A", first_mile=ONE, processing=ONE, final_mile=ONE, customs=ONE, government_duty=ONE)


def test_a_total_is_known_where_all_its_parts_are_in_one_currency() -> None:
    assert QUOTE.total == Money(amount=Decimal("5.50"), currency="EUR")
    assert replace(QUOTE, customs=None).total is None
    assert replace(QUOTE, customs=Money(amount=Decimal(1), currency="PLN")).total is None
