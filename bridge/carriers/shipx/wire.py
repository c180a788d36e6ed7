"""ShipX's own shapes, as it sends them. Unknown keys are ignored; values outside their safe form are refused.

Webhooks: https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153494 ·
shipments: …/pages/18153485 · offers: …/pages/47415642. Older pages show ids as text, so both forms are read.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Annotated, Any, Final

from pydantic import (
    BeforeValidator,
    Field,
    model_validator,
)

from bridge.carriers.shapes import Lenient, Moment, Number, Shape, Text, Word
from bridge.shipments.likeness import Person


def _digits(value: object) -> object:
    """Take a digit string for the number it is; older pages show ids as text."""
    return int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else value


_DIGITS = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
Id = Annotated[int, Field(strict=True, ge=1, lt=10**18), BeforeValidator(_digits)]


def _rate(value: object) -> object:
    """Read a rate as it was written; one that arithmetic made longer (13.530000000000001) is rounded half-even."""
    if not isinstance(value, float | str):
        return value
    try:
        rate = Decimal(str(value))  # a float's text is the shortest that means it: what was written, up to 15 digits
        is_long = rate.is_finite() and 0 <= rate < _MOST and rate != rate.quantize(_FINEST, ROUND_HALF_EVEN)
    except InvalidOperation:
        return value
    return rate.quantize(_FINEST, ROUND_HALF_EVEN).normalize() if is_long else rate


_MOST, _FINEST = Decimal(10**9), Decimal("0.0001")
Rate = Annotated[Decimal, Field(ge=0, lt=10**9, max_digits=12, decimal_places=4), BeforeValidator(_rate)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


ERROR_KEYS: Final = frozenset(
    {
        "access_forbidden",
        "carrier_unavailable",
        "company_data_missing",
        "debt_collection",
        "forbidden",
        "invalid_action",
        "invalid_parameter",
        "label_generation_failed",
        "label_template_not_found",
        "missing_trucker_id",
        "no_carriers",
        "offer_expired",
        "offer_unavailable",
        "resource_not_found",
        "token_invalid",
        "transaction_failed",
        "unauthorized",
        "validation_failed",
    }
)
"""Every error key that is documented or was met. Whatever else stands there may be anybody's data: it is `other`.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/28639229
"""


def _error(value: object) -> object:
    """Take an unexpected key for an unknown one: why a payment failed must not hide that it failed."""
    return value if value is None or (isinstance(value, str) and value in ERROR_KEYS) else "other"


class Envelope(Shape):
    """What every webhook has around its payload. No version of the page names an id, a counter or a signature."""

    event: Word
    organization_id: Id
    payload: dict[str, Any]
    event_ts: str | None = None


class ConfirmedPayload(Shape):
    """`shipment_confirmed`; the number was null in version 1.23 of the page."""

    shipment_id: Id
    tracking_number: Number = None


class StatusPayload(Shape):
    """`shipment_status_changed`; the return number comes with `returned_to_sender` alone."""

    shipment_id: Id
    status: Word
    tracking_number: Number = None
    return_tracking_number: Number = None


class Named(Shape):
    """A carrier or a service. Names and descriptions are not unique and not ours to publish: only the id is read."""

    id: Word


class Offer(Shape):
    """One candidate. `rate` is null on postpaid accounts even where it can be bought: unknown, never 0."""

    id: Id
    status: Word
    expires_at: Moment | None = None
    rate: Rate | None = None
    currency: Currency | None = None
    additional_services: list[Word] | None = None
    carrier: Named | None = None
    service: Named
    unavailability_reasons: list[Any] | None = None


class OffersPayload(Shape):
    """`offers_prepared`: all offers, available and unavailable."""

    shipment_id: Id
    offers: Annotated[list[Offer], Field(max_length=1000)]


class ShipmentOf(Shape):
    """Whatever an unknown event is about, if it says so the way the known ones do."""

    shipment_id: Id | None = None


class TransactionDetails(Shape):
    """Why a payment failed. The inner details hold the account owner's e-mail and are not read."""

    error: Annotated[str | None, BeforeValidator(_error)] = None


class Transaction(Shape):
    """A payment: `initiated`, `success` or `failure`."""

    id: Id
    status: Word
    offer_id: Id | None = None
    details: TransactionDetails | None = None
    created_at: Moment | None = None
    updated_at: Moment | None = None


def _named(value: object) -> object:
    """Take a name for what has it."""
    return {"name": value} if isinstance(value, str) else value


