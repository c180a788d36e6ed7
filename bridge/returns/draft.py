"""A return that somebody wants made, whole: in the contract's names, which belong to no provider."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from pydantic import JsonValue

from bridge.events.catalogue import Money


@dataclass(frozen=True, slots=True)
class Address:
    """Where somebody is. `state` is an ISO code where the country has such."""

    street: str | None = field(default=None, repr=False)
    building_number: str | None = field(default=None, repr=False)
    city: str | None = field(default=None, repr=False)
    post_code: str | None = field(default=None, repr=False)
    country_code: str | None = field(default=None, repr=False)
    """ISO 3166-1 alpha-2."""
    state: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Party:
    """Who sends it back, or who gets it."""

    first_name: str | None = field(default=None, repr=False)
    last_name: str | None = field(default=None, repr=False)
    company_name: str | None = field(default=None, repr=False)
    """Only of who gets it."""
    phone: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    address: Address | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The whole name, as one line."""
        return " ".join(part for part in (self.first_name, self.last_name) if part)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item comes back, and what is wished for."""

    action: str | None = None
    """`refund`, `exchange` or `other`."""
    reason: str | None = field(default=None, repr=False)
    comment: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Item:
    """One article. Price and weight are of one piece; the last two are for customs."""

    sku: str
    name: str
    quantity: int
    price: Money | None = None
    weight_kg: Decimal | None = None
    hs_code: str | None = None
    country_of_origin: str | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Collection:
    """When and where a courier comes for it; what is None is left to the provider."""

    date: dt.date | None = None
    time_from: dt.time | None = None
    time_to: dt.time | None = None
    address: Address | None = field(default=None, repr=False)
    """By default the sender's."""


@dataclass(frozen=True, slots=True)
class ReturnDraft:
    """What is to be made. `reference` is what the customer sees; what a provider has no field for, it must not get."""

    reference: str
    sender: Party = field(repr=False)
    parcel_size: str | None = None
    receiver: Party | None = field(default=None, repr=False)
    expires_at: dt.datetime | None = None
    description: str | None = field(default=None, repr=False)
    items: tuple[Item, ...] = field(default=(), repr=False)
    service_id: int | None = None
    drop_off_point_id: str | None = None
    collection: Collection | None = field(default=None, repr=False)
    provider_options: Mapping[str, JsonValue] = field(default_factory=dict, repr=False)
    """What only this provider knows, in its own names."""
