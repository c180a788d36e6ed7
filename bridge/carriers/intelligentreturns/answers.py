"""What is answered, in their names, as either format has it; `found` says it in ours.

https://returns.returnsplatform.com/api (output data of each method; read 2026-10)
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from bridge.carriers.intelligentreturns.parts import (
    ByCurrency,
    Exact,
    Flag,
    Many,
    Maybe,
    Moment,
    Part,
    Sure,
    SureExact,
    SureMoment,
    SureWhole,
    SureWord,
    Text,
    Texts,
    Whole,
    Word,
)


class Failure(Part):
    """Why not. The message may quote what was sent, so nothing of it is kept but names from a table."""

    code: Sure
    message: Many[Text] = ()


class OrderMade(Part):
    """The answer to an order, or to more articles for one."""

    order_reference: Text = None
    order_id: SureWhole


class Additional(Part):
    title: Text = None
    value: Text = None


class Reason(Part):
    action: Text = None
    reason: Text = None
    wish: Text = None
    additional: Maybe[Additional] = None
    code: Text = None


class Destined(Part):
    final_dest_name: Text = None
    final_dest_company_name: Text = None
    final_dest_id: Text = None
    final_dest_country: Text = None
    final_dest_state: Text = None
    final_dest_zip: Text = None
    final_dest_city: Text = None
    final_dest_suburb: Text = None
    final_dest_addr1: Text = None
    final_dest_addr2: Text = None
    final_dest_addr3: Text = None
    final_dest_neighborhood: Text = None


class Item(Destined):
    """An article of an order or of a return."""

    sku_code: Text = None
    sku_desc: Text = None
    quantity: Whole = None
    price: Exact = None
    cost_price: Exact = None
    weight: Exact = None
    weight_uom: Text = None
    length: Exact = None
    width: Exact = None
    height: Exact = None
    dimensions_uom: Text = None
    country_code: Text = None
    hs_code: Text = None
    img_path: Text = None
    dangerous_goods: Flag = None
    export_date: Moment = None
    export_awb: Text = None
    export_carrier_name: Text = None
    tracking: Text = None
    verification_entity: Flag = None
    final_disposition: Text = None
    reason: Many[Reason] = ()
    custom_fields: Texts = Field(default_factory=dict)


class Customer(Destined):
    name: Text = None
    company_name: Text = None
    country: Text = None
    state: Text = None
    zip: Text = None
    city: Text = None
    suburb: Text = None
    addr1: Text = None
    addr2: Text = None
    addr3: Text = None
    neighborhood: Text = None
    phone: Text = None
    email: Text = None
    order_reference: Text = None
    item: Many[Item] = ()
    custom_fields: Texts = Field(default_factory=dict)


class Order(Customer):
    """An order that was sent."""

    id: Sure
    contact_name: Text = None
    order_date: Moment = None
    currency_code: Text = None
    rma: Text = None
    export_awb: Text = None
    export_carrier_name: Text = None


class ReturnMade(Part):
    """A return that was made. It has no id: what finds it again are its `external_id` and the tracking number."""

    label: Text = None
    tracking: Text = None
    cancel_available_until: Moment = None
    secondary_barcode: Text = None
    first_mile_address: Maybe[FirstMile] = None


class FirstMile(Part):
    """Where the label sends it at first."""

    addr1: Text = None
    addr2: Text = None
    city: Text = None
    zip: Text = None
    state: Text = None
    country: Text = None
    additional_address: Many[Text] = ()


class Return(Customer):
    """A return as it is read, or listed without its label."""

    id: Sure
    date_added: Moment = None
    display_id: Text = None
    external_id: Text = None
    tracking: Text = None
    tracking_last_update: Moment = None
    current_tracking_status: Word = None
    carrier: Text = None
    label: Text = None
    barcode_number: Text = None
    cancel_available_until: Moment = None
    verification_entity: Flag = None


class Returns(Part):
    """A page of a search, newest first. Each is read by itself, so that one cannot spoil the others."""

    total: Whole = None
    items: Many[Any] = Field((), alias="return")


class CancelAsked(Part):
    """That it was asked for, and not that it was cancelled."""

    tracking: Text = None
    external_id: Text = None
    status: Text = None


class Cancelled(Part):
    result: CancelAsked


class Transaction(Part):
    amount: SureExact
    currency: Sure
    comment: Text = None


class Account(Part):
    transactions: Many[Transaction] = ()
    total: ByCurrency = Field(default_factory=dict)


class Billed(Part):
    order_reference: Text = None
    tracking: Text = None
    external_id: Text = None
    date_added: Moment = None
    current_tracking_status: Word = None
    end_buyer: Maybe[Account] = None
    contractual_amount: Maybe[Account] = None
    approximate_invoice_amount: ByCurrency = Field(default_factory=dict)


class Bills(Part):
    returns: Many[Billed] = ()


class Location(Part):
    country: Text = None
    state: Text = None
    city: Text = None


class Event(Part):
    """A scan. `status` is said to be alphanumeric in one place and a number in another."""

    status: SureWord
    dt: SureMoment
    date_added: Moment = None
    location: Maybe[Location] = None


class Tracked(Part):
    """A parcel with its events, whichever way they are named."""

    tracking_number: Text = None
    pallet_number: Text = None
    source_country: Text = None
    carrier_name: Text = None
    service_id: Whole = None
    external_id: Text = None
    order_reference: Text = None
    events: Many[Any] = ()
    track: Many[Any] = ()


class TrackedPage(Part):
    tracking_data: Many[Tracked] = ()
    total_events_count: Whole = None
    current_page: Whole = None
    total_pages_count: SureWhole
    count_per_page: Whole = None


class Clock(Part):
    date: SureMoment
