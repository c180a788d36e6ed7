"""A draft as the carrier wants it: what is not given is not there, and nothing is null.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153501 (offer mode), …/18153503 (simplified mode).
The text calls a phone `phone_number`, every sample `phone`; live answers have measures as numbers, samples as text.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.carriers.exact import given
from bridge.events.catalogue import Money
from bridge.shipments.draft import CustomAttributes, Dimensions, Draft, Parcel, Weight
from bridge.shipments.party import Address, Party

Attributes = Mapping[str, object]


def attributes(draft: Draft) -> Attributes:
    """Write a whole shipment. Without a service no additional services are sent: the carrier refuses them."""
    return given(
        receiver=_party(draft.receiver),
        sender=_party(draft.sender),
        parcels=[_parcel(one) for one in draft.parcels],
        custom_attributes=_custom(draft.custom_attributes),
        cod=_money(draft.cod),
        insurance=_money(draft.insurance),
        reference=draft.reference,
        comments=draft.comments,
        is_return=draft.is_return,
        additional_services=(draft.service and list(draft.additional_services)) or None,
        external_customer_id=draft.external_customer_id,
        only_choice_of_offer=draft.only_choice_of_offer,
        mpk=draft.mpk,
        service=draft.service,
    )


def address(found: Address | None) -> Attributes | None:
    """Write where somebody is."""
    if found is None:
        return None
    return given(
        street=found.street,
        building_number=found.building_number,
        line1=found.line1,
        line2=found.line2,
        city=found.city,
        post_code=found.post_code,
        country_code=found.country_code,
    )


def _party(party: Party | None) -> Attributes | None:
    if party is None:
        return None
    found = given(
        name=party.name,
        company_name=party.company_name,
        first_name=party.first_name,
        last_name=party.last_name,
        email=party.email,
        phone=party.phone,
        address=address(party.address),
    )
    return found or None


def _parcel(parcel: Parcel) -> Attributes:
    return given(
        id=parcel.id,
        template=parcel.template,
        dimensions=_dimensions(parcel.dimensions),
        weight=_weight(parcel.weight),
        is_non_standard=parcel.is_non_standard,
    )


def _dimensions(found: Dimensions | None) -> Attributes | None:
    if found is None:
        return None
    return {"length": found.length, "width": found.width, "height": found.height, "unit": found.unit}


def _weight(found: Weight | None) -> Attributes | None:
    return None if found is None else {"amount": found.amount, "unit": found.unit}


def _custom(found: CustomAttributes | None) -> Attributes | None:
    if found is None:
        return None
    points = given(
        target_point=found.target_point, dropoff_point=found.dropoff_point, sending_method=found.sending_method
    )
    return points or None


def _money(found: Money | None) -> Attributes | None:
    return None if found is None else {"amount": found.amount, "currency": found.currency}
