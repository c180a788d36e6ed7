"""Intelligentreturns' words: what an answer's error means, and the lists that its rules name.

https://returns.returnsplatform.com/api (all tables; read 2026-10)
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Final

from bridge.events.statuses import Status, lookup
from bridge.returns.refusals import LOGIN_REFUSED


def _each(words: str) -> frozenset[str]:
    return frozenset(words.split())


SOURCE: Final = "intelligentreturns"

OUTSIDE: Final = frozenset({"external_api_error", "quick_search_temporary_unavailable", "temporary_unavailable"})
"""No usable answer, although the provider itself works. The first is its carrier's, after a booking was begun
(assumed): nobody knows what was done. The others are about searches, which may be asked again."""
ALREADY_SAID: Final = "status_already_present"
"""This status or a later one is there: what was to be said is known."""

GENERAL: Final = frozenset(
    {"internal", "request_wrong", "request_empty", "json_invalid", "xml_invalid", "unknown_call"} | LOGIN_REFUSED
)
_ADDRESS: Final = frozenset({"cannot_find_address_by_coordinates", "country_incorrect"})
_QUOTED: Final = frozenset(
    {
        "account_setup_required",
        "currency_code_invalid",
        "item_invalid",
        "no_shipping_services_available",
        "return_invalid",
        "return_items_different_from_order",
    }
)
_RANGE: Final = frozenset(
    {"count_per_page_max", "count_per_page_wrong", "date_filter_is_missing", "empty", "page_wrong"}
)
ERRORS: Final = {
    "orders/create": frozenset(
        {
            "cannot_create_order",
            "cannot_update_order",
            "item_invalid",
            "order_exists",
            "order_incorrect",
            "unable_fold_items",
        }
    ),
    "orders/get": frozenset({"order_nx"}),
    "orders/delete": frozenset({"cannot_delete_order", "order_nx"}),
    "orders/add_items": frozenset({"cannot_add_order_items", "order_nx", "request_items_wrong"}),
    "returns/create": _QUOTED
    | {
        "address_incorrect",
        "carrier_nx",
        "collection_date_error",
        "collection_date_format",
        "collection_date_time_from_format",
        "collection_date_time_to_format",
        "collection_time_error",
        "drop_off_point_not_found",
        "enter_valid_email",
        "enter_valid_phone",
        "external_api_error",
        "home_collection_is_unavailable",
        "incorrect_label_format",
        "item_can_not_be_returned",
        "item_empty",
        "label_format_is_not_available",
        "order_reference_error",
        "service_id_empty",
        "service_nx",
        "shipping_method_unavailable",
        "state_incorrect",
        "zip_incorrect",
    },
    "returns/get": frozenset({"id_empty", "incorrect_type", "return_nx"}),
    "returns/items": frozenset({"quick_search_temporary_unavailable", "return_nx", "temporary_unavailable"}),
    "returns/request_for_prices": _QUOTED
    | {
        "address_or_coordinates_required",
        "cannot_find_address_by_coordinates",
        "items_empty",
        "no_results_found",
    },
    "returns/cancel": frozenset(
        {"can_not_cancel_return", "cancellation_time_expired", "external_id_or_tracking_required", "return_nx"}
    ),
    "returns/billing": frozenset({"parameter_required", "return_nx"}),
    "tracking/get": frozenset({"code_empty", "empty"}),
    "tracking/get_by_date_range": _RANGE,
    "tracking/get_by_date_added_range": _RANGE,
    "tracking/add_status": frozenset(
        {
            "date_required",
            "has_later_date",
            "incorrect_date",
            "incorrect_date_added",
            "incorrect_status",
            "return_not_found",
            "status_already_present",
            "status_incorrect",
            "status_not_allowed",
            "status_required",
            "tracking_required",
        }
    ),
    "check/available": frozenset[str](),
    "services/get_available": _ADDRESS | {"service_not_found", "service_nx"},
    "services/get_drop_off_points": _ADDRESS
    | {"carrier_empty", "lat_empty", "lng_empty", "location_empty", "no_drop_off_points_found", "service_not_found"},
    "services/get_drop_off_by_id": frozenset({"point_not_found", "service_not_found"}),
}
"""What each method says no with, besides GENERAL. Three are in samples alone: `carrier_empty`, `service_nx` for no
services, `status_incorrect`."""
EVERY_ERROR: Final = GENERAL.union(*ERRORS.values())

FIELDS: Final = {
    "address_incorrect": "addr1",
    "carrier_nx": "service_id",
    "code_empty": "code",
    "collection_date_error": "collection_date.date",
    "collection_date_format": "collection_date.date",
    "collection_date_time_from_format": "collection_date.time_from",
    "collection_date_time_to_format": "collection_date.time_to",
    "collection_time_error": "collection_date.time_from",
    "country_incorrect": "country",
    "currency_code_invalid": "currency_code",
    "drop_off_point_not_found": "drop_off_point_id",
    "enter_valid_email": "email",
    "enter_valid_phone": "phone",
    "home_collection_is_unavailable": "collection_date",
    "incorrect_date": "date",
    "incorrect_date_added": "date_added",
    "incorrect_label_format": "label_format",
    "incorrect_status": "status",
    "item_can_not_be_returned": "item",
    "item_empty": "item",
    "item_invalid": "item",
    "items_empty": "item",
    "label_format_is_not_available": "label_format",
    "order_exists": "order_reference",
    "order_reference_error": "order_reference",
    "request_items_wrong": "item",
    "return_items_different_from_order": "item",
    "service_id_empty": "service_id",
    "service_nx": "service_id",
    "state_incorrect": "state",
    "unable_fold_items": "item",
    "zip_incorrect": "zip",
}
"""Which field an error is about, in their names: what their message says more is text, and is not kept."""

WITHOUT_STATE: Final = _each(
    "GB UK IL DE FR NL IE SE IT DK AT LU CZ BE BG HR CY FI GR HU MT PL PT RO SK SI EE LV LT NZ SG JE GG CH AD GI IS IM "
    "JP LI MY MC ES HK"
)
"""Countries whose addresses need no state; in those of STATE_CODES it is an ISO code."""
STATE_CODES: Final = frozenset({"AU", "CA", "US"})
WITHOUT_ZIP: Final = frozenset({"HK", "IE", "IL", "AE"})
BY_SUBURB: Final = "AU"
"""There the suburb is what the city is elsewhere."""
WITH_NEIGHBORHOOD: Final = "MX"
POINT_NEEDS_STATE: Final = "HK"
"""Where a search for drop-off points needs a state, although an address there has none."""

NEED_DROP_OFF_POINT: Final = frozenset(
    {58, 202, 10008, 230, 257, 280, 20085, 98, 10094, 10089, 20063, 10002, 20013, 20014, 168, 44, 272, 271, 161}
)
TAKE_INSTRUCTION: Final = frozenset({10001, 20020, 20062, 20064})

_PAPER: Final = ("pdf_6x4", "pdf_a4", "png")
LABEL_FORMATS: Final = {
    "Royal Mail": _PAPER,
    "MyPack": _PAPER,
    "Direct Link": _PAPER,
    "nzpost": _PAPER,
    "AnPost": _PAPER,
    "Royale": _PAPER,
    "Yodel": ("barcode128",),
    "Fast Way": ("pdf_6x4",),
    "SDA Express": ("pdf_6x4",),
}
"""By carrier, its default first. Three more entries have lost their carriers' names on the page (2026-10), and every
other carrier has a default of its own: for those a wish is an error, so none is sent."""

RETURN_STATUSES: Final = {
    0: "Unprocessed",
    1: "Delivered to Retailer",
    2: "Declined",
    3: "Has warnings",
    4: "Delivery payment refunded",
    5: "Refunded by Retailer",
    22: "On Quarantine",
    23: "Removed from Quarantine",
    32: "Return RMA verified",
    33: "Return RMA verification failed",
    300: "Return cancel requested",
    301: "Return canceled by api method",
    302: "Return canceled by email",
    303: "Return canceled manually in interface",
    900: "Processed on hub",
}
"""What a search may filter by, and no answer shows. 300 is also a word of virtual tracking, and another one there."""

CAN_BE_ADDED: Final = 70
"""The one tracking status that we may say: refunded by the retailer. (The page's own sample says 30, which is not.)"""
MOST_FOUND: Final = 1000
"""The most returns that one page of a search has."""
MOST_EVENTS: Final = 20_000
"""The most events that one page of tracking has; a page is counted in events, and not in parcels."""
NAMED_SERVICES: Final = {
    "acp": frozenset({"ground", "priority"}),
    "asm": frozenset({"home_collection"}),
    "hermes": frozenset({"drop_off", "home_collection"}),
}
"""Deprecated: the services that have to be named with these carriers, where no `service_id` is given."""
CUSTOMS_UNIONS: Final = (
    _each("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MC MT NL PL PT RO SE SI SK"),
    frozenset({"GB", "IM", "JE", "GG"}),
    frozenset({"CH", "LI"}),
)
"""Within each of them nothing is declared; every other border is one for customs."""


VIRTUAL: Final = _each("70 100 120 200 201 202 300 320")
"""The codes of virtual tracking: of what happens beside a parcel's way."""


@lru_cache(maxsize=1024)
def meaning(status: str) -> Status:
    """Say what a scan's code means."""
    return replace(lookup(SOURCE, status), is_virtual=status in VIRTUAL)


def longest_display_id(carrier: str) -> int:
    """Say how much of a `display_id` a carrier prints."""
    return 20 if carrier.lower().startswith("hermes") else 32
