"""Whether an offer can be selected or bought, as a read of its shipment shows: pure."""

from __future__ import annotations

from typing import Final

from bridge.events.catalogue import Offer
from bridge.purchasing.evidence import Bought, Underway, evidence
from bridge.purchasing.policy import objection
from bridge.purchasing.shipment import Shipment
from bridge.shipping.refusals import Refusal
from bridge.web.problems import FieldError

OPEN: Final = ("created", "offers_prepared", "offer_selected")
"""Where a shipment is before it is bought or cancelled."""
FIELD: Final = "offer_id"
_OBJECTIONS: Final = {
    "expired": "has run out: refresh the offers, and choose among the new ones",
    "unavailable": "is not available",
}


CONTESTED: Final = Refusal(
    "in-other-hands", "the carrier may be about to buy it by itself: look at it again 20 s after it was made"
)


def settled(shipment: Shipment) -> Refusal | None:
    """Say why nothing is chosen for a shipment any more, or not just now."""
    found = evidence(shipment, before=())
    if isinstance(found, Bought):
        return Refusal("already-bought", "it is bought already")
    if isinstance(found, Underway):
        return Refusal("in-other-hands", "a payment for it is under way at the carrier")
    if shipment.status not in OPEN:
        return Refusal("not-for-sale", f"nothing can be chosen for it any more: it is {shipment.status}")
    return None


def against(shipment: Shipment, offer: int) -> Refusal | None:
    """Say why this offer cannot be chosen, or None."""
    why = settled(shipment)
    return why or _unavailable(shipment, next((one for one in shipment.offers if one.offer_id == offer), None))


def _unavailable(shipment: Shipment, offer: Offer | None) -> Refusal | None:
    if offer is None:
        return _about_offer("not_on_offer", f"is not among the {len(shipment.offers)} offers of this shipment")
    why = objection(offer, shipment)
    return None if why is None else _about_offer(why, _OBJECTIONS.get(why, "cannot be chosen"))


def _about_offer(code: str, told: str) -> Refusal:
    return Refusal("unprocessable", f"{FIELD}: {told}", [FieldError(FIELD, code, told)])
