"""A decision as it is kept and shown: what was chosen and why nothing else, from which offers.

By allow-list: of the shipment only what is nobody's name. What may name a person (its reference, its customer, its
cost centre) was matched and is forgotten, so that a policy that goes by it cannot be tried on what is kept.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, assert_never

from pydantic import BaseModel, ConfigDict

from bridge.events.catalogue import CarrierId, Money, Offer, RejectedOffer, Word
from bridge.model import OrganizationId, ShipmentId
from bridge.purchasing.policy.decide import decide
from bridge.purchasing.policy.decision import Adopt, Buy, Decision, Decline, Expired, Hold, NotOurs, Wait
from bridge.purchasing.policy.file import Policy
from bridge.purchasing.policy.rule import Rule
from bridge.purchasing.shipment import Payment, PaymentState, Shipment, Traits

Kind = Literal["buy", "hold", "decline", "wait", "not_ours"]
OFFERS_EXPIRED = "offers_expired"
ALREADY_BOUGHT = "already_bought"
_OFFERED = "offers_prepared"


class _Kept(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Verdict(_Kept):
    """What was decided. `price` is what a budget counts; `seconds_left` is for how long the offer can be bought."""

    decision: Kind
    rule_id: str | None = None
    offer_id: CarrierId | None = None
    reason: str | None = None
    price: Money | None = None
    seconds_left: float | None = None
    rejected: tuple[RejectedOffer, ...] = ()


class KeptPayment(_Kept):
    """An attempt to pay that had been made by then."""

    id: CarrierId
    state: PaymentState


class KeptShipment(_Kept):
    """What is kept of the shipment as it was read. `at` is by the carrier's clock."""

    id: CarrierId
    status: Word
    service: Word | None
    at: datetime
    created_at: datetime | None
    cod: Money | None
    insurance: Money | None
    receiver: Literal["locker", "address"] | None
    weight_kg: Decimal | None
    payments: tuple[KeptPayment, ...]
    ours: bool
    selected_here: bool = False


class Document(Verdict):
    """A decision with what it was made from."""

    shipment: KeptShipment
    offers: tuple[Offer, ...]

    @property
    def verdict(self) -> Verdict:
        """Give the decision alone."""
        return Verdict.model_validate(self.model_dump(include=set(Verdict.model_fields)))


def document(shipment: Shipment, decision: Decision, *, ours: bool = False, selected_here: bool = False) -> Document:
    """Write a decision down; `ours` and `selected_here` are what `decide` was told."""
    told = verdict(shipment, decision).model_dump()
    kept = _kept(shipment, ours=ours, selected_here=selected_here)
    return Document.model_validate(told | {"shipment": kept, "offers": shipment.offers})


def verdict(shipment: Shipment, decision: Decision) -> Verdict:
    """Say in words what was decided."""
    match decision:
        case Buy(offer, rejected, rule, price):
            return Verdict(decision="buy", **_chosen(offer, shipment), rule_id=rule, price=price, rejected=rejected)
        case Hold(offer, why, rejected, rule, price):
            chosen = _chosen(offer, shipment)
            return Verdict(decision="hold", reason=why, **chosen, rule_id=rule, price=price, rejected=rejected)
        case Decline(why, rejected, declined_by):
            return Verdict(decision="decline", reason=why, rule_id=declined_by, rejected=rejected)
        case Expired(rejected, expired_by):
            return Verdict(decision="decline", reason=OFFERS_EXPIRED, rule_id=expired_by, rejected=rejected)
        case NotOurs(why):
            return Verdict(decision="not_ours", reason=why)
        case Adopt():
            return Verdict(decision="not_ours", reason=ALREADY_BOUGHT)
        case Wait():
            return Verdict(decision="wait")
        case _:
            assert_never(decision)


def again(kept: Document, policy: Policy, organization: OrganizationId) -> Verdict | Rule:
    """Try a policy on what is kept; gives the rule by which that cannot be told, where there is one."""
    shipment = _shipment(kept)
    for rule in policy.rules:
        if rule.when.may_hold(shipment, organization):
            if rule.when.goes_by_words:
                return rule
            if rule.on_no_match == "decline":
                break
    return verdict(shipment, _anew(kept, shipment, policy, organization))


def of_offers(
    id_: ShipmentId, offers: tuple[Offer, ...], at: datetime, policy: Policy, organization: OrganizationId
) -> Verdict | Rule:
    """Try a policy on offers alone, as of when they were told, as if the shipment was made for them.

    Gives the rule that goes by more of the shipment, where there is one that may be for it.
    """
    shipment = _offered(id_, offers, at)
    for rule in policy.rules:
        if rule.when.may_be_for(organization, at):
            if rule.when.goes_by_traits:
                return rule
            if rule.on_no_match == "decline":
                break
    return verdict(shipment, decide(shipment, policy, organization))


def _anew(kept: Document, shipment: Shipment, policy: Policy, organization: OrganizationId) -> Decision:
    found = kept.shipment
    return decide(shipment, policy, organization, ours=found.ours, selected_here=found.selected_here)


def _chosen(offer: Offer, shipment: Shipment) -> dict[str, object]:
    left = None if offer.expires_at is None else max((offer.expires_at - shipment.at).total_seconds(), 0.0)
    return {"offer_id": offer.offer_id, "seconds_left": None if left is None else round(left, 3)}


def _kept(shipment: Shipment, *, ours: bool, selected_here: bool) -> KeptShipment:
    traits = shipment.traits
    return KeptShipment(
        id=shipment.id,
        status=shipment.status,
        service=shipment.service,
        at=shipment.at,
        created_at=traits.created_at,
        cod=traits.cod,
        insurance=traits.insurance,
        receiver=traits.receiver,
        weight_kg=traits.weight_kg,
        payments=tuple(KeptPayment(id=one.id, state=one.state) for one in shipment.payments),
        ours=ours,
        selected_here=selected_here,
    )


def _shipment(kept: Document) -> Shipment:
    """Give the shipment as far as it is kept."""
    found = kept.shipment
    return Shipment(
        id=ShipmentId(found.id),
        status=found.status,
        at=found.at,
        changed_at=found.at,
        tracking_number=None,
        return_tracking_number=None,
        service=found.service,
        selected=None,
        offers=kept.offers,
        payments=tuple(Payment(one.id, one.state, None, None) for one in found.payments),
        traits=Traits(
            cod=found.cod,
            insurance=found.insurance,
            receiver=found.receiver,
            weight_kg=found.weight_kg,
            created_at=found.created_at,
        ),
    )


def _offered(id_: ShipmentId, offers: tuple[Offer, ...], at: datetime) -> Shipment:
    """Give a shipment of which nothing but its offers is known."""
    return Shipment(
        id=id_,
        status=_OFFERED,
        at=at,
        changed_at=at,
        tracking_number=None,
        return_tracking_number=None,
        service=None,
        selected=None,
        offers=offers,
        payments=(),
    )
