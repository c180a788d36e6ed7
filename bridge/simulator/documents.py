"""How the carrier writes a shipment, an offer and an organization.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153485 (shipment)
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from bridge.simulator.drafts import Address, Money, Parcel, Party
from bridge.simulator.offers import Offer
from bridge.simulator.organizations import Organization
from bridge.simulator.services import EXTRAS, SERVICES, Label, Service
from bridge.simulator.shipments import Shipment, Transaction
from bridge.simulator.times import timestamp

Document = dict[str, object]

HREF = "https://shipx.invalid"
"""A reserved name that resolves nowhere: a client that follows an `href` with its token is found out."""

TEMPLATE_MM = {"small": (80, 380, 640), "medium": (190, 380, 640), "large": (410, 380, 640)}


OWN_ADDRESS = Address(street="Przykładowa", building_number="1", city="Kraków", post_code="30-001")
"""The address of every organization: what a shipment without a sender shows."""
PAYMENT_MESSAGES = {"company_data_missing": "customer_lack_of_address_data"}
PAYMENT_DETAILS = {"company_data_missing": {"customer": {"email": "owner@example.com"}}}
"""The account owner's e-mail address stands in there (observed 2026-10-10): not to be kept, logged or passed on."""


def shipment_document(shipment: Shipment) -> Document:
    """Write the shipment as its by-id read answers."""
    draft = shipment.draft
    selected = shipment.selected
    document: Document = {
        "href": f"{HREF}/v1/shipments/{shipment.id}",
        "id": shipment.id,
        "status": shipment.status,
        "tracking_number": shipment.tracking_number,
        "service": shipment.service,
        "reference": draft.reference,
        "is_return": draft.is_return,
        "application_id": 1,
        "created_by_id": 3,
        "external_customer_id": draft.external_customer_id,
        "sending_method": draft.custom_attributes.sending_method,
        "mpk": _mpk(shipment),
        "comments": draft.comments,
        "additional_services": list(draft.additional_services),
        "custom_attributes": _custom_attributes(shipment),
        "cod": _money(draft.cod),
        "insurance": _money(draft.insurance),
        **_parties(shipment),
        "selected_offer": offer_document(selected) if selected else None,
        "offers": [offer_document(offer) for offer in shipment.offers],
        "transactions": [_transaction(transaction) for transaction in shipment.transactions],
        "parcels": [_parcel(shipment, index, parcel) for index, parcel in enumerate(draft.parcels)],
        "end_of_week_collection": "saturday" in draft.additional_services,
        "created_at": timestamp(shipment.created_at),
        "updated_at": timestamp(shipment.updated_at),
    }
    if shipment.return_tracking_number is not None:  # the key exists only with returned_to_sender
        document["return_tracking_number"] = shipment.return_tracking_number
    return document


def short_shipment_document(shipment: Shipment) -> Document:
    """Write the three keys by which batches and dispatch orders name a shipment."""
    return {
        "href": f"{HREF}/v1/shipments/{shipment.id}",
        "id": shipment.id,
        "tracking_number": shipment.tracking_number,
    }


def offer_document(offer: Offer) -> Document:
    """Write the nine keys that every offer has, here and in the webhook."""
    return {
        "id": offer.id,
        "status": offer.status,
        "expires_at": _moment(offer.expires_at),
        "rate": _number(offer.rate),
        "currency": None if offer.status == "unavailable" else "PLN",
        "additional_services": list(offer.additional_services),
        "carrier": _label(offer.service.carrier),
        "service": _label(offer.service.label),
        "unavailability_reasons": [{"key": r.key, "message": r.message} for r in offer.reasons] or None,
    }


def organization_document(organization: Organization) -> Document:
    """Write the account; its token is never part of an answer."""
    services = [terms.id for terms in organization.terms.services]
    return {
        "href": f"{HREF}/v1/organizations/{organization.id}",
        "id": organization.id,
        "owner_id": organization.id,
        "name": organization.terms.name,
        "tax_id": "1111111111",
        "bank_account_number": None,
        "carriers": sorted({SERVICES[service].carrier.id for service in services}),
        "services": services,
        "address": {name: text for name, text in OWN_ADDRESS.model_dump().items() if text},
    }


