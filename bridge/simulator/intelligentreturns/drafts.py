"""What is asked for with a return, or with its prices."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from bridge.simulator.documents import Document
from bridge.simulator.intelligentreturns.items import Destination, ReturnItem
from bridge.simulator.intelligentreturns.values import CountryCode, Currency, Flag, Loose, Moment, Text

NO_STATE: Final = frozenset(
    {
        *("GB", "UK", "IL", "DE", "FR", "NL", "IE", "SE", "IT", "DK", "AT", "LU", "CZ", "BE", "BG"),
        *("HR", "CY", "FI", "GR", "HU", "MT", "PL", "PT", "RO", "SK", "SI", "EE", "LV", "LT", "NZ"),
        *("SG", "JE", "GG", "CH", "AD", "GI", "IS", "IM", "JP", "LI", "MY", "MC", "ES", "HK"),
    }
)
"""Where an address needs no state."""
NO_ZIP: Final = frozenset({"HK", "IE", "IL", "AE"})
CODED_STATES: Final = frozenset({"AU", "US", "CA"})
"""Where a state is an ISO code."""
ADDRESS: Final = (
    "name",
    "company_name",
    "country",
    "state",
    "zip",
    "city",
    "suburb",
    "addr1",
    "addr2",
    "addr3",
    "neighborhood",
)


class CollectionDate(Loose):
    date: Text = ""
    time_from: Text = ""
    time_to: Text = ""


class CollectionAddress(Loose):
    """Where a courier collects; in the country of the customer."""

    state: Text = ""
    zip: Text = ""
    city: Text = ""
    suburb: Text = ""
    addr1: Text = ""
    addr2: Text = ""
    addr3: Text = ""


class Parcel(Destination):
    """What bookings and prices have in common."""

    order_reference: Text = ""
    date_added: Moment | None = None
    tracking: Text = ""
    currency_code: Currency | None = None
    phone: Text = ""
    email: Text = ""
    display_id: Annotated[str, Field(max_length=32)] = ""
    external_id: Annotated[str, Field(max_length=255, pattern=r"^[A-Za-z0-9]+$")] | None = None
    add_items_data_to_order: Flag = False
    export_date: int | None = None
    export_awb: Text = ""
    export_carrier_name: Text = ""
    verification_entity: Flag = False
    dangerous_goods: Literal["Yes", "No", "yes", "no"] | None = None
    final_disposition: Literal["return", "destroy"] | None = None
    collection_address: CollectionAddress | None = None
    name: Text = ""
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
    item: tuple[ReturnItem, ...] = ()


class ReturnDraft(Parcel):
    """The body of a booking."""

    service_id: int | None = None
    carrier: Text = ""
    service: Text = ""
    label_format: Text = ""
    collection_date: CollectionDate | None = None
    drop_off_point_id: Text = ""
    special_instruction: Text = ""
    booking_type: Literal[1, 2, "1", "2"] = 1
    sort_code: Annotated[str, Field(max_length=10, pattern=r"^[A-Za-z0-9]*$")] = ""
    street_number: Text = ""


class PriceDraft(Parcel):
    """The body of a request for prices."""

    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    lng: Annotated[float, Field(ge=-180, le=180)] | None = None


def missing_of(parcel: Parcel, *, named: bool) -> list[str]:
    """Name what the customer's address lacks; `named`: a person belongs to it."""
    country = parcel.country or ""
    needed = {
        "name": named,
        "country": True,
        "state": country not in NO_STATE,
        "zip": country not in NO_ZIP,
        "city": country != "AU",
        "suburb": country == "AU",
        "addr1": True,
    }
    return [name for name, is_needed in needed.items() if is_needed and not getattr(parcel, name)]


def address_document(parcel: Parcel) -> Document:
    """Write the customer's address."""
    return {name: getattr(parcel, name) or "" for name in ADDRESS}
