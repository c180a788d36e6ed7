"""A return as its provider has it, read again by one of its ids or found by a search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from bridge.returns.address import FoundAddress
from bridge.returns.ticket import ReturnLabel


@dataclass(frozen=True, slots=True)
class Destination:
    """Where it goes in the end: an address that the provider knows by its id, or a whole one."""

    id: str | None = None
    name: str | None = field(default=None, repr=False)
    company_name: str | None = field(default=None, repr=False)
    address: FoundAddress | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class FoundReason:
    """Why it came back. `title` and `value` are what was asked besides (a new size, and which)."""

    action: str | None = None
    reason: str | None = field(default=None, repr=False)
    wish: str | None = field(default=None, repr=False)
    title: str | None = field(default=None, repr=False)
    value: str | None = field(default=None, repr=False)
    code: str | None = None


@dataclass(frozen=True, slots=True)
class FoundItem:
    """An article of an order or a return, each number of one piece."""

    sku: str
    name: str
    quantity: int
    price: Decimal | None = None
    cost_price: Decimal | None = None
    weight: Decimal | None = None
    weight_uom: str | None = None
    length: Decimal | None = None
    width: Decimal | None = None
    height: Decimal | None = None
    dimensions_uom: str | None = None
    hs_code: str | None = None
    country_of_origin: str | None = None
    img_path: str | None = None
    is_dangerous: bool | None = None
    exported_at: datetime | None = None
    export_awb: str | None = None
    export_carrier_name: str | None = None
    tracking_number: str | None = None
    needs_verification: bool | None = None
    final_disposition: str | None = None
    destination: Destination | None = field(default=None, repr=False)
    reasons: tuple[FoundReason, ...] = ()
    custom_fields: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Contact:
    """Who sends it back."""

    name: str | None = field(default=None, repr=False)
    company_name: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    address: FoundAddress | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class FoundReturn:
    """The whole return. A search has no labels, and leaves out much else at times."""

    id: str
    reference: str
    external_id: str | None = None
    display_id: str | None = None
    tracking_number: str | None = None
    status: str | None = None
    """The provider's raw word."""
    created_at: datetime | None = None
    status_at: datetime | None = None
    cancellable_until: datetime | None = None
    carrier: str | None = None
    secondary_barcode: str | None = None
    label: ReturnLabel | None = None
    needs_verification: bool | None = None
    customer: Contact | None = field(default=None, repr=False)
    destination: Destination | None = field(default=None, repr=False)
    items: tuple[FoundItem, ...] = field(default=(), repr=False)
    custom_fields: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class FoundOrder:
    """An order that was sent before anything of it comes back."""

    id: str
    reference: str
    ordered_at: datetime | None = None
    currency: str | None = None
    rma: str | None = None
    export_awb: str | None = None
    export_carrier_name: str | None = None
    customer: Contact | None = field(default=None, repr=False)
    items: tuple[FoundItem, ...] = field(default=(), repr=False)
    custom_fields: Mapping[str, str] = field(default_factory=dict, repr=False)