def _as_text(value: object) -> object:
    """Take a number for its digits."""
    return str(value) if type(value) is int else value


def _is_there(value: object) -> object:
    """Say whether anything is there, without reading what."""
    return isinstance(value, dict | str) and bool(value)


Weight = Annotated[Decimal, Field(gt=0, lt=10**6), BeforeValidator(_rate)]


class CostCentre(Shape):
    """Where the costs of a shipment belong (`mpk`); the organization itself made it."""

    name: Text


class Amount(Shape):
    """Money: `{"amount": null, "currency": null}` is none."""

    amount: Rate | None = None
    currency: Currency | None = None


class Target(Shape):
    """Where in a locker or at a point it goes. The codes that stand beside it open lockers, and are not read."""

    target_point: Text | None = None


class Party(Shape):
    """Who gets or sends it: whether there is an address at all, and a digest by which the same person is known."""

    address: Annotated[bool, BeforeValidator(_is_there)] = False
    digest: Annotated[str, Field(repr=False)]

    @model_validator(mode="before")
    @classmethod
    def _forget(cls, value: object) -> object:
        """Keep nothing of a person but that."""
        if not isinstance(value, dict):
            return value
        address = value.get("address")
        place = address if isinstance(address, dict) else {}
        said = value.get("email"), value.get("phone"), place.get("post_code")
        email, phone, post_code = (one if isinstance(one, str) else None for one in said)
        return {"address": address, "digest": Person(email, phone, post_code).digest}


class ParcelWeight(Shape):
    """How heavy a parcel is."""

    amount: Weight
    unit: Word


class Parcel(Shape):
    """One of a shipment's parcels."""

    weight: Annotated[ParcelWeight | None, Lenient] = None
    template: Annotated[Word | None, Lenient] = None


class Shipment(Shape):
    """A shipment, by allow-list: of people nothing but a digest is kept, and no code that opens a locker is read."""

    id: Id
    status: Word
    tracking_number: Number = None
    return_tracking_number: Number = None
    service: Word | None = None
    mpk: Annotated[CostCentre | None, Lenient, BeforeValidator(_named), Field(repr=False)] = None
    external_customer_id: Annotated[Text | None, Lenient, BeforeValidator(_as_text), Field(repr=False)] = None
    reference: Annotated[Text | None, Lenient, Field(repr=False)] = None
    cod: Annotated[Amount | None, Lenient] = None
    cod_amount: Annotated[Amount | None, Lenient] = None
    """How older pages call it."""
    insurance: Annotated[Amount | None, Lenient] = None
    custom_attributes: Annotated[Target | None, Lenient] = None
    receiver: Annotated[Party | None, Lenient, Field(repr=False)] = None
    sender: Annotated[Party | None, Lenient, Field(repr=False)] = None
    parcels: Annotated[list[Parcel] | None, Lenient] = None
    is_return: Annotated[bool | None, Lenient] = None
    created_at: Annotated[Moment | None, Lenient] = None
    updated_at: Moment | None = None
    selected_offer: Offer | None = None
    offers: list[Offer] | None = None
    transactions: list[Transaction] | None = None


class Listing(Shape):
    """A page of shipments. `count` is on all pages; `page` and `per_page` are echoes, and not reliable (2026-10)."""

    href: Annotated[str, Field(max_length=16_384)]
    count: Annotated[int, Field(ge=0, lt=10**18)]
    items: list[Annotated[Shipment | None, Lenient]]


class Remark(Shape):
    """A shipment's comments, free text: only ever sent back unchanged."""

    id: Id
    comments: Annotated[str | None, Field(max_length=1000, repr=False)] = None


class Refusal(Shape):
    """An error answer. Public resources say `description` instead of `message`; neither is read, both are free text."""

    error: Word | None = None


def _listed(value: object) -> object:
    """Take an object for a list of one; the error answers nest objects in such lists."""
    return [value] if isinstance(value, dict) else value


class BulkDetails(Shape):
    """The items that a refusal of many names, by the ids that they were sent with."""

    shipments: Annotated[list[Any], BeforeValidator(_listed)]


class BulkRefusal(Shape):
    """The same error answer, of which only that is read: everything else in the details may be anybody's data."""

    details: BulkDetails | None = None


class Organization(Shape):
    """One of the organizations that a token may act for."""

    id: Id


class Organizations(Shape):
    """The list of them, or a page of it: then `count` is more than there are here."""

    items: list[Organization]
    count: object = None
