"""Which of several offers comes first."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from bridge.purchasing.policy.money import is_comparable
from bridge.purchasing.policy.objections import Candidate
from bridge.purchasing.policy.rule import Rule

Rank = tuple[int, bool, Decimal, int, int]


def ranking(rule: Rule, currency: str) -> Callable[[Candidate], Rank]:
    """Order by the rule's tiers, then by price, then by preference; the lower offer id where all that is equal.

    A price that is unknown, or in another currency than the policy's, comes after every one that can be compared.
    """

    def rank(one: Candidate) -> Rank:
        service, price = one.offer.service_id, one.price
        is_known = is_comparable(price, currency)
        amount = price.amount if price is not None and is_known else Decimal(0)
        return rule.tier(service), not is_known, amount, rule.position(service), one.offer.offer_id

    return rank
