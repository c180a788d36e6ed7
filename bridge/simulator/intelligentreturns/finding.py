"""The methods `returns/get` and `returns/items`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from bridge.simulator.documents import Document
from bridge.simulator.intelligentreturns.desk import Desk
from bridge.simulator.intelligentreturns.drafts import address_document
from bridge.simulator.intelligentreturns.failures import Failed
from bridge.simulator.intelligentreturns.items import destination_document, returned_item_document
from bridge.simulator.intelligentreturns.returns import SCANS, VIRTUAL, Return, newest_first
from bridge.simulator.intelligentreturns.terms import AccountTerms
from bridge.simulator.intelligentreturns.values import AnyDay, Codes, CountryCode, Loose, Text, part, read, unix

KEYS: Final[Mapping[str, Callable[[Return], str]]] = {
    "id": lambda one: str(one.id),
    "order_reference": lambda one: one.draft.order_reference,
    "external_id": lambda one: one.external_id,
}


class Filter(Loose):
    """What narrows a search."""

    order_reference: Text = ""
    date_from: AnyDay | None = None
    date_to: AnyDay | None = None
    quick_search: Text = ""
    status: int | None = None
    current_tracking_status: int | None = None
    virtual_tracking_status: int | None = None
    carrier: Text = ""
    service_id: int | None = None
    country: CountryCode | None = None
    id_last: int | None = None


class Finding:
    """Looking for returns."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def get(self, account: AccountTerms, tree: Mapping[str, object]) -> Document:
        """Find one; without a type all three are searched, and the earliest wins."""
        asked = part(tree, "return")
        value, kind = str(asked.get("id") or ""), str(asked.get("type") or "")
        if not value:
            raise Failed("id_empty")
        if kind and kind not in KEYS:
            raise Failed("incorrect_type")
        keys = [KEYS[kind]] if kind else list(KEYS.values())
        found = (one for one in self._desk.returns_of(account) if value in [key(one) for key in keys])
        record = next(found, None)
        if record is None:
            raise Failed("return_nx")
        return {**_row(record), "label": record.label_at(self._desk.world.now())}

    def items(self, account: AccountTerms, tree: Mapping[str, object]) -> Document:
        """Search; nothing found is an error, too."""
        asked = part(tree, "filter") if tree.get("filter") else {}
        wish = read(Filter, asked, Codes("request_wrong", "request_wrong"))
        found = newest_first([one for one in self._desk.returns_of(account) if _meets(one, wish)])
        page = [one for one in found if wish.id_last is None or one.id < wish.id_last]
        if not page:
            raise Failed("return_nx", "No results found")
        return {"total": str(len(found)), "return": [_row(one) for one in page[: self._desk.terms.most_items]]}


def _meets(record: Return, wish: Filter) -> bool:
    draft, words = record.draft, wish.quick_search.lower().split()
    names = (draft.order_reference, record.tracking, record.external_id, draft.email, draft.name)
    text = " ".join((*names, *(item.sku_desc for item in draft.item))).lower()
    return (
        wish.order_reference in ("", draft.order_reference)
        and (wish.date_from is None or record.booked_at >= wish.date_from)
        and (wish.date_to is None or record.booked_at < wish.date_to + timedelta(days=1))
        and all(word in text for word in words)
        and wish.status in (None, record.status)
        and _same(wish.current_tracking_status, record.last(SCANS))
        and _same(wish.virtual_tracking_status, record.last(VIRTUAL))
        and wish.carrier.lower() in ("", record.service.carrier.lower())
        and wish.service_id in (None, record.service.id)
        and wish.country in (None, draft.country)
    )


def _same(wish: int | None, code: str) -> bool:
    return wish is None or str(wish) == code


def _row(record: Return) -> Document:
    """Write a return without its label."""
    draft = record.draft
    return {
        "id": str(record.id),
        "order_reference": draft.order_reference,
        "date_added": unix(record.booked_at),
        **address_document(draft),
        "email": draft.email,
        "phone": draft.phone,
        "display_id": draft.display_id,
        "external_id": record.external_id,
        "tracking": record.tracking,
        "tracking_last_update": unix(record.scans[-1].at),
        "current_tracking_status": record.last(SCANS),
        **destination_document(draft),
        "verification_entity": int(draft.verification_entity),
        "barcode_number": record.barcode,
        "cancel_available_until": unix(record.cancel_until),
        "item": [returned_item_document(one) for one in draft.item],
        "carrier": record.service.carrier,
        "custom_fields": {},
    }
