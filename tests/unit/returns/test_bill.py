"""Of the bills that are answered, a return's own is chosen, and never another's."""

from __future__ import annotations

import pytest

from bridge.returns.bill import Account, Bill, bill_of


def bill(external_id: str | None, tracking_number: str | None) -> Bill:
    return Bill("ORDER 1", tracking_number, external_id, None, None, Account(), Account(), {})


@pytest.mark.parametrize(
    ("bills", "chosen"),
    [
        pytest.param([bill("b", "2"), bill("a", "1")], 1, id="by our id"),
        pytest.param([bill(None, "1"), bill("a", "3")], 1, id="by our id before its number"),
        pytest.param([bill(None, "2"), bill(None, "1")], 1, id="by its number where no id is repeated"),
        pytest.param([bill("b", "1")], None, id="another return's with its number"),
        pytest.param([bill(None, "2")], None, id="nobody's with another number"),
        pytest.param([], None, id="none"),
    ],
)
def test_a_returns_own_bill_is_chosen(bills: list[Bill], chosen: int | None) -> None:
    assert bill_of(bills, "a", "1") == (None if chosen is None else bills[chosen])


def test_a_return_without_a_number_is_found_by_our_id_alone() -> None:
    assert bill_of([bill(None, "2")], "a", None) is None
    assert bill_of([bill("a", None)], "a", None) == bill("a", None)
