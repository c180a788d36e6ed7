"""The decision about a shipment as it was just read."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.events.catalogue import RejectedOffer
from bridge.model import OrganizationId
from bridge.purchasing.policy.decision import (
    APPROVAL_REQUIRED,
    NO_RULE_MATCH,
    NONE_AVAILABLE,
    PRICE_UNKNOWN,
    Buy,
    Decision,
    Decline,
    Expired,
    Hold,
)
from bridge.purchasing.policy.file import Policy
from bridge.purchasing.policy.guard import guard
from bridge.purchasing.policy.money import is_within
from bridge.purchasing.policy.objections import EXPIRED, ORDER, Candidate, judge, without_rule
from bridge.purchasing.policy.ranking import ranking
from bridge.purchasing.policy.rule import Rule
from bridge.purchasing.shipment import Shipment


def decide(
    shipment: Shipment, policy: Policy, organization: OrganizationId, *, ours: bool = False, selected_here: bool = False
) -> Decision:
    """Decide about a shipment. The order of its offers makes no difference.

    `ours` says that we tried to pay for it before: then a selected offer whose payment failed may be paid again.
    `selected_here` says that a person selected its offer here: then it is nobody else's.
    """
    stopped = guard(shipment, policy, ours=ours, selected_here=selected_here)
    if stopped is not None:
        return stopped
    requested = None if ours else shipment.service
    declined: Decline | None = None
    for rule in policy.rules:
        if rule.when.holds(shipment, organization):
            found = _follow(rule, shipment, policy, requested)
            if not isinstance(found, Decline) or rule.on_no_match == "decline":
                return found
            declined = found
    return declined or _unmatched(shipment)


def _follow(rule: Rule, shipment: Shipment, policy: Policy, requested: str | None) -> Buy | Hold | Decline | Expired:
    """Choose by one rule."""
    judged = [judge(offer, rule, shipment, policy, requested) for offer in shipment.offers]
    fit = [one for one in judged if one.objection is None]
    if not fit:
        return _none(rule, judged)
    best = min(fit, key=ranking(rule, policy.currency))
    rejected = _rejected([one for one in judged if one is not best])
    held = _held(rule, best)
    if held is not None:
        return Hold(best.offer, held, rejected, rule.id, best.price)
    return Buy(best.offer, rejected, rule.id, best.price)


def _held(rule: Rule, best: Candidate) -> str | None:
    """Say why a person has to be asked, or None."""
    if best.price is None:
        return PRICE_UNKNOWN if rule.missing_rate == "hold" else None
    if rule.approve_above is not None and not is_within(best.price, rule.approve_above):
        return APPROVAL_REQUIRED
    return None


def _none(rule: Rule, judged: Sequence[Candidate]) -> Decline | Expired:
    """Say why nothing would do: by what stands against the offer that came furthest."""
    raised = {one.objection for one in judged}
    if EXPIRED in raised:
        return Expired(_rejected(judged), rule.id)
    reason = next((ORDER[one] for one in reversed(ORDER) if one in raised), NONE_AVAILABLE)
    return Decline(reason, _rejected(judged), rule.id)


def _unmatched(shipment: Shipment) -> Decline:
    """Say that no rule is for this shipment, or that it would not matter."""
    judged = [Candidate(offer, offer.rate, without_rule(offer, shipment)) for offer in shipment.offers]
    is_any = any(one.objection != "unavailable" for one in judged)
    return Decline(NO_RULE_MATCH if is_any else NONE_AVAILABLE, _rejected(judged))


def _rejected(those: Sequence[Candidate]) -> tuple[RejectedOffer, ...]:
    """Say of every offer that is not chosen why, in the order of their ids."""
    told = [RejectedOffer(offer_id=one.offer.offer_id, reason=one.objection or "not_preferred") for one in those]
    return tuple(sorted(told, key=lambda one: (one.offer_id, one.reason)))
