"""Which offer to buy: a pure function of the shipment and the policy; somebody else carries the answer out."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.errors import SettingsError
from bridge.events.catalogue import Offer, RejectedOffer
from bridge.purchasing.evidence import Bought, Underway, evidence
from bridge.purchasing.shipment import Shipment

CARRIER_OWNED: Final = "carrier_owned_purchase"
"""The reason for leaving a shipment alone that the carrier, or whoever parked it, buys."""


class PolicyFile(BaseModel):
    """The policy as written. `prefer_services` is in order of preference; what is not listed is not bought."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field("default", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    prefer_services: tuple[str, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy, with the hash of the very bytes it was read from."""

    rule_id: str
    prefer_services: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class Buy:
    """Buy this offer."""

    offer: Offer
    rejected: tuple[RejectedOffer, ...]


@dataclass(frozen=True, slots=True)
class Decline:
    """Nothing acceptable is on offer."""

    reason: str
    rejected: tuple[RejectedOffer, ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """Too early to say: offers are still being prepared, or somebody's payment is under way."""


@dataclass(frozen=True, slots=True)
class Expired:
    """The window is over, by the carrier's own clock."""


@dataclass(frozen=True, slots=True)
class NotOurs:
    """Somebody else buys this, or nobody does."""

    reason: str


@dataclass(frozen=True, slots=True)
class Adopt:
    """It is bought already."""

    bought: Bought


Decision = Buy | Decline | Wait | Expired | NotOurs | Adopt


def load(text: bytes) -> Policy:
    """Read a policy file. Raises SettingsError that names the key."""
    try:
        found = PolicyFile.model_validate(tomllib.loads(text.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([("BRIDGE_POLICY", f"is not TOML: {error}")]) from None
    except ValidationError as error:
        problems = [(f"BRIDGE_POLICY {'.'.join(map(str, one['loc']))}", one["msg"]) for one in error.errors()]
        raise SettingsError(problems) from None
    return Policy(found.id, found.prefer_services, sha256(text).hexdigest())


def decide(shipment: Shipment, policy: Policy) -> Decision:
    """Decide about a shipment as it was just read. The order of its offers makes no difference."""
    found = evidence(shipment, before=())
    if isinstance(found, Bought):
        return Adopt(found)
    if shipment.service is not None or shipment.status == "offer_selected":
        return NotOurs(CARRIER_OWNED)
    if shipment.status == "created":
        return Wait()
    if shipment.status != "offers_prepared":
        return NotOurs("not_for_sale")
    if isinstance(found, Underway):
        return Wait()
    return _choose(shipment, policy)


def _choose(shipment: Shipment, policy: Policy) -> Decision:
    objections = {offer.offer_id: _objection(offer, shipment, policy) for offer in shipment.offers}
    fit = sorted((offer for offer in shipment.offers if objections[offer.offer_id] is None), key=_rank(policy))
    if not fit and _EXPIRED in objections.values():
        return Expired()
    best = fit[0] if fit else None
    rejected = tuple(
        RejectedOffer(offer_id=offer.offer_id, reason=objections[offer.offer_id] or "not_preferred")
        for offer in sorted(shipment.offers, key=lambda offer: offer.offer_id)
        if offer is not best
    )
    if best is not None:
        return Buy(best, rejected)
    return Decline("no_rule_match" if _NOT_LISTED in objections.values() else "none_available", rejected)


def _objection(offer: Offer, shipment: Shipment, policy: Policy) -> str | None:
    """Say why an offer cannot be bought, or None."""
    if offer.status != "available":
        return "unavailable"
    if offer.expires_at is not None and offer.expires_at <= shipment.at:
        return _EXPIRED
    return None if offer.service_id in policy.prefer_services else _NOT_LISTED


_EXPIRED = "expired"
_NOT_LISTED = "service_not_listed"


def _rank(policy: Policy) -> Callable[[Offer], tuple[int, bool, Decimal, int]]:
    """Order offers: by preference, then by price, an unknown price after every known one, then by id."""

    def rank(offer: Offer) -> tuple[int, bool, Decimal, int]:
        price = offer.rate.amount if offer.rate else None
        return policy.prefer_services.index(offer.service_id), price is None, price or Decimal(0), offer.offer_id

    return rank
