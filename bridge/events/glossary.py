"""What the fields of the events mean: one sentence per name, because a name means the same in every event.

What a model itself says about a field in `catalogue.py` goes first and is not repeated here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MEANINGS: Final[Mapping[str, str]] = {
    "additional_services": "The services this offer includes beyond carrying the parcel",
    "amount": "Exact decimal text; never a binary fraction",
    "carrier_id": "Who would carry the parcel",
    "carrier_status": "The carrier's own word, unchanged",
    "currency": "ISO 4217",
    "dispatch_order_id": "The carrier's number of the order to a courier",
    "expired_at": "When the last of the offers could no longer be bought",
    "expires_at": "Until when it can be bought; null where the carrier does not say",
    "offer_id": "The carrier's number of the offer",
    "offers": "Every offer of the set, available or not",
    "organization_id": "The ShipX organization that owns the shipment",
    "policy_sha256": "Which version of the purchase policy decided",
    "previous_carrier_status": "The carrier's word before this one, in the order of the parcel's life",
    "previous_return_status": "The last normalized status before this one, in the order of the parcel's life",
    "previous_tracking_status": "The last normalized status before this one, in the order of the parcel's life",
    "price": "What it costs; null where the carrier names no price: unknown, never 0",
    "rate": "What it would cost; null where the carrier names no price: unknown, never 0",
    "reason": "Why, in one word; an open set",
    "rejected": "The offers that were not chosen, each with its reason",
    "return_status": "Where the return is, in our words; an open set",
    "return_tracking_number": "The number under which the parcel travels back to its sender",
    "rule_id": "The rule of the policy that chose; `by_person` where a person did",
    "seconds_left": "How long the offer can still be bought, from the moment of the decision",
    "service_id": "The carrier's name of the service",
    "shipment_id": "The carrier's number of the shipment",
    "status": "The carrier's own word for the state of the offer",
    "terminal": "True: no further status is expected; a later one may come all the same",
    "tracking_number": "The number under which the parcel travels; null while none is known",
    "tracking_status": "Where the parcel is, in our words; an open set",
    "unavailability_reasons": "Why the offer cannot be bought, in the carrier's words",
}
