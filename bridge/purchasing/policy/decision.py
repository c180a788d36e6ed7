"""What is decided about a shipment: values, which somebody else carries out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bridge.events.catalogue import Money, Offer, RejectedOffer
from bridge.purchasing.evidence import Bought

APPROVAL_REQUIRED: Final = "approval_required"
PRICE_UNKNOWN: Final = "price_unknown"
NO_RULE_MATCH: Final = "no_rule_match"
NONE_AVAILABLE: Final = "none_available"
PRICE_ABOVE_MAX: Final = "price_above_max"


@dataclass(frozen=True, slots=True)
class Buy:
    """Buy this offer. `price` is what a budget counts: the carrier's, the price table's, or None where nobody knows."""

    offer: Offer
    rejected: tuple[RejectedOffer, ...]
    rule_id: str
    price: Money | None


@dataclass(frozen=True, slots=True)
class Hold:
    """This offer would do, once a person says so: `approval_required` or `price_unknown`."""

    offer: Offer
    reason: str
    rejected: tuple[RejectedOffer, ...]
    rule_id: str
    price: Money | None


@dataclass(frozen=True, slots=True)
class Decline:
    """Nothing acceptable is on offer. `rule_id` is None where no rule is for the shipment."""

    reason: str
    rejected: tuple[RejectedOffer, ...] = ()
    rule_id: str | None = None


@dataclass(frozen=True, slots=True)
class Expired:
    """The window of what would have done is over, by the carrier's own clock."""

    rejected: tuple[RejectedOffer, ...] = ()
    rule_id: str | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Too early to say: offers are still being prepared, or somebody else may be about to pay."""


@dataclass(frozen=True, slots=True)
class NotOurs:
    """Somebody else buys this, or nobody does."""

    reason: str


@dataclass(frozen=True, slots=True)
class Adopt:
    """It is bought already."""

    bought: Bought


Decision = Buy | Hold | Decline | Expired | Wait | NotOurs | Adopt
