"""What is decided where a person chose the offer: that one or none, and no rule is asked."""

from __future__ import annotations

from typing import Final

from bridge.events.catalogue import Offer, RejectedOffer
from bridge.model import OfferId
from bridge.purchasing.policy.decision import NONE_AVAILABLE, Buy, Decision, Decline
from bridge.purchasing.policy.file import Policy
from bridge.purchasing.policy.guard import guard
from bridge.purchasing.policy.objections import objection
from bridge.purchasing.policy.services import known_as
from bridge.purchasing.shipment import Shipment

BY_ORDER: Final = "by_person"
"""In place of a rule's id."""
_NOT_ON_OFFER: Final = "not_on_offer"


def ordered(
    shipment: Shipment, offer: OfferId, policy: Policy, *, ours: bool = False, selected_here: bool = False
) -> Decision:
    """Decide for the offer that a person chose, as long as it can be bought. Its price counts for the budget.

    What the carrier or somebody else is about to buy is left alone here, too.
    """
    stopped = guard(shipment, policy, ours=ours, selected_here=selected_here, ordered=True)
    if stopped is not None:
        return stopped
    mine = next((one for one in shipment.offers if one.offer_id == offer), None)
    if mine is None:
        return Decline(NONE_AVAILABLE, (RejectedOffer(offer_id=offer, reason=_NOT_ON_OFFER),), BY_ORDER)
    why = objection(mine, shipment)
    others = [RejectedOffer(offer_id=one.offer_id, reason="not_chosen") for one in _others(shipment, mine)]
    if why is not None:
        return Decline(NONE_AVAILABLE, (RejectedOffer(offer_id=mine.offer_id, reason=why), *others), BY_ORDER)
    price = mine.rate if mine.rate is not None else policy.prices.get(known_as(mine.service_id))
    return Buy(mine, tuple(others), BY_ORDER, price)


def _others(shipment: Shipment, mine: Offer) -> list[Offer]:
    others = [one for one in shipment.offers if one.offer_id != mine.offer_id]
    return sorted(others, key=lambda one: one.offer_id)
