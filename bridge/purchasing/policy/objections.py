"""Why an offer cannot be bought under a rule: hard filters first, then the rule's own, then its limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bridge.events.catalogue import Money, Offer
from bridge.purchasing.policy.decision import NO_RULE_MATCH, NONE_AVAILABLE, PRICE_ABOVE_MAX, PRICE_UNKNOWN
from bridge.purchasing.policy.file import Policy
from bridge.purchasing.policy.money import is_within
from bridge.purchasing.policy.rule import Rule
from bridge.purchasing.policy.services import known_as
from bridge.purchasing.shipment import Shipment

EXPIRED: Final = "expired"
ORDER: Final = {
    "unavailable": NONE_AVAILABLE,
    "not_the_requested_service": NONE_AVAILABLE,
    "service_not_listed": NO_RULE_MATCH,
    "required_service_missing": NO_RULE_MATCH,
    "price_unknown": PRICE_UNKNOWN,
    "price_in_other_currency": PRICE_UNKNOWN,
    "price_above_max": PRICE_ABOVE_MAX,
    EXPIRED: EXPIRED,
}
"""Every objection in the order in which they are raised, with the reason for declining where none came further."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An offer under a rule: what it costs as far as is known, and what stands against it."""

    offer: Offer
    price: Money | None
    objection: str | None


def judge(offer: Offer, rule: Rule, shipment: Shipment, policy: Policy, requested: str | None) -> Candidate:
    """Look at one offer; `requested` is the service that it has to be, if one was asked for."""
    price = _price(offer, rule, policy)
    raised = (*_hard(offer, shipment, requested), *_of(rule, offer), *_limits(rule, price), *_window(offer, shipment))
    return Candidate(offer, price, next(iter(raised), None))


def without_rule(offer: Offer, shipment: Shipment) -> str:
    """Say what stands against an offer where no rule is for its shipment."""
    return objection(offer, shipment) or NO_RULE_MATCH


def objection(offer: Offer, shipment: Shipment) -> str | None:
    """Say what stands against an offer whatever the rules are, or None."""
    return next(iter((*_hard(offer, shipment, None), *_window(offer, shipment))), None)


def _price(offer: Offer, rule: Rule, policy: Policy) -> Money | None:
    """Give the carrier's price, or the table's where it names none and the rule says so."""
    if offer.rate is None and rule.missing_rate == "price_table":
        return policy.prices.get(known_as(offer.service_id))
    return offer.rate


def _hard(offer: Offer, shipment: Shipment, requested: str | None) -> Iterator[str]:
    # A selected offer stays payable after a failed payment, and only then is a selection looked at at all.
    bought = ("available", "selected") if shipment.status == "offer_selected" else ("available",)
    if offer.status not in (*bought, EXPIRED):
        yield "unavailable"
    if requested is not None and known_as(offer.service_id) != known_as(requested):
        yield "not_the_requested_service"


def _of(rule: Rule, offer: Offer) -> Iterator[str]:
    if known_as(offer.service_id) not in rule.services:
        yield "service_not_listed"
    if not set(rule.require_services) <= set(offer.additional_services):
        yield "required_service_missing"


def _limits(rule: Rule, price: Money | None) -> Iterator[str]:
    if price is None:
        if rule.missing_rate in ("decline", "price_table"):
            yield "price_unknown"
    elif rule.max_price is not None and not is_within(price, rule.max_price):
        yield "price_above_max" if price.currency == rule.max_price.currency else "price_in_other_currency"


def _window(offer: Offer, shipment: Shipment) -> Iterator[str]:
    is_over = offer.expires_at is not None and offer.expires_at <= shipment.at
    if is_over or offer.status == EXPIRED:
        yield EXPIRED
