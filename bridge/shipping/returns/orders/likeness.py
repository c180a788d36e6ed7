"""Whether an order at the provider is what was told of it: after a lost answer, nothing else says so. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from bridge.returns.draft import Item
from bridge.returns.found import FoundItem, FoundOrder
from bridge.returns.order import OrderDraft, OrderItems


@dataclass(slots=True)
class _Line:
    """How many of an article there are, and what one costs; the provider makes one of two lines that are the same."""

    quantity: int
    price: Decimal | None


def is_told(draft: OrderDraft, found: FoundOrder) -> bool:
    """Say whether it is the order that was told of: its time, its currency and its articles."""
    at = draft.ordered_at.replace(microsecond=0)
    return (found.ordered_at, found.currency) == (at, draft.currency) and _lines(found.items) == _asked(draft.items)


def are_added(draft: OrderItems, found: FoundOrder) -> bool | None:
    """Say whether it has the articles that it was to get: None where it has none of them.

    False where it has some, or others of the same names: then they were there before, and none were added.
    """
    asked, there = _asked(draft.items), _lines(found.items)
    known = {name: there[name] for name in asked if name in there}
    return known == asked if known else None


def _asked(items: Iterable[Item]) -> Mapping[tuple[str, str], _Line]:
    return _summed((one.sku, one.name, one.quantity, None if one.price is None else one.price.amount) for one in items)


def _lines(items: Iterable[FoundItem]) -> Mapping[tuple[str, str], _Line]:
    return _summed((one.sku, one.name, one.quantity, one.price) for one in items)


def _summed(items: Iterable[tuple[str, str, int, Decimal | None]]) -> Mapping[tuple[str, str], _Line]:
    found: dict[tuple[str, str], _Line] = {}
    for sku, name, quantity, price in items:
        found.setdefault((sku, name), _Line(0, price)).quantity += quantity
    return found
