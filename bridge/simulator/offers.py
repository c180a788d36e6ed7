"""Offers: what each contracted service would cost, and why some cannot be had.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153494/Webhooks (offers_prepared)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from bridge.simulator.drafts import Draft
from bridge.simulator.organizations import Organization
from bridge.simulator.scenario import ServiceTerms
from bridge.simulator.services import SERVICES, Service

OfferStatus = Literal["available", "unavailable", "selected", "bought"]

LOCKER_MM = (410, 380, 640)
MM_PER = {"mm": 1, "cm": 10}


@dataclass(frozen=True)
class Reason:
    """Why an offer is unavailable; the text is as unreliable as the carrier's."""

    key: str
    message: str


@dataclass
class Offer:
    """One service at one price. The status alone never tells that an offer is stale: only `expires_at` does."""

    id: int
    status: OfferStatus
    expires_at: datetime | None
    rate: Decimal | None
    additional_services: tuple[str, ...]
    service: Service
    reasons: tuple[Reason, ...]

    @property
    def buyable(self) -> bool:
        """Say whether the status allows buying: available, or selected after a failed payment."""
        return self.status in ("available", "selected")

    def spoil(self) -> None:
        """Become unavailable, though it was not so when it was made."""
        self.status, self.expires_at, self.rate = "unavailable", None, None
        self.reasons = (Reason("service_unavailable", "service_unavailable"),)

    def expired(self, now: datetime) -> bool:
        """Say whether the buying window is over."""
        return self.expires_at is not None and now >= self.expires_at


def candidates(draft: Draft, organization: Organization) -> Iterator[ServiceTerms]:
    """List the contracted services that the given data allows to be presented.

    Courier services need a name and an address, locker services a phone, an e-mail and a target point; a
    service asked for by name is the only candidate.
    """
    for terms in organization.terms.services:
        if draft.service in (None, terms.id) and _presentable(draft, SERVICES[terms.id]):
            yield terms


def _presentable(draft: Draft, service: Service) -> bool:
    receiver = draft.receiver
    if draft.is_return or receiver is None:
        return True
    if service.reach == "courier":
        return receiver.reachable_by_courier
    return receiver.reachable_at_locker and draft.custom_attributes.target_point is not None


def offer(offer_id: int, terms: ServiceTerms, draft: Draft, organization: Organization, expires_at: datetime) -> Offer:
    """Make one offer. Debit (postpaid) customers get no price: null, while the currency is there."""
    service = SERVICES[terms.id]
    reasons = tuple(reasons_against(service, draft))
    if reasons:
        return Offer(offer_id, "unavailable", None, None, draft.additional_services, service, reasons)
    rate = terms.rate if organization.prepaid else None
    return Offer(offer_id, "available", expires_at, rate, draft.additional_services, service, ())


def reasons_against(service: Service, draft: Draft) -> Iterator[Reason]:
    """Say why this service cannot carry this shipment, in the keys of the published sample."""
    if service.reach == "locker":
        yield from _locker_reasons(service, draft)
    if service.label.id == "inpost_courier_c2c" and draft.custom_attributes.sending_method is None:
        yield Reason("sending_method_required", "sending_method_required")
    if "allegro" in service.label.id and not _allegro_customer(draft):
        yield Reason("allegro_email_invalid", "allegro_email_invalid")


def _locker_reasons(service: Service, draft: Draft) -> Iterator[Reason]:
    if draft.service is None:
        # Asking for sms or e-mail in offer mode made every locker offer of the published sample unavailable.
        for name in ("email", "sms"):
            if name in draft.additional_services:
                yield _untranslated(f"additional_service_{name}_unavailable")
    if len(draft.parcels) > 1 or not _fits_a_locker(draft):
        yield Reason("parcels_size_invalid", "parcels_size_invalid")
    points = draft.custom_attributes
    if service.label.id == "inpost_locker_pass_thru" and points.dropoff_point != points.target_point:
        yield Reason("dropoff_and_target_points_must_be_equal", "dropoff_and_target_points_must_be_equal")


def _untranslated(key: str) -> Reason:
    return Reason(key, f"translation missing: keys.errors.messages.{key}")


def _allegro_customer(draft: Draft) -> bool:
    return bool(draft.receiver and (draft.receiver.email or "").endswith("@allegromail.pl"))


def _fits_a_locker(draft: Draft) -> bool:
    """Compare sorted sides: a parcel may be turned."""
    for parcel in draft.parcels:
        if parcel.template is None and parcel.dimensions is not None:
            size = parcel.dimensions
            sides = sorted(side * MM_PER[size.unit] for side in (size.length, size.width, size.height))
            if any(side > limit for side, limit in zip(sides, sorted(LOCKER_MM), strict=True)):
                return False
    return True
