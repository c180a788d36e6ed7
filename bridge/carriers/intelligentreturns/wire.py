"""What is sent where something is to be made, in their names: every field of the page.

What a field may hold stands in its type, and is checked wherever a value is made of something from outside (`drafts`);
what one field means for another is in `rules`. None of it shows itself: it is about people.

https://returns.returnsplatform.com/api (input data of orders and returns; read 2026-10)
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from bridge.carriers.intelligentreturns.fields import (
    CONFIG,
    Alphanumeric,
    Amount,
    Country,
    Currency,
    Disposition,
    Email,
    Given,
    Latitude,
    Line,
    Longitude,
    Number,
    YesNo,
)


@dataclass(frozen=True, kw_only=True, repr=False)
class CustomFields:
    """Five texts of our own, of an order or of an item."""

    __pydantic_config__ = CONFIG
    field1: Line | None = None
    field2: Line | None = None
    field3: Line | None = None
    field4: Line | None = None
    field5: Line | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Reason:
    """Why an item comes back."""

    __pydantic_config__ = CONFIG
    action: Literal["Refund", "Exchange", "Other"] | None = None
    reason: Line | None = None
    wish: Line | None = None
    additional: Line | None = None
    code: Line | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class _Exported:
    """How it was exported, of everything or of an item."""

    __pydantic_config__ = CONFIG
    export_date: AwareDatetime | None = None
    export_awb: Line | None = None
    export_carrier_name: Line | None = None
    dangerous_goods: YesNo | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class _Destination:
    """Where it goes in the end. With an id, which may be `Default`, the rest of the address is ignored."""

    __pydantic_config__ = CONFIG
    final_dest_name: Line | None = None
    final_dest_company_name: Line | None = None
    final_dest_id: Given | None = None
    final_dest_country: Country | None = None
    final_dest_state: Line | None = None
    final_dest_zip: Line | None = None
    final_dest_city: Line | None = None
    final_dest_suburb: Line | None = None
    final_dest_addr1: Line | None = None
    final_dest_addr2: Line | None = None
    final_dest_addr3: Line | None = None
    final_dest_neighborhood: Line | None = None
    """In Mexico alone, as every neighborhood."""
    verification_entity: bool | None = None
    final_disposition: Disposition | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class _Article(_Exported):
    """What is said of an article wherever one is sent, each number of one piece."""

    sku_code: Given
    sku_desc: Given
    quantity: Number
    price: Amount
    weight: Amount | None = None
    weight_uom: Literal["K", "L"] | None = None
    length: Amount | None = None
    width: Amount | None = None
    height: Amount | None = None
    dimensions_uom: Literal["cm", "mm", "in"] | None = None
    country_code: Country | None = None
    """Where it was made."""
    hs_code: Line | None = None
    img_path: Line | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class OrderItem(_Article):
    """An article of an order. Zero `days_for_return` means never, and beats `non_returnable`."""

    cost_price: Amount | None = None
    tracking: Line | None = None
    non_returnable: bool | None = None
    non_returnable_message: Line | None = None
    days_for_return: Annotated[int, Field(ge=0, le=36_500)] | None = None
    custom_fields: CustomFields | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class QuotedItem(_Article, _Destination):
    """An article whose return is to be priced."""


@dataclass(frozen=True, kw_only=True, repr=False)
class ReturnItem(QuotedItem):
    """An article that comes back."""

    cost_price: Amount | None = None
    tracking: Line | None = None
    reason: tuple[Reason, ...] | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class CollectionDate:
    """When a courier comes; by default on the next working day."""

    __pydantic_config__ = CONFIG
    date: dt.date | None = None
    time_from: dt.time | None = None
    time_to: dt.time | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class CollectionAddress:
    """Where a courier comes to: in the sender's country, for there is no field for another."""

    __pydantic_config__ = CONFIG
    state: Line | None = None
    zip: Line | None = None
    city: Line | None = None
    suburb: Line | None = None
    addr1: Line | None = None
    addr2: Line | None = None
    addr3: Line | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class _Parcel(_Exported, _Destination):
    """What is said of a return, priced or made. With `tracking` nothing is booked: it was, somewhere else."""

    date_added: AwareDatetime | None = None
    tracking: Line | None = None
    currency_code: Currency | None = None
    phone: Line | None = None
    display_id: Annotated[Line, Field(max_length=32)] | None = None
    external_id: Alphanumeric | None = None
    add_items_data_to_order: bool | None = None
    collection_address: CollectionAddress | None = None
    company_name: Line | None = None
    country: Country | None = None
    state: Line | None = None
    zip: Line | None = None
    city: Line | None = None
    suburb: Line | None = None
    addr1: Line | None = None
    addr2: Line | None = None
    addr3: Line | None = None
    neighborhood: Line | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Inquiry(_Parcel):
    """A return whose price is asked for: an address or coordinates, and items. All else may be left out."""

    order_reference: Given | None = None
    email: Email | None = None
    name: Line | None = None
    lat: Latitude | None = None
    lng: Longitude | None = None
    item: tuple[QuotedItem, ...] = ()


@dataclass(frozen=True, kw_only=True, repr=False)
class Booking(_Parcel):
    """A return that is to be made. `carrier` and `service` are deprecated, and ignored beside a `service_id`."""

    order_reference: Given
    email: Email
    name: Given
    service_id: Number | None = None
    carrier: Line | None = None
    service: Line | None = None
    label_format: Literal["pdf_6x4", "pdf_a4", "png", "barcode128"] | None = None
    collection_date: CollectionDate | None = None
    drop_off_point_id: Given | None = None
    special_instruction: Line | None = None
    booking_type: Literal[1, 2] | None = None
    """1: the customer asked for it; 2: made in advance."""
    sort_code: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,10}$")] | None = None
    street_number: Line | None = None
    item: tuple[ReturnItem, ...] | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Order:
    """An order, sent before anything of it comes back. With `overwrite_data` it takes the place of the one there is."""

    __pydantic_config__ = CONFIG
    order_reference: Given
    order_date: AwareDatetime
    currency_code: Currency
    overwrite_data: bool | None = None
    rma: Line | None = None
    """A code with which the customer may send it back after the time for that."""
    phone: Line | None = None
    email: Email | None = None
    export_date: AwareDatetime | None = None
    export_awb: Line | None = None
    export_carrier_name: Line | None = None
    free_return: bool | None = None
    custom_fields: CustomFields | None = None
    contact_name: Line | None = None
    company_name: Line | None = None
    country: Country | None = None
    state: Line | None = None
    zip: Line | None = None
    city: Line | None = None
    suburb: Line | None = None
    addr1: Line | None = None
    addr2: Line | None = None
    addr3: Line | None = None
    neighborhood: Line | None = None
    item: tuple[OrderItem, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class MoreItems:
    """Articles that an order gets besides."""

    __pydantic_config__ = CONFIG
    order_reference: Given
    item: tuple[OrderItem, ...]
