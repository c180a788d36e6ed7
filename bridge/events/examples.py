"""One example per event, for the documents we publish about them. Invented values; the parcel does not exist."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from pydantic_core import from_json

from bridge.events.catalogue import (
    CATALOGUE,
    AboutConnection,
    CancelFailed,
    Cancelled,
    Confirmed,
    ConnectionPaused,
    ConnectionResumed,
    DispatchOrderCreated,
    DispatchOrderFact,
    DispatchOrderFailed,
    DispatchOrderStatusChanged,
    LabelReady,
    Money,
    Offer,
    OfferSelected,
    OfferSelectionFailed,
    OffersExpired,
    OffersPrepared,
    Published,
    PurchaseFailed,
    PurchaseHeld,
    PurchaseRequested,
    PurchaseSucceeded,
    PurchaseUnknown,
    RejectedOffer,
    ReturnCreated,
    ReturnCreationFailed,
    ReturnCreationUnknown,
    ReturnExpiryApproaching,
    ReturnFact,
    ReturnLabelReady,
    ReturnLegStarted,
    ReturnStatusChanged,
    StatusChanged,
    TrackingNumberAssigned,
    WebhookHealthChanged,
)
from bridge.events.cloudevents import Envelope
from bridge.model import DispatchOrderId, Evidence, Fact, OrganizationId, ShipmentId, Subject

_AT: Final = datetime(2026, 10, 10, 9, 30, tzinfo=UTC)
_SUBJECT: Final = Subject.shipment(OrganizationId(1234), ShipmentId(987654321))
_NUMBER: Final = "520000012680041086770098"
_POLICY: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_PRICE: Final = Money(amount=Decimal("12.50"), currency="PLN")
_REJECTED: Final = RejectedOffer(offer_id=553002, reason="service_unavailable")
_CANDIDATE: Final = Offer(
    offer_id=553001,
    status="available",
    service_id="inpost_locker_standard",
    carrier_id="inpost_locker",
    rate=_PRICE,
    expires_at=_AT + timedelta(minutes=5),
    additional_services=("sms",),
    unavailability_reasons=(),
)
_UNAVAILABLE: Final = Offer(
    offer_id=553002,
    status="unavailable",
    service_id="inpost_courier_standard",
    carrier_id=None,
    rate=None,
    expires_at=None,
    additional_services=(),
    unavailability_reasons=("service_unavailable",),
)
_FACT: Final[Mapping[str, object]] = {
    "shipment_id": 987654321,
    "organization_id": 1234,
    "evidence": Evidence.carrier,
    "current": True,
    "first_seen": False,
}
_PURCHASE: Final = {
    **_FACT,
    "intent_id": "0192f5c8-6c1e-7d3a-9b52-4f0e8a7d6c11",
    "offer_id": 553001,
    "service_id": "inpost_locker_standard",
}
_SELECTED: Final = {"rule_id": "cheapest", "price": _PRICE, "rejected": (_REJECTED,), "seconds_left": 241.5}
_MOVED: Final = {
    "tracking_status": "available_for_pickup",
    "carrier_status": "ready_to_pickup",
    "previous_tracking_status": "out_for_delivery",
    "previous_carrier_status": "out_for_delivery",
    "last_known_status": None,
    "reason": "locker",
    "terminal": False,
    "attention": False,
    "tracking_number": _NUMBER,
    "return_tracking_number": None,
}
_BOTH_NUMBERS: Final = {"tracking_number": _NUMBER, "return_tracking_number": "520000012680041086770099"}
_COLLECTED: Final = {
    "organization_id": 1234,
    "shipments": (987654321, 987654322),
    "evidence": Evidence.carrier,
    "current": True,
    "dispatch_order_id": 500123,
}
_RETURN: Final = {
    "return_id": "7c1d0b6a5e5c4f0f9a2b8d3e6f1a4c97",
    "organization_id": None,
    "provider": "inpost_returns",
    "evidence": Evidence.carrier,
    "current": True,
}
_PAUSE: Final = {"connection": "shipx/1234", "reason": "operator", "since": _AT}

_DATA: Final[Mapping[type[Published], Mapping[str, object]]] = {
    OffersPrepared: {**_FACT, "offers": (_CANDIDATE, _UNAVAILABLE), "expires_at": _CANDIDATE.expires_at},
    OfferSelected: {**_PURCHASE, **_SELECTED, "policy_sha256": _POLICY},
    OfferSelectionFailed: {
        **_FACT,
        "reason": "none_available",
        "policy_sha256": _POLICY,
        "rejected": (_REJECTED,),
    },
    PurchaseHeld: {**_PURCHASE, "reason": "approval_required", "seconds_left": 240.0},
    PurchaseRequested: _PURCHASE,
    PurchaseUnknown: _PURCHASE,
    PurchaseSucceeded: {**_PURCHASE, "price": _PRICE, "adopted": False},
    PurchaseFailed: {**_PURCHASE, "reason": "insufficient_funds"},
    OffersExpired: {**_FACT, "expired_at": _AT + timedelta(minutes=5), "held": "approval_required"},
    Confirmed: {**_FACT, "tracking_number": _NUMBER},
    TrackingNumberAssigned: {**_FACT, "tracking_number": _NUMBER},
    StatusChanged: {**_FACT, **_MOVED},
    ReturnLegStarted: {**_FACT, **_BOTH_NUMBERS},
    Cancelled: _FACT,
    CancelFailed: {**_FACT, "reason": "overwritten"},
    DispatchOrderCreated: {**_COLLECTED, "carrier_status": "new"},
    DispatchOrderFailed: {**_COLLECTED, "reason": "rejected", "carrier_error": None},
    DispatchOrderStatusChanged: {
        **_COLLECTED,
        "state": "open",
        "carrier_status": "sent",
        "previous_carrier_status": "new",
        "terminal": False,
    },
    LabelReady: {
        **_FACT,
        "format": "pdf",
        "label_type": "A6",
        "sha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
        "size": 22_437,
        "path": "/v1/shipments/987654321/label?organization_id=1234&format=pdf&type=A6",
    },
    ReturnCreated: {
        **_RETURN,
        "provider_id": "d462ec8a-2b2a-4f3c-8a57-6a0d3f1b9c20",
        "tracking_number": None,
        "expires_at": _AT + timedelta(days=14),
        "return_status": "created",
        "attention": False,
    },
    ReturnCreationFailed: {**_RETURN, "reason": "validation_failed"},
    ReturnCreationUnknown: _RETURN,
    ReturnLabelReady: {
        **_RETURN,
        "format": "pdf",
        "sha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
        "size": 22_437,
        "path": "/v1/returns/7c1d0b6a5e5c4f0f9a2b8d3e6f1a4c97/label",
    },
    ReturnStatusChanged: {
        **_RETURN,
        "return_status": "dropped_off",
        "carrier_status": "USED",
        "previous_return_status": "accepted",
        "previous_carrier_status": "ACCEPTED",
        "last_known_status": None,
        "reason": "code_used",
        "terminal": False,
        "attention": False,
        "tracking_number": "620000000000000000000042",
        "country": None,
        "place": None,
    },
    ReturnExpiryApproaching: {
        **_RETURN,
        "expires_at": _AT + timedelta(days=2),
        "return_status": "accepted",
        "tracking_number": None,
    },
    ConnectionPaused: _PAUSE,
    ConnectionResumed: _PAUSE,
    WebhookHealthChanged: {
        "connection": "shipx/1234",
        "state": "silent",
        "previous_state": "healthy",
        "since": _AT,
        "missed": 3,
        "last_webhook_at": _AT - timedelta(minutes=20),
    },
}


def facet_field(model: type[Published]) -> str | None:
    """Name the field that the last part of an event's routing key repeats."""
    return None if model.facet is None else model.facet.replace(" ", "_")