def service_document(service: Service) -> Document:
    """Write a service with what may be added to it.

    https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153486
    """
    extras = [{"id": name, "name": EXTRAS[name], "description": EXTRAS[name]} for name in sorted(service.extras)]
    return {**_label(service.label), "additional_services": extras}


def _custom_attributes(shipment: Shipment) -> Document:
    points = shipment.draft.custom_attributes
    return {
        "target_point": points.target_point,
        "dropoff_point": points.dropoff_point,
        "sending_method": points.sending_method,
        "dispatch_order_id": shipment.dispatch_order_id,
        # Opens a locker; shown from `confirmed` on. The simulator's opens nothing.
        "customer_delivering_code": f"{shipment.id % 1_000_000:06d}" if shipment.bought else None,
        "open_code": None,
    }


def _parties(shipment: Shipment) -> Document:
    """Fill in a missing party from the organization; a return swaps the two."""
    name = shipment.organization.terms.name
    own = Party(name=name, company_name=name, address=OWN_ADDRESS)
    receiver, sender = shipment.draft.receiver or own, shipment.draft.sender or own
    if shipment.draft.is_return:
        receiver, sender = sender, receiver
    return {"sender": _party(shipment.id * 2, sender), "receiver": _party(shipment.id * 2 + 1, receiver)}


def _party(party_id: int, party: Party) -> Document:
    return {
        "id": party_id,
        "name": party.name,
        "company_name": party.company_name,
        "first_name": party.first_name,
        "last_name": party.last_name,
        "email": party.email,
        "phone": party.phone,
        "address": address_document(party_id, party.address) if party.address else None,
    }


def address_document(address_id: int, address: Address) -> Document:
    """Write an address; its id is the party's, or the point's."""
    lines = {name: line for name, line in (("line1", address.line1), ("line2", address.line2)) if line}
    return {
        "id": address_id,
        "street": address.street,
        "building_number": address.building_number,
        **lines,
        "city": address.city,
        "post_code": address.post_code,
        "country_code": address.country_code,
    }


def _parcel(shipment: Shipment, index: int, parcel: Parcel) -> Document:
    return {
        "id": parcel.id or str(index + 1),
        "tracking_number": shipment.tracking_number,
        "is_non_standard": parcel.is_non_standard,
        "template": parcel.template,
        "dimensions": _dimensions(parcel),
        "weight": {"amount": _number(parcel.weight.amount) if parcel.weight else 25, "unit": "kg"},
    }


def _dimensions(parcel: Parcel) -> Document:
    if parcel.dimensions is None:
        height, width, length = TEMPLATE_MM[parcel.template or "small"]
        return {"length": length, "width": width, "height": height, "unit": "mm"}
    own = parcel.dimensions
    sides = {"length": own.length, "width": own.width, "height": own.height}
    return {**{name: _number(side) for name, side in sides.items()}, "unit": own.unit}


def _transaction(transaction: Transaction) -> Document:
    """Write a payment; the failed form as observed on sandbox accounts without funds (2026-10-10)."""
    error = transaction.error
    details: Document = {}
    if error:
        message = PAYMENT_MESSAGES.get(error, error)
        details = {"status": 422, "error": error, "message": message, "details": PAYMENT_DETAILS.get(error, {})}
    return {
        "id": transaction.id,
        "status": transaction.status,
        "offer_id": transaction.offer_id,
        "details": details,
        "created_at": timestamp(transaction.at),
        "updated_at": timestamp(transaction.at),
    }


def _mpk(shipment: Shipment) -> Document | None:
    name = shipment.draft.mpk
    return {"id": shipment.organization.terms.cost_centres.index(name) + 1, "name": name} if name else None


def _label(label: Label) -> Document:
    return {"id": label.id, "name": label.name, "description": label.description}


def _money(money: Money | None) -> Document:
    """Write an amount; both keys are there with null when nothing is collected or insured."""
    return {"amount": _number(money.amount) if money else None, "currency": money.currency if money else None}


def _moment(moment: datetime | None) -> str | None:
    return timestamp(moment) if moment else None


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
