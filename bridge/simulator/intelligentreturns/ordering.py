"""The methods of the group `orders`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bridge.simulator.documents import Document
from bridge.simulator.intelligentreturns.desk import Desk
from bridge.simulator.intelligentreturns.failures import Failed
from bridge.simulator.intelligentreturns.items import OrderItem
from bridge.simulator.intelligentreturns.orders import ItemsDraft, Order, OrderDraft, folded, order_document
from bridge.simulator.intelligentreturns.terms import AccountTerms
from bridge.simulator.intelligentreturns.values import Codes, part, read

WORDS: Final = Codes("order_incorrect", "item_invalid")
OF_ITEMS: Final = Codes("request_wrong", "request_items_wrong")


class Ordering:
    """What happens to orders."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def create(self, account: AccountTerms, tree: Mapping[str, object]) -> Document:
        draft = read(OrderDraft, part(tree, "order"), WORDS)
        items = folded(draft.item)
        order = self._desk.orders_of(account).get(draft.order_reference)
        if order is None:
            order = self._desk.new_order(account, draft.order_reference)
        elif not draft.overwrite_data:
            raise Failed("order_exists")
        else:
            self._check_returned(account, order, items)
        order.draft, order.items = draft, items
        self._desk.did("order_saved", account, str(order.id), order.reference)
        return _done("Order successfully created", order)

    def get(self, account: AccountTerms, tree: Mapping[str, object]) -> Document:
        return order_document(self._found(account, tree))

    def delete(self, account: AccountTerms, tree: Mapping[str, object]) -> Document:
        order = self._found(account, tree)
        if any(self._desk.returns_of_order(account, order.reference)):
            raise Failed("cannot_delete_order")
        del self._desk.orders_of(account)[order.reference]
        self._desk.did("order_deleted", account, str(order.id), order.reference)
        return {"message": "Order successfully deleted"}

    def add_items(self, account: AccountTerms, tree: Mapping[str, object]) -> Document:
        asked = part(tree, "order")
        if not asked.get("item"):
            raise Failed("request_items_wrong" if asked.get("order_reference") else "request_wrong")
        draft = read(ItemsDraft, asked, OF_ITEMS)
        order = self._desk.orders_of(account).get(draft.order_reference)
        if order is None:
            raise Failed("order_nx")
        new = folded(draft.item)
        if {one.key for one in order.items} & {one.key for one in new}:
            raise Failed("cannot_add_order_items")
        order.items.extend(new)
        self._desk.did("order_items_added", account, str(order.id), order.reference)
        return _done("Orders items successfully added", order)

    def _found(self, account: AccountTerms, tree: Mapping[str, object]) -> Order:
        asked = part(tree, "order")
        kind, value = asked.get("type"), str(asked.get("val", ""))
        if kind not in ("id", "reference") or not value:
            raise Failed("request_wrong")
        orders = self._desk.orders_of(account)
        found = orders.get(value) if kind == "reference" else None
        found = found or next((one for one in orders.values() if kind == "id" and str(one.id) == value), None)
        if found is None:
            raise Failed("order_nx")
        return found

    def _check_returned(self, account: AccountTerms, order: Order, items: list[OrderItem]) -> None:
        """Refuse to take away what has come back already."""
        kept = {one.sku_code for one in items}
        for record in self._desk.returns_of_order(account, order.reference):
            if any(one.sku_code not in kept for one in record.draft.item):
                raise Failed("cannot_update_order")


def _done(message: str, order: Order) -> Document:
    return {"message": message, "order_reference": order.reference, "order_id": order.id}