def fact(model: type[Published]) -> Fact:
    """Give the example of an event as the fact it would be made from."""
    data = model.model_validate(_DATA[model])
    field = facet_field(model)
    return Fact(
        subject=_subject(data),
        type=model.type,
        key="example",
        occurred_at=_AT,
        data=data,
        facet=None if field is None else str(getattr(data, field)),
        causation=None if isinstance(data, AboutConnection) else "0192f5c8-5a00-7c41-8d6e-2b1f9e3c4d55",
    )


def _subject(data: Published) -> Subject:
    if isinstance(data, AboutConnection):
        return Subject.connection(data.connection)
    if isinstance(data, ReturnFact):
        return Subject.returned(f"{data.provider}/main", data.return_id)
    if isinstance(data, DispatchOrderFact):
        return Subject.dispatch_order(OrganizationId(data.organization_id), DispatchOrderId(500123))
    return _SUBJECT


def published(model: type[Published]) -> dict[str, object]:
    """Give the example of an event as consumers receive it."""
    envelope, example = Envelope("production"), fact(model)
    body = envelope.serialize(
        example,
        envelope.event_id(example),
        sequence=CATALOGUE.index(model) + 1,
        recorded_at=_AT + timedelta(milliseconds=812),
    )
    document: dict[str, object] = from_json(body)
    return document
