"""A shipment as ShipX answers it, by allow-list, in our words.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153485 (shipment), …/18153611 (payment)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from pydantic import ValidationError

from bridge.carriers.shipx import wire
from bridge.carriers.shipx.offers import money, read_offer, utc
from bridge.errors import Unreadable
from bridge.events.catalogue import Money
from bridge.model import OfferId, ShipmentId
from bridge.purchasing.shipment import Payment, PaymentState, Shipment, Traits


def read(body: bytes, at: datetime) -> Shipment:
    """Read the answer to `GET /v1/shipments/:id`. `at` is the carrier's clock. Raises Unreadable."""
    try:
        found = wire.Shipment.model_validate_json(body)
    except ValidationError:
        raise Unreadable("not_a_shipment") from None
    return Shipment(
        id=ShipmentId(found.id),
        status=found.status,
        at=at,
        changed_at=utc(found.updated_at) or at,
        tracking_number=found.tracking_number,
        return_tracking_number=found.return_tracking_number,
        service=found.service,
        selected=read_offer(found.selected_offer) if found.selected_offer else None,
        offers=tuple(read_offer(offer) for offer in found.offers or ()),
        payments=tuple(_payment(one) for one in found.transactions or ()),
        traits=_traits(found),
    )


def faults(body: bytes) -> Sequence[tuple[str, str, str]]:
    """Say what keeps a body from being read: field, code and a sentence, never the value."""
    try:
        wire.Shipment.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        return [(".".join(map(str, one["loc"])), one["type"], one["msg"]) for one in found]
    return ()


def _traits(found: wire.Shipment) -> Traits:
    return Traits(
        mpk=found.mpk.name if found.mpk else None,
        external_customer_id=found.external_customer_id,
        reference=found.reference,
        cod=_amount(found.cod) or _amount(found.cod_amount),
        insurance=_amount(found.insurance),
        receiver=_receiver(found),
        weight_kg=_weight(found.parcels or ()),
        created_at=utc(found.created_at),
    )


def _amount(found: wire.Amount | None) -> Money | None:
    """Give an amount that is there; 0 is none to collect or to insure."""
    known = money(found.amount, found.currency) if found else None
    return known if known is not None and known.amount > 0 else None


def _receiver(found: wire.Shipment) -> Literal["locker", "address"] | None:
    """Say where it goes. In offer mode both may be given, and both kinds are offered: the point was chosen by hand."""
    if found.custom_attributes and found.custom_attributes.target_point:
        return "locker"
    return "address" if found.receiver and found.receiver.address else None


def _weight(parcels: Sequence[wire.Parcel]) -> Decimal | None:
    """Add the weights up, where each is known."""
    each = [_kilograms(one.weight) for one in parcels]
    known = [one for one in each if one is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(each) else None


def _kilograms(weight: wire.ParcelWeight | None) -> Decimal | None:
    factor = _UNITS.get(weight.unit) if weight else None
    return weight.amount * factor if weight and factor else None


_UNITS: Final = {"kg": Decimal(1), "g": Decimal("0.001")}


def _payment(found: wire.Transaction) -> Payment:
    return Payment(
        id=found.id,
        state=_STATES.get(found.status, PaymentState.running),
        offer=None if found.offer_id is None else OfferId(found.offer_id),
        error=found.details.error if found.details else None,
    )


_STATES = {"success": PaymentState.success, "failure": PaymentState.failure}
