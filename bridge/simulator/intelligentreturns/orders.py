"""Orders: what was sold, so that it can come back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bridge.simulator.documents import Document
from bridge.simulator.intelligentreturns.failures import Failed
from bridge.simulator.intelligentreturns.items import OrderItem, item_document
from bridge.simulator.intelligentreturns.values import CountryCode, Currency, CustomFields, Day, Flag, Loose, Text, unix


class OrderDraft(Loose):
    """The body of an order."""

    order_reference: Text
    order_date: Day
    currency_code: Currency
    overwrite_data: Flag = False
    rma: Text = ""
    phone: Text = ""
    email: Text = ""
    export_date: int | None = None
    export_awb: Text = ""
    export_carrier_name: Text = ""
    free_return: Flag = False
    custom_fields: CustomFields = Field(default_factory=dict)
    contact_name: Text = ""
    company_name: Text = ""
    country: CountryCode | None = None
    state: Text = ""
    zip: Text = ""
    city: Text = ""
    suburb: Text = ""
    addr1: Text = ""
    addr2: Text = ""
    addr3: Text = ""
    neighborhood: Text = ""
    item: tuple[OrderItem, ...] = ()


class ItemsDraft(Loose):
    """Further items of an order."""

    order_reference: Text
    item: Annotated[tuple[OrderItem, ...], Field(min_length=1)]


@dataclass
class Order:
    """One order; it has a draft unless it is only known by what came back."""

    id: int
    reference: str
    items: list[OrderItem]
    draft: OrderDraft | None = None


def folded(items: Iterable[OrderItem]) -> list[OrderItem]:
    """Make one of items that are the same; Failed where they differ in more than how many they are."""
    found: dict[tuple[str, ...], OrderItem] = {}
    for item in items:
        other = found.get(item.key)
        if other is None:
            found[item.key] = item
            continue
        both = item.model_copy(update={"quantity": other.quantity})
        if both != other:
            raise Failed("unable_fold_items")
        found[item.key] = other.model_copy(update={"quantity": other.quantity + item.quantity})
    return list(found.values())


def order_document(order: Order) -> Document:
    """Write an order: texts, and `0` for a number that is not set."""
    draft = order.draft
    texts = ("contact_name", "company_name", "addr1", "addr2", "addr3", "city", "zip", "state", "country", "phone")
    more = ("email", "currency_code", "rma", "export_awb", "export_carrier_name")
    return {
        "id": str(order.id),
        "order_reference": order.reference,
        "order_date": unix(draft.order_date) if draft else "0",
        **{name: (getattr(draft, name) or "") if draft else "" for name in (*texts, *more)},
        "item": [
            {**item_document(one, "0"), "cost_price": "0" if one.cost_price is None else str(one.cost_price)}
            for one in order.items
        ],
    }
