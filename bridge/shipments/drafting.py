"""A shipment that is asked for becomes the draft that a carrier is given."""

from __future__ import annotations

from bridge.events.catalogue import Money
from bridge.shipments import asked as ours
from bridge.shipments.draft import CustomAttributes, Dimensions, Draft, Parcel, Weight
from bridge.shipments.party import Address, Party


def draft(asked: ours.ShipmentAsked) -> Draft:
    """Write it as a draft: what was not said is not in it."""
    return Draft(
        parcels=tuple(_parcel(one) for one in asked.parcels),
        receiver=_party(asked.receiver),
        sender=_party(asked.sender),
        custom_attributes=CustomAttributes(**asked.custom_attributes.model_dump()),
        cod=_money(asked.cod),
        insurance=_money(asked.insurance),
        reference=asked.reference,
        comments=asked.comments,
        is_return=asked.is_return or None,
        additional_services=asked.additional_services,
        external_customer_id=asked.external_customer_id,
        only_choice_of_offer=asked.only_choice_of_offer or None,
        mpk=asked.mpk,
        service=asked.service,
    )


def _party(party: ours.Party | None) -> Party | None:
    if party is None:
        return None
    said = party.model_dump(exclude={"address"})
    return Party(**said, address=None if party.address is None else Address(**party.address.model_dump()))


def _parcel(parcel: ours.Parcel) -> Parcel:
    size, weight = parcel.dimensions, parcel.weight
    return Parcel(
        id=parcel.id,
        template=parcel.template,
        dimensions=None if size is None else Dimensions(size.length, size.width, size.height, size.unit),
        weight=None if weight is None else Weight(weight.amount, weight.unit),
        is_non_standard=parcel.is_non_standard or None,
    )


def _money(amount: ours.Amount | None) -> Money | None:
    return None if amount is None else Money(amount=format(amount.amount, "f"), currency=amount.currency)
