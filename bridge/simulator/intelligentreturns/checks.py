"""What the provider checks before it books a return, each failure with its own code."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bridge.simulator.intelligentreturns.catalogue import ALL_FORMATS, LABEL_FORMATS, NEED_POINT, Point, Service
from bridge.simulator.intelligentreturns.drafts import CODED_STATES, CollectionDate, Parcel, ReturnDraft, missing_of
from bridge.simulator.intelligentreturns.failures import Failed
from bridge.simulator.intelligentreturns.items import Item, OrderItem, ReturnItem
from bridge.simulator.intelligentreturns.orders import Order

CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
UNION: Final = frozenset(
    {
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
        *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    }
)
"""One customs area."""
HUB: Final = "DE"
"""Where a return goes without another destination."""


def check_party(draft: ReturnDraft) -> None:
    """Look at the reference, the ways to reach the customer, and the address."""
    if not draft.order_reference:
        raise Failed("order_reference_error")
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", draft.email):
        raise Failed("enter_valid_email")
    if draft.phone and not re.fullmatch(r"\+?[0-9 ()-]{5,25}", draft.phone):
        raise Failed("enter_valid_phone")
    check_address(draft, named=True)


def check_address(parcel: Parcel, *, named: bool) -> None:
    """Look at the customer's address."""
    if missing := missing_of(parcel, named=named):
        raise Failed("return_invalid", f"Return details are invalid. Check fields: {','.join(missing)}")
    if parcel.country in CODED_STATES and not re.fullmatch(r"[A-Z]{2,3}", parcel.state):
        raise Failed("state_incorrect")
    if parcel.country == "PL" and not re.fullmatch(r"\d\d-\d{3}", parcel.zip):
        raise Failed("zip_incorrect")


def check_items(parcel: Parcel, order: Order | None) -> None:
    """Compare with what was sold, if that is known and shall be compared."""
    destination = parcel.final_dest_country or HUB
    if not parcel.item and _area(parcel.country or "") != _area(destination):
        raise Failed("item_empty")
    if order is None:
        return
    sold = {one.sku_code: one for one in order.items}
    _check_returnable(parcel.item, sold)
    if not parcel.add_items_data_to_order:
        _check_sold(parcel.item, order.items)


def check_label_format(draft: ReturnDraft, service: Service) -> None:
    """Look whether the carrier prints what is asked for."""
    if draft.label_format and draft.label_format not in ALL_FORMATS:
        raise Failed("incorrect_label_format")
    if draft.label_format and draft.label_format not in LABEL_FORMATS.get(service.carrier, ()):
        raise Failed("label_format_is_not_available")


def check_point(draft: ReturnDraft, service: Service, points: Sequence[Point]) -> None:
    """Look for the drop-off point, where one is needed."""
    known = any(one.id == draft.drop_off_point_id and one.service_id == service.id for one in points)
    if service.id in NEED_POINT and not known:
        raise Failed("drop_off_point_not_found")


def check_collection(draft: ReturnDraft, service: Service, now: datetime) -> None:
    """Look at when and where a courier shall come."""
    if (draft.collection_date or draft.collection_address) and service.type != "home_collection":
        raise Failed("home_collection_is_unavailable")
    if draft.collection_address:
        address = draft.model_copy(update=draft.collection_address.model_dump())
        check_address(address, named=False)
    if draft.collection_date:
        _check_time(draft.collection_date, now)


def _check_time(wish: CollectionDate, now: datetime) -> None:
    try:
        day = datetime.strptime(wish.date, "%Y/%m/%d").replace(tzinfo=now.tzinfo).date()
    except ValueError:
        raise Failed("collection_date_format") from None
    for name in ("time_from", "time_to"):
        if not CLOCK.fullmatch(getattr(wish, name)):
            raise Failed(f"collection_date_{name}_format")
    if wish.time_from >= wish.time_to:
        raise Failed("collection_time_error")
    if day < now.date():
        raise Failed("collection_date_error")


def _check_returnable(items: Sequence[ReturnItem], sold: dict[str, OrderItem]) -> None:
    stays = [one for one in items if one.sku_code in sold and sold[one.sku_code].stays]
    if stays:
        raise Failed("item_can_not_be_returned", sold[stays[0].sku_code].non_returnable_message or None)


def _check_sold(items: Sequence[ReturnItem], sold: Sequence[OrderItem]) -> None:
    if _quantities(items) - _quantities(sold):
        raise Failed("return_items_different_from_order")


def _quantities(items: Sequence[Item]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for item in items:
        counted[item.sku_code] += item.quantity
    return counted


def _area(country: str) -> str:
    return "EU" if country in UNION else country
