"""Whether a shipment is to be decided about: not what is bought, being paid for, or somebody else's."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bridge.purchasing.evidence import Bought, Underway, evidence
from bridge.purchasing.policy.decision import Adopt, NotOurs, Wait
from bridge.purchasing.policy.file import Policy
from bridge.purchasing.shipment import Shipment

CARRIER_OWNED: Final = "carrier_owned_purchase"
"""The reason for leaving a shipment alone that the carrier, or whoever parked it, buys."""
NOT_FOR_SALE: Final = "not_for_sale"
STUCK_AFTER: Final = timedelta(seconds=20)
"""Buying by itself, the carrier is done about one second after the shipment was made."""
FOR_SALE: Final = ("created", "offers_prepared", "offer_selected")


def guard(
    shipment: Shipment, policy: Policy, *, ours: bool, selected_here: bool = False, ordered: bool = False
) -> Adopt | NotOurs | Wait | None:
    """Say why nothing is to be chosen, or None.

    `ours`: a payment for it was tried by us before; `selected_here`: a person selected its offer here; `ordered`: a
    person wants an offer of it bought, whoever made it or selected one.
    """
    found = evidence(shipment, before=())
    if isinstance(found, Bought):
        return Adopt(found)
    if shipment.status not in FOR_SALE:
        return NotOurs(NOT_FOR_SALE)
    if not (selected_here or ordered) and _is_somebody_elses(shipment, policy, ours=ours):
        return NotOurs(CARRIER_OWNED)
    if shipment.status == "created" or isinstance(found, Underway):
        return Wait()
    return Wait() if not (ours or selected_here) and may_be_bought_yet(shipment) else None


def _is_somebody_elses(shipment: Shipment, policy: Policy, *, ours: bool) -> bool:
    """Say whether the carrier buys it, or whoever selected an offer: a failed payment of theirs shows that they try.

    A selected offer makes its service the shipment's: whether that was asked for at creation is not to be seen then.
    """
    if shipment.status == "offer_selected" and not shipment.payments:
        return True
    if ours:
        return False
    if shipment.service is None:
        return shipment.status == "offer_selected"
    return policy.carrier_owned == "leave" or shipment.traits.created_at is None


def may_be_bought_yet(shipment: Shipment) -> bool:
    """Say whether the carrier may still be about to buy it by itself."""
    created = shipment.traits.created_at
    return shipment.service is not None and created is not None and shipment.at < created + STUCK_AFTER
