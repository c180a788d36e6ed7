"""The method `returns/request_for_prices`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from bridge.simulator.documents import Document
from bridge.simulator.intelligentreturns import checks
from bridge.simulator.intelligentreturns.catalogue import Service, country_at
from bridge.simulator.intelligentreturns.desk import Desk
from bridge.simulator.intelligentreturns.drafts import PriceDraft
from bridge.simulator.intelligentreturns.failures import Failed
from bridge.simulator.intelligentreturns.terms import AccountTerms
from bridge.simulator.intelligentreturns.values import Codes, part, read

WORDS: Final = Codes("return_invalid", "item_invalid")


class Prices:
    """What a return would cost, with each service that covers its address."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def request(self, account: AccountTerms, tree: Mapping[str, object]) -> Document:
        asked = part(tree, "return")
        if "currency_code" in asked:
            read(PriceDraft, {"currency_code": asked["currency_code"]}, Codes("currency_code_invalid", ""))
        draft = read(PriceDraft, asked, WORDS)
        country = self._country(draft)
        if not draft.item:
            raise Failed("items_empty")
        checks.check_items(draft, self._desk.orders_of(account).get(draft.order_reference))
        if not self._desk.services_of(account):
            raise Failed("no_shipping_services_available")
        services = self._desk.services_of(account, country)
        if not services:
            raise Failed("no_results_found")
        currency, today = draft.currency_code or "EUR", self._desk.world.now()
        return {"result": [_offer(service, currency, today) for service in services]}

    def _country(self, draft: PriceDraft) -> str:
        """Tell where the customer is: by the address, or else by the coordinates."""
        if draft.country or draft.addr1:
            checks.check_address(draft, named=False)
            return draft.country or ""
        if draft.lat is None or draft.lng is None:
            raise Failed("address_or_coordinates_required")
        country = country_at(draft.lat, draft.lng)
        if country is None:
            raise Failed("cannot_find_address_by_coordinates")
        return country


def _offer(service: Service, currency: str, today: datetime) -> Document:
    return {
        "carrier": service.carrier,
        "service": service.type,
        "service_id": service.id,
        "service_name": service.name,
        "type": service.type,
        "description": "",
        "max_weight": "25kg",
        "max_dim": "41 x 38 x 64 cm",
        "avg_delivery_info": "3 days",
        "first_mile_price": f"{service.price} {currency}",
        "parcel_processing_price": f"0 {currency}",
        "final_mile_price": f"0 {currency}",
        "customs_price": f"0 {currency}",
        "government_duty_price": f"0 {currency}",
        "collection_dates": _dates(today) if service.type == "home_collection" else False,
    }


def _dates(today: datetime) -> list[Document]:
    """Offer the next two working days; on the second at any time."""
    days = (today + timedelta(days=number) for number in range(1, 7))
    first, second, *_ = [f"{day:%Y/%m/%d}" for day in days if day.weekday() < 5]
    return [
        {"date": first, "time_from": "09:00", "time_to": "17:00", "minimum_interval": 3},
        {"date": second, "time_from": False, "time_to": False, "minimum_interval": False},
    ]
