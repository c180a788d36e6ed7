"""What a purchase tells the world: facts as functions of what is known of the shipment, all keyed by the intent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bridge.events.catalogue import (
    Confirmed,
    Offer,
    OfferSelected,
    OfferSelectionFailed,
    OffersExpired,
    Published,
    PurchaseFailed,
    PurchaseHeld,
    PurchaseRequested,
    PurchaseSucceeded,
    PurchaseUnknown,
    RejectedOffer,
)
from bridge.events.notification import Notification, StatusSeen
from bridge.events.projection import offers_key, project
from bridge.events.shipment import ShipmentState
from bridge.model import DeliveryId, Evidence, Fact, IntentId, OfferId
from bridge.purchasing.policy import CARRIER_OWNED, Buy, Policy
from bridge.purchasing.shipment import Shipment
from bridge.store.purchase import Purchase

_Told = tuple[ShipmentState | None, tuple[Fact, ...]]
Tell = Callable[[ShipmentState | None], _Told]


def told(tell: Sequence[Tell], known: ShipmentState | None) -> tuple[tuple[Fact, ...], ShipmentState | None]:
    """Put what is to be told together, in order, each part building on the state the one before left."""
    state, changed = known, None
    facts: list[Fact] = []
    for one in tell:
        after, more = one(state)
        facts += more
        if after is not None:
            state = changed = after
    return tuple(facts), changed


def seconds_left(offer: Offer, shipment: Shipment) -> float:
    """Say how long an offer can still be bought, by the carrier's clock."""
    return 0.0 if offer.expires_at is None else max((offer.expires_at - shipment.at).total_seconds(), 0.0)


def selected(purchase: Purchase, shipment: Shipment, decision: Buy, policy: Policy) -> Tell:
    data = OfferSelected.model_validate(
        _about(purchase)
        | _which(purchase)
        | {
            "rule_id": decision.rule_id,
            "policy_sha256": policy.sha256,
            "price": decision.price,
            "rejected": decision.rejected,
            "seconds_left": round(seconds_left(decision.offer, shipment), 3),
        }
    )
    return _tell(purchase, data, shipment.at, facet=decision.rule_id)


def held(purchase: Purchase, shipment: Shipment, offer: Offer, why: str) -> Tell:
    left = {"reason": why, "seconds_left": round(seconds_left(offer, shipment), 3)}
    data = PurchaseHeld.model_validate(_about(purchase) | _which(purchase) | left)
    return _tell(purchase, data, shipment.at, facet=why)


def requested(purchase: Purchase, shipment: Shipment) -> Tell:
    return _tell(purchase, PurchaseRequested.model_validate(_about(purchase) | _which(purchase)), shipment.at)


def unknown(purchase: Purchase, now: datetime) -> Tell:
    return _tell(purchase, PurchaseUnknown.model_validate(_about(purchase) | _which(purchase)), now)


def succeeded(purchase: Purchase, shipment: Shipment, offer: Offer | None, *, adopted: bool) -> Tell:
    price = {"price": offer.rate if offer else None, "adopted": adopted}
    data = PurchaseSucceeded.model_validate(_about(purchase) | _which(purchase) | price)
    return _tell(purchase, data, shipment.changed_at)


def theirs(purchase: Purchase, offer: Offer) -> Purchase:
    """Give what somebody else bought an intent of its own, which is the same whoever finds it."""
    intent = IntentId(f"adopted-{purchase.organization}-{purchase.shipment}")
    return replace(purchase, intent=intent, offer=OfferId(offer.offer_id), service=offer.service_id)


def failed(purchase: Purchase, why: str, at: datetime) -> Tell:
    data = PurchaseFailed.model_validate(_about(purchase) | _which(purchase) | {"reason": why})
    return _tell(purchase, data, at, facet=why)


def declined(
    purchase: Purchase, shipment: Shipment, why: str, rejected: Sequence[RejectedOffer], policy: Policy
) -> Tell:
    extra = {"reason": why, "rejected": tuple(rejected), "policy_sha256": policy.sha256}
    data = OfferSelectionFailed.model_validate(_about(purchase) | extra)
    # Whose purchase it is has nothing to do with its offers, which the carrier changes as it buys.
    key = why if why == CARRIER_OWNED else f"{why}:{offers_key(shipment.offers)}"
    return _tell(purchase, data, shipment.at, key=key, facet=why)


def given_up(purchase: Purchase, why: str, found: Evidence, policy: Policy, now: datetime) -> Tell:
    """Tell that nothing was decided at all, and why; `found` is what we go by without a read."""
    extra = {"reason": why, "rejected": (), "policy_sha256": policy.sha256, "evidence": found}
    data = OfferSelectionFailed.model_validate(_about(purchase) | extra)
    return _tell(purchase, data, now, key=f"{why}:{purchase.cause or ''}", facet=why)


def expired(purchase: Purchase, shipment: Shipment, *, held: str | None = None) -> Tell:
    """Tell that a window closed unbought; `held` is why the purchase waits for a person, where it goes on waiting."""
    when = max((offer.expires_at for offer in shipment.offers if offer.expires_at), default=shipment.at)
    data = OffersExpired.model_validate(_about(purchase) | {"expired_at": when, "held": held})
    return _tell(purchase, data, when, key=offers_key(shipment.offers))


def seen_bought(purchase: Purchase, shipment: Shipment) -> Tell:
    """Tell what the read itself shows: the same facts as the webhook's, whichever comes first."""
    seen = StatusSeen(shipment.status, shipment.tracking_number, shipment.return_tracking_number)
    cause = DeliveryId(purchase.cause or "")
    at = shipment.changed_at.astimezone(UTC)
    found = Notification(purchase.organization, purchase.shipment, at, Evidence.carrier, seen, cause)

    def tell(known: ShipmentState | None) -> _Told:
        projection = project(found, known)
        return projection.state, projection.facts

    return tell


def confirmed(purchase: Purchase, shipment: Shipment) -> Tell:
    """Tell that a read shows it bought, where its status has moved on and no report of `confirmed` ever came."""
    data = Confirmed.model_validate(_about(purchase) | {"tracking_number": shipment.tracking_number})
    tell = _tell(purchase, data, shipment.changed_at, key="confirmed")

    def once(known: ShipmentState | None) -> _Told:
        state = known or ShipmentState()
        return (None, ()) if state.confirmed else (replace(state, confirmed=True), tell(known)[1])

    return once


def _about(purchase: Purchase) -> dict[str, object]:
    return {
        "shipment_id": purchase.shipment,
        "organization_id": purchase.organization,
        "evidence": Evidence.carrier,
        "current": True,
        "first_seen": False,
    }


def _which(purchase: Purchase) -> dict[str, object]:
    return {"intent_id": purchase.intent, "offer_id": purchase.offer, "service_id": purchase.service}


def _tell(
    purchase: Purchase, data: Published, at: datetime, *, key: str | None = None, facet: str | None = None
) -> Tell:
    fact = Fact(
        subject=purchase.subject,
        type=data.type,
        key=key or purchase.intent or "",
        occurred_at=at,
        data=data,
        facet=facet,
        causation=purchase.cause,
    )
    return lambda _known: (None, (fact,))
